/** Filters that a level cannot answer: nothing of another filter is shown for theirs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("a filter that is refused", { skip: unavailable }, () => {
  const site = demo();

  /** The browser itself reports each refusal. */
  const refusals = (faults) => assert.ok(faults.every((fault) => /400|console: \w\w$/.test(fault)), faults.join("\n"));
  const rows = (page) => page.locator(".table tbody tr").count();

  it("by an unknown range shows no area, says why, and can be removed", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=margin&range=nope:1..2&table=1`);
    await settled(page);
    await page.waitForSelector(".table .none");
    assert.equal(await rows(page), 0);
    for (const place of ["#filter-note", ".matched"]) assert.match(await page.textContent(place), /nope/);
    await page.click('[aria-label="Remove the filter on nope"]');
    await page.waitForSelector(".table tbody tr");
    await page.waitForSelector(".matched:empty");
    assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), "Add an indicator to filter by");
    refusals(faults);
    await close();
  });

  it("by another level shows nothing of the level before", async () => {
    const { page, faults, close } = await site.open();
    // A field that boroughs do not have.
    await page.route(/level=borough.*filter=votes/, (route) =>
      route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"detail":"unknown property `votes`"}' }),
    );
    await page.goto(`${site.url}#indicator=margin&filter=votes+%3E+8000&table=1&view=10.50/45.55000/-73.65000`);
    await settled(page);
    await page.waitForSelector(".table tbody tr");
    await page.click("text=Boroughs");
    await page.waitForSelector(".matched.problem");
    await settled(page);
    assert.equal(await rows(page), 0);
    // While it is mended nothing comes back by itself.
    await page.fill("#filter", "margin >");
    await page.waitForSelector("#filter-note.problem");
    assert.equal(await rows(page), 0);
    await page.fill("#filter", "margin > 0");
    await page.waitForSelector(".table tbody tr");
    await page.waitForSelector(".matched:not(.problem)");
    await settled(page);
    refusals(faults);
    await close();
  });
});

/** The server is away for a while. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pixels, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("a server that was away", { skip: unavailable }, () => {
  const site = demo();

  it("is asked again for figures, rows and tiles", async () => {
    const { page, close } = await site.open();
    await page.goto(`${site.url}#indicator=coderre_share&table=1&view=10.20/45.55000/-73.65000`);
    await settled(page);
    await page.context().setOffline(true);
    await page.selectOption("#indicator", "votes");
    await page.waitForSelector(".legend .problem");
    await page.click('.controls [aria-label="Zoom in"]');
    await page.waitForTimeout(1000);
    await page.context().setOffline(false);
    await page.waitForSelector(".legend .classes");
    await page.waitForSelector(".table tbody tr");
    await settled(page);
    assert.equal(await page.textContent(".table thead [aria-sort=descending] .label"), "Votes");
    const colors = await page
      .locator(".classes .swatch")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
    const seen = await pixels(page, await page.locator(".maps").boundingBox());
    const drawn = colors.filter((color) => seen.count(color, 4) > seen.size * 0.003);
    assert.ok(drawn.length >= 4, `${drawn.length} of ${colors.length} classes are on the map`);
    await close();
  });

  it("is asked again for tiles alone", async () => {
    const { page, close } = await site.open();
    await page.goto(`${site.url}#indicator=votes&view=10.20/45.55000/-73.65000`);
    await settled(page);
    let away = true;
    await page.route(/montreal\/\d+\/\d+\/\d+/, (route) => (away ? route.fulfill({ status: 503 }) : route.continue()));
    const failed = page.waitForResponse((response) => response.status() === 503);
    await page.fill("#filter", "votes > 3000");
    await failed;
    away = false;
    const [color] = await page
      .locator(".classes .swatch")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor).slice(-1));
    await page.waitForResponse((response) => /montreal\/\d+\/\d+\/\d+/.test(response.url()) && response.ok());
    await settled(page);
    const seen = await pixels(page, await page.locator(".maps").boundingBox());
    assert.ok(seen.count(color, 4) > seen.size * 0.003);
    await close();
  });
});

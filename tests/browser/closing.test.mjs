/** Cards in little room, and where the focus is once something has gone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keep, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

const VIEW = "view=10.20/45.55000/-73.65000";
const AREA = "area=district/111-Mile-End";
const ZONE = "zone=-73.7,45.5+-73.6,45.5+-73.6,45.6";
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, locale: "fr-CA" };

describe("cards and lists", { skip: unavailable }, () => {
  const { at } = demo();

  const focus = (page, on) => page.waitForFunction((on) => document.activeElement?.matches(on), on);

  for (const [selector, state] of [
    [".card:not(.zone)", `indicator=winner&${AREA}`],
    [".card.zone", `indicator=votes&${ZONE}`],
  ]) {
    it(`close by their button and by Escape, and leave the focus on the map: ${selector}`, () =>
      at(`${state}&${VIEW}`, async (page) => {
        await page.focus(`${selector} header button`);
        await page.keyboard.press("Space");
        await page.waitForSelector(selector, { state: "detached" });
        await focus(page, "canvas");
        await page.evaluate((state) => (location.hash = state), state);
        await page.waitForSelector(selector);
        await page.keyboard.press("Escape");
        await page.waitForSelector(selector, { state: "detached" });
        await focus(page, "canvas");
        await settled(page);
      }));
  }

  it("pass the focus on: from the drawing to the map, from a line to the next", () =>
    at(`indicator=score&score=margin:8,-votes:5&range=votes:1000..&filter=votes+%3E+3000&${VIEW}`, async (page) => {
      await page.focus('.controls [aria-label="Draw a zone"]');
      await page.keyboard.press("Space");
      await page.focus(".drawbar button:last-child");
      await page.keyboard.press("Space");
      await focus(page, "canvas");
      const remove = page.locator(".criterion .quiet");
      await remove.first().focus();
      await page.keyboard.press("Space");
      await focus(page, '[aria-label="Remove the criterion Votes"]');
      await page.keyboard.press("Space");
      await focus(page, '[aria-label="Add a criterion"]');
      await page.focus(".range-line .quiet");
      await page.keyboard.press("Space");
      await focus(page, '[aria-label="Add an indicator to filter by"]');
      await page.focus(".filter .clear");
      await page.keyboard.press("Space");
      await focus(page, "#filter");
      await settled(page);
    }));

  for (const [width, height, table] of [
    [320, 256, ""],
    [640, 400, "&table=1"],
    [320, 640, "&table=1"],
  ]) {
    it(`have room for figures in ${width} × ${height}`, () =>
      at(
        `indicator=margin&${AREA}&${VIEW}${table}`,
        async (page) => {
          await page.locator(".card .chosen dd").first().scrollIntoViewIfNeeded();
          const figure = await page.locator(".card .chosen dd").first().boundingBox();
          const card = await page.locator(".card").boundingBox();
          assert.ok(figure.y >= card.y && figure.y + figure.height <= card.y + card.height);
          assert.ok((await page.locator(".card dl").boundingBox()).height > 100);
          await page.click(".card header button");
          await page.waitForSelector(".card", { state: "detached" });
        },
        { viewport: { width, height } },
      ));
  }

  it("leave a phone's map to the taps that draw a zone, and show the indicator first", () =>
    at(
      `indicator=votes&${VIEW}`,
      async (page) => {
        await page.tap('.controls [aria-label="Dessiner une zone"]');
        const bar = await page.locator(".drawbar").boundingBox();
        const map = await page.locator(".maps").boundingBox();
        assert.ok(bar.height < map.height / 4, `${bar.height} of ${map.height}`);
        assert.ok(bar.y < 20, "it lies at the edge");
        for (const [x, y] of [
          [60, 130],
          [180, 120],
          [170, 300],
        ]) {
          await page.touchscreen.tap(x, y);
          await page.waitForTimeout(400);
        }
        assert.match(await page.innerText(".drawbar p"), /^3 sommets$/);
        await keep(page, "phone-drawing");
        await page.tap(".drawbar >> text=Terminer");
        await page.waitForSelector(".card.zone .row");
        assert.equal(await page.locator(".card.zone .row").first().getAttribute("class"), "row chosen");
      },
      PHONE,
    ));

  it("say that an area is not there, and leave the zone", () =>
    at(`indicator=votes&area=district/nowhere&${ZONE}&${VIEW}`, async (page, faults) => {
      await page.waitForSelector(".no-area");
      assert.match(await page.textContent(".no-area"), /nowhere/);
      await page.waitForSelector(".card.zone");
      await page.waitForFunction(() => !location.hash.includes("area="));
      assert.ok(faults.splice(0).every((fault) => fault.includes("404")));
      await page.click(".no-area button");
      await page.waitForSelector(".no-area", { state: "detached" });
    }));
});

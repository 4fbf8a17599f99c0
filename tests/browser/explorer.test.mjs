/** The page at `/`, over the demo. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { PNG } from "pngjs";
import { keep, pixels, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("the explorer", { skip: unavailable }, () => {
  const site = demo();
  const { at } = site;

  const stage = async (page) => page.locator(".maps").boundingBox();
  const swatches = (page) =>
    page.locator(".classes .swatch").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
  const counts = async (page) => (await page.locator(".classes .count").allTextContents()).map(Number);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

  /** The client's own question to the server. */
  const ask = async (path) => (await fetch(site.url + path)).json();

  it("draws every class of the legend, and asks nobody else", () =>
    at("indicator=coderre_share", async (page) => {
      const seen = await pixels(page, await stage(page));
      const colors = await swatches(page);
      assert.equal(colors.length, 5);
      for (const color of colors) assert.ok(seen.count(color, 4) > seen.size * 0.003, `${color} is not on the map`);
      assert.equal(sum(await counts(page)), 58);
      await keep(page, "explorer");
    }));

  it("says on hover and on click what the server says", () =>
    at("indicator=coderre_share&view=12.00/45.54500/-73.61500", async (page) => {
      const { x, y, width, height } = await stage(page);
      const [cx, cy] = [x + width / 2, y + height / 2];
      await page.mouse.move(cx - 3, cy);
      await page.mouse.move(cx, cy);
      await page.waitForSelector(".hover");
      const name = await page.textContent(".hover-name");
      const value = await page.textContent(".hover-value");
      await page.mouse.click(cx, cy);
      await page.waitForSelector(".card");
      assert.equal(await page.textContent(".card h2"), name);
      assert.equal(await page.textContent(".card .chosen dd"), value);
      const { features } = await ask(
        `montreal/items?level=district&filter=${encodeURIComponent(`name = '${name.replaceAll("'", "''")}'`)}`,
      );
      const share = features[0].properties.coderre_share;
      assert.equal(value, `${(share * 100).toFixed(1)}\u202f%`);
      const { maille } = await ask("montreal");
      assert.equal(await page.locator(".card .row").count(), maille.indicators.length);
      assert.match(await page.textContent(".card footer"), /2013-11-03/);
      await keep(page, "card");
      await page.keyboard.press("Escape");
      await page.waitForSelector(".card", { state: "detached" });
    }));

  it("narrows the map to what passes the filter, and back", () =>
    at("indicator=coderre_share", async (page) => {
      const [, , , , strongest] = await swatches(page);
      const clip = await stage(page);
      const [, , , , before] = await counts(page);
      const full = await pixels(page, clip);
      await page.fill("#filter", "coderre_share < 0.5");
      await page.waitForSelector(".matched:not(:empty)");
      await settled(page);
      const { count } = await ask(
        "montreal/stats?property=coderre_share&level=district&filter=coderre_share%20%3C%200.5",
      );
      assert.match(await page.textContent(".matched"), new RegExp(`^${count} of 58`));
      const narrowed = await pixels(page, clip);
      assert.ok(narrowed.count(strongest, 4) < full.count(strongest, 4) * 0.5, "areas that fail are still drawn");
      assert.deepEqual((await swatches(page))[4], strongest, "classes do not move with the filter");
      assert.ok(before > (await counts(page))[4]);
      await page.click(".clear");
      await page.waitForSelector(".matched:empty");
      await settled(page);
      assert.equal((await pixels(page, clip)).count(strongest, 4), full.count(strongest, 4));
    }));

  it("shows where a filter is wrong, and keeps the map", () =>
    at("indicator=coderre_share&filter=votes+%3E+3000", async (page, faults) => {
      const clip = await stage(page);
      const before = await pixels(page, clip);
      const colors = await swatches(page);
      await page.fill("#filter", "votes > 3000 AND nosuch = 1");
      await page.waitForSelector(".note.problem");
      assert.match(await page.textContent(".note.problem"), /18.*nosuch/s);
      assert.equal(await page.textContent(".editor mark"), "n");
      await settled(page);
      const after = await pixels(page, clip);
      for (const color of colors) assert.equal(after.count(color, 4), before.count(color, 4));
      // The browser itself reports the 400.
      assert.ok(faults.splice(0).every((fault) => fault.includes("400")));
    }));

  it("says in French what is wrong with a filter, on a French page", () =>
    at("indicator=coderre_share&lang=fr", async (page, faults) => {
      for (const [filter, said] of [
        ["vote > 3000", "Au caractère 1 : aucun champ ne s’appelle « vote » ; vouliez-vous dire « votes »"],
        ["votes >", "Au caractère 8 : la condition ne se lit plus à partir d’ici."],
        ["votes > 'beaucoup'", "ne sont pas du même type"],
      ]) {
        await page.fill("#filter", filter);
        await page.waitForFunction((said) => document.querySelector(".note.problem")?.textContent.includes(said), said);
      }
      assert.ok(faults.splice(0).every((fault) => fault.includes("400")));
    }));

  it("reads the address it writes", async () => {
    const state =
      "indicator=margin&method=quantile&classes=4&palette=berry&flip=1&filter=votes+%3E+3000&view=11.20/45.53000/-73.60000&lang=fr&theme=dark";
    await at(state, async (page) => {
      await page.waitForFunction((wanted) => location.hash === `#${wanted}`, state);
      const legend = await page.textContent(".classes");
      await page.reload();
      await settled(page);
      assert.equal(await page.textContent(".classes"), legend);
      assert.equal(await page.inputValue("#filter"), "votes > 3000");
      assert.equal(await page.getAttribute("html", "lang"), "fr");
      assert.equal(await page.getAttribute("html", "data-theme"), "dark");
      await keep(page, "explorer-dark");
    });
  });

  it("shows boroughs where they are asked for", () =>
    at("indicator=winner", async (page) => {
      await page.click("text=Boroughs");
      await page.waitForFunction(() => document.querySelector(".lede")?.textContent?.includes("19"));
      await settled(page);
      assert.equal(sum(await counts(page)), 19);
    }));

  it("changes the indicator without a blank frame", () =>
    at("indicator=coderre_share", async (page) => {
      const { x, y, width, height } = await stage(page);
      const spot = { x: x + width * 0.45, y: y + height * 0.5, width: 120, height: 60 };
      const missing = await page.evaluate(() =>
        getComputedStyle(document.documentElement).getPropertyValue("--missing").trim(),
      );
      await page.selectOption("#indicator", "bergeron_share");
      for (let frame = 0; frame < 12; frame += 1) {
        const seen = await pixels(page, spot);
        assert.ok(seen.count(missing, 3) < seen.size * 0.02, "grey while the tiles change");
      }
      await settled(page);
    }));

  it("points out a class of the legend", () =>
    at("indicator=coderre_share", async (page) => {
      const [lightest, , , , strongest] = await swatches(page);
      const clip = await stage(page);
      const before = await pixels(page, clip);
      await page.hover(".classes li:nth-child(5)");
      await settled(page);
      const during = await pixels(page, clip);
      assert.ok(during.count(strongest, 4) > before.count(strongest, 4) * 0.8);
      assert.ok(during.count(lightest, 4) < before.count(lightest, 4) * 0.2);
    }));

  it("finds an area by name, accents and capitals aside, and goes there", () =>
    at("indicator=winner", async (page) => {
      await page.fill(".search input", "etienne-d");
      await page.waitForSelector(".search li");
      // With the area that holds it, for there may be others of its name.
      assert.match(await page.textContent(".search li"), /Étienne-Desmarteau\s*Rosemont.* · \d+/);
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "CANVAS");
      await page.waitForSelector(".card");
      assert.equal(await page.textContent(".card h2"), "Étienne-Desmarteau");
      await page.waitForFunction(() => /view=1[1-4]/.test(location.hash));
      await settled(page);
      await page.fill(".search input", "nowhere");
      await page.waitForSelector(".search li[aria-disabled]");
    }));

  it("lists the areas that pass, in any order", () =>
    at("indicator=votes&filter=votes+%3E+8000&table=1", async (page) => {
      const names = () => page.locator(".table tbody th").allTextContents();
      await page.waitForSelector(".table tbody tr");
      const { features } = await ask(
        "montreal/items?level=district&filter=votes%20%3E%208000&sortby=-votes&geometry=false",
      );
      assert.deepEqual(
        await names(),
        features.map(({ properties }) => properties.name),
      );
      await page.click(".table thead button:has-text('Area')");
      await page.waitForFunction(() => location.hash.includes("sort=name"));
      await page.waitForSelector('.table[aria-busy="false"]');
      const sorted = await names();
      assert.equal(sorted.length, features.length);
      assert.ok(sorted[0] < sorted.at(-1));
      await page.click(".table tbody tr:first-child th button");
      await page.waitForSelector(".card");
      assert.equal(await page.textContent(".card h2"), sorted[0]);
      await settled(page);
    }));

  it("filters by the ends of a slider, from the keyboard too", () =>
    at("indicator=coderre_share", async (page) => {
      const end = page.locator(".legend .range-slider input").first();
      await end.focus();
      for (let i = 0; i < 3; i += 1) await page.keyboard.press("PageUp");
      await page.waitForSelector(".matched:not(:empty)");
      await settled(page);
      const [, from] = /range=coderre_share:([\d.]+)\.\./.exec(await page.evaluate(() => location.hash)) ?? [];
      const { count } = await ask(
        `montreal/stats?property=coderre_share&level=district&filter=coderre_share%20%3E=%20${from}`,
      );
      assert.ok(count < 58);
      assert.match(await page.textContent(".matched"), new RegExp(`^${count} of 58`));
      // By the smallest step, too.
      const places = [Number(await end.inputValue())];
      for (let i = 0; i < 3; i += 1) {
        await page.keyboard.press("ArrowRight");
        await page.waitForTimeout(100);
        places.push(Number(await end.inputValue()));
      }
      assert.deepEqual(places, [0, 1, 2, 3].map((i) => places[0] + i));
    }));

  it("compares two indicators in two colours, beside a divider and on two maps", () =>
    at("indicator=coderre_share&second=joly_share", async (page) => {
      await page.waitForSelector(".squares span");
      await settled(page);
      const squares = await page
        .locator(".squares span")
        .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
      const seen = await pixels(page, await stage(page));
      const drawn = squares.filter((color) => seen.count(color, 4) > seen.size * 0.002);
      assert.ok(drawn.length >= 5, `${drawn.length} of 9 colours are on the map`);
      await keep(page, "compare-colours");

      await page.click("text=Divider");
      await page.waitForSelector(".divider");
      await settled(page);
      await keep(page, "compare-swipe");
      await page.focus(".divider");
      await page.keyboard.press("Home");
      await settled(page);
      const second = await pixels(page, await stage(page));
      await page.keyboard.press("End");
      await settled(page);
      const first = await pixels(page, await stage(page));
      const colors = await swatches(page);
      assert.ok(
        colors.some((color) => Math.abs(first.count(color, 4) - second.count(color, 4)) > first.size * 0.005),
        "the divider uncovers another map",
      );

      await page.click("text=Two maps");
      await page.waitForSelector(".side .canvas.second");
      await settled(page);
      await page.click('.controls [aria-label="Zoom in"]');
      await settled(page);
      await keep(page, "compare-side");
    }));

  it("hands out the rows and the picture", () =>
    at("indicator=coderre_share&filter=votes+%3E+8000", async (page) => {
      await page.click(".use summary");
      const csv = await (await fetch(await page.getAttribute(".downloads a", "href"))).text();
      const { count } = await ask("montreal/stats?property=votes&level=district&filter=votes%20%3E%208000");
      assert.equal(csv.trim().split("\n").length, count + 1);
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(".downloads .link")]);
      const { width, height } = PNG.sync.read(readFileSync(await download.path()));
      assert.ok(width > 1000 && height > 1000, `${width} × ${height}`);
    }));

  it("hands out a picture whose legend has all colours of two indicators", () =>
    at("indicator=coderre_share&second=joly_share", async (page) => {
      const squares = page.locator(".grid-legend .squares span");
      const colors = await squares.evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
      assert.equal(colors.length, 9);
      await page.click(".use summary");
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(".downloads .link")]);
      const { width, height, data } = PNG.sync.read(readFileSync(await download.path()));
      // The map ends at five sixths.
      const below = Math.round(height * 0.84);
      const legend = new Map();
      for (let at = below * width * 4; at < data.length; at += 4) {
        const color = `rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`;
        legend.set(color, (legend.get(color) ?? 0) + 1);
      }
      // Each is a square of 21 pixels on screen, twice as many in the picture.
      for (const color of new Set(colors)) assert.ok(legend.get(color) >= 42 * 42, `${color} is not in the legend`);
    }));

  for (const [template, state] of [
    ["choropleth", "indicator=coderre_share&method=quantile&classes=4&palette=berry&flip=1&filter=votes+%3E+3000"],
    ["choropleth", "indicator=winner"],
    ["bivariate", "indicator=coderre_share&second=joly_share"],
    ["priority", "indicator=score&score=margin:3,-votes:2&score-method=minmax&filter=votes+%3E+3000"],
  ]) {
    it(`names a style of what is shown: ${state}`, () =>
      at(state, async (page) => {
        await page.click(".use summary");
        const url = await page.inputValue(".address input");
        assert.match(url, new RegExp(`styles/${template}/style.json`));
        const style = await (await fetch(url)).json();
        assert.equal(style.version, 8, JSON.stringify(style));
        const [source] = Object.values(style.sources);
        const tile = await fetch(source.tiles[0].replace("{z}", 10).replace("{x}", 302).replace("{y}", 366));
        assert.equal(tile.status, 200);
        const query = new URL(source.tiles[0]).searchParams;
        const wanted = new URLSearchParams(state);
        for (const name of ["filter", "score", "score-method"]) assert.equal(query.get(name), wanted.get(name));
      }));
  }

  it("is usable from the keyboard", () =>
    at("indicator=winner&view=11.50/45.54000/-73.58000", async (page) => {
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "CANVAS");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".card");
    }));

  it("fits a phone", () =>
    at(
      "indicator=coderre_lead",
      async (page) => {
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.equal(overflow, 0);
        const { height } = await stage(page);
        assert.ok(height > 350, "the map has no room");
        await keep(page, "phone");
        await page.tap(".expand");
        await page.waitForSelector("#filter", { state: "visible" });
        await keep(page, "phone-open");
      },
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, locale: "fr-CA" },
    ));

  it("speaks the reader's language", () =>
    at(
      "",
      async (page) => {
        assert.equal(await page.textContent("h1"), "Montréal, élection à la mairie 2013");
        await page.click("text=English");
        assert.equal(await page.textContent("h1"), "Montréal, 2013 mayoral election");
        assert.equal(await page.getAttribute("html", "lang"), "en");
      },
      { locale: "fr-CA" },
    ));

  it("still gives the figures where there is no WebGL", async () => {
    const { page, faults, close } = await site.open();
    await page.addInitScript(() => {
      HTMLCanvasElement.prototype.getContext = () => null;
    });
    await page.goto(`${site.url}#indicator=coderre_share`);
    await page.waitForSelector(".notice");
    await page.waitForSelector(".classes .count");
    assert.equal(sum(await counts(page)), 19);
    faults.length = 0;
    await close();
  });
});

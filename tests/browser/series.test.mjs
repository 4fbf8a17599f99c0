/** Figures as drawings: one over several elections on a card, one over all areas in the legend. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { keep, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";
import { DEMO } from "./support/server.mjs";

// What is not of 2013 is made up; nobody voted in 2009 where few did in 2013.
const COLUMNS = `
    turnout_2005 = { sql = "sum(total) / 20000.0 + 0.05", unit = "share" }
    turnout_2009 = { sql = "case when sum(total) > 5000 then sum(total) / 20000.0 - 0.02 end", unit = "share" }
    turnout_2013 = { sql = "sum(total) / 20000.0", unit = "share" }
`;

function project(directory) {
  const head = "    [layer.indicators.columns]\n";
  const demo = readFileSync(DEMO, "utf8").replaceAll('path = "', `path = "${dirname(DEMO)}/`);
  const path = join(directory, "project.toml");
  writeFileSync(path, demo.replace(head, `${head}${COLUMNS}`));
  return path;
}

describe("a figure", { skip: unavailable }, () => {
  const site = demo(project);
  const { at } = site;
  const ask = async (path) => (await fetch(site.url + path)).json();

  it("of several elections is a line on the card, with a gap where it is missing", async () => {
    const list = (filter) => ask(`montreal/items?level=district&limit=1&filter=${encodeURIComponent(filter)}`);
    for (const [filter, known] of [
      ["turnout_2009 IS NOT NULL", 3],
      ["turnout_2009 IS NULL", 2],
    ]) {
      const [{ id, properties }] = (await list(filter)).features;
      const { series } = await ask(`montreal/items/${id}?level=district`);
      const [{ points }] = series;
      assert.deepEqual(
        points.map(({ time }) => time),
        ["2005", "2009", "2013"],
      );
      await at(`indicator=turnout_2013&area=district/${encodeURIComponent(properties.key)}`, async (page) => {
        const line = page.locator(".card .chosen .sparkline svg");
        await line.waitFor();
        const told = await line.getAttribute("aria-label");
        for (const { time, value } of points) {
          const text = value === null ? "no data" : `${(100 * value).toFixed(1)}\u202f%`;
          assert.ok(told.toLowerCase().includes(`${time} ${text}`), told);
        }
        const drawn = await line.locator("circle").evaluateAll((all) => all.map(({ cx, cy }) => [cx, cy].map((one) => one.baseVal.value)));
        assert.equal(drawn.length, known);
        const values = points.filter(({ value }) => value !== null).map(({ value }) => value);
        // Greater is higher, that is a smaller y; later is further right.
        const heights = drawn.map(([, y]) => -y);
        for (let i = 1; i < known; i++) {
          assert.ok(drawn[i][0] > drawn[i - 1][0]);
          assert.equal(heights[i] > heights[i - 1], values[i] > values[i - 1]);
        }
        const path = await line.locator("path").getAttribute("d");
        assert.equal(path.split("L").length - 1, known === 3 ? 2 : 0, `${path} is drawn over a gap`);
        await keep(page, `series-${known}`);
      });
    }
  });

  it("of all areas is a histogram in the legend, in the colours of the classes", () =>
    at("indicator=coderre_share", async (page) => {
      const { histogram } = await ask("montreal/stats?property=coderre_share&level=district&bins=40");
      const bars = await page.locator(".legend .histogram rect:has(title)").evaluateAll((all) =>
        all.map((one) => ({ height: one.height.baseVal.value, fill: one.getAttribute("fill") })),
      );
      assert.equal(
        histogram.counts.reduce((a, b) => a + b, 0),
        58,
      );
      assert.equal(bars.length, histogram.counts.length);
      const tallest = Math.max(...histogram.counts);
      const full = Math.max(...bars.map(({ height }) => height));
      for (const [i, count] of histogram.counts.entries()) {
        const height = count === 0 ? 0 : Math.max((count / tallest) * full, 1.5);
        assert.ok(Math.abs(bars[i].height - height) < 0.01, `bar ${i} of ${count}`);
      }
      const swatches = await page.locator(".classes .swatch").evaluateAll((all) => all.map((one) => one.style.background));
      assert.equal(new Set(bars.map(({ fill }) => fill)).size, swatches.length);
    }));
});

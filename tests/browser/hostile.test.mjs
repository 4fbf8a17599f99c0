/** Names, labels and attributions are data: whatever they say, no script runs and nobody else is asked. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { launch, open, PATIENCE, settled, unavailable } from "./support/browser.mjs";
import { serve } from "./support/server.mjs";

const PAYLOADS = [
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(2)</script>",
  "\"'><svg onload=alert(3)>",
  "javascript:alert(4)//<details open ontoggle=alert(4)>",
  "{{constructor.constructor('alert(5)')()}}\u2028<iframe src=//example.org>",
  "<style>@import 'http://example.org/x.css'</style>",
];

/** A row of squares, one for each payload, which is its name and its text value. */
function write(directory) {
  const features = PAYLOADS.map((name, i) => ({
    type: "Feature",
    properties: { code: `c${i}`, name },
    geometry: {
      type: "Polygon",
      coordinates: [
        [
          [i, 0],
          [i + 1, 0],
          [i + 1, 1],
          [i, 1],
          [i, 0],
        ],
      ],
    },
  }));
  writeFileSync(join(directory, "a.geojson"), JSON.stringify({ type: "FeatureCollection", features }));
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const rows = PAYLOADS.map((text, i) => `c${i},${i},${quoted(text)}`);
  writeFileSync(join(directory, "t.csv"), ["code,n,word", ...rows, ""].join("\n"));
  const toml = (text) => JSON.stringify(text).replaceAll("\u2028", "\\u2028");
  writeFileSync(
    join(directory, "maille.toml"),
    `[dataset]
name = "hostile"
title = { en = ${toml(PAYLOADS[0])} }
attribution = ${toml(PAYLOADS.join(" "))}

[[table]]
name = "t"
path = "t.csv"
delimiter = ","

[[layer]]
name = "areas"
title = { en = ${toml(PAYLOADS[1])} }
default_properties = ["word"]

  [[layer.level]]
  name = "area"
  title = { en = ${toml(PAYLOADS[2])} }
  polygons = { path = "a.geojson", crs = "EPSG:4326" }
  key = "code"
  label = "name"
  zooms = [0, 12]

  [[layer.indicators]]
  from = "t"
  key = "code"
  level = "area"
  source = ${toml(PAYLOADS[3])}
  vintage = ${toml(PAYLOADS[4])}
  licence = ${toml(PAYLOADS[5])}
    [layer.indicators.columns]
    word = { sql = "max(word)", label = { en = ${toml(PAYLOADS[0])} } }
    n = { sql = "sum(n)", unit = ${toml(PAYLOADS[0])}, label = { en = ${toml(PAYLOADS[2])} } }
`,
  );
  mkdirSync(join(directory, "maps"));
  writeFileSync(
    join(directory, "maps/map.toml"),
    `title = ${toml(PAYLOADS[1])}
text = ${toml(PAYLOADS[4])}
layer = "areas"
indicator = "word"
method = ${toml(PAYLOADS[3])}
sources = [${PAYLOADS.map(toml).join(", ")}]
`,
  );
  return join(directory, "maille.toml");
}

/** Tells, in a page, whatever ran that should not. */
const watch = (page) =>
  page.addInitScript(() => {
    globalThis.ran = [];
    globalThis.alert = (what) => globalThis.ran.push(what);
    addEventListener("securitypolicyviolation", (event) => globalThis.ran.push(event.violatedDirective));
  });

describe("hostile names", { skip: unavailable }, () => {
  let browser;
  let server;
  let directory;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "maille-hostile-"));
    const project = write(directory);
    [server, browser] = await Promise.all([serve(project, ["--maps", join(directory, "maps")]), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  for (const indicator of ["word", "n"]) {
    it(`are text and nothing else, by ${indicator}`, async () => {
      const { page, faults, close } = await open(browser, server.url);
      await watch(page);
      for (const [i, name] of PAYLOADS.entries()) {
        await page.goto("about:blank");
        await page.goto(`${server.url}#indicator=${indicator}&area=area/c${i}&view=5.50/0.50000/${i}.50000`);
        await settled(page);
        await page.waitForSelector(".card");
        assert.equal(await page.textContent(".card h2"), name);
        const { x, y, width, height } = await page.locator(".canvas").boundingBox();
        await page.mouse.move(x + width / 2, y + height / 2 - 2);
        await page.mouse.move(x + width / 2, y + height / 2);
        await page.waitForSelector(".hover");
        assert.equal(await page.textContent(".hover-name"), name);
        assert.deepEqual(await page.evaluate(() => globalThis.ran), []);
      }
      assert.equal(await page.textContent("h1"), PAYLOADS[0]);
      assert.equal(await page.textContent(".attribution"), PAYLOADS.join(" "));
      assert.equal(await page.locator("#app :is(iframe, img, style, details details, script)").count(), 0);
      assert.deepEqual(faults, []);
      await close();
    });
  }

  for (const path of ["map/map", "embed/map"]) {
    it(`are text and nothing else in ${path}`, async () => {
      const { page, faults, close } = await open(browser, server.url);
      await watch(page);
      await page.goto(server.url + path);
      await page.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: PATIENCE });
      assert.equal(await page.textContent("h1"), PAYLOADS[1]);
      assert.equal(await page.title(), PAYLOADS[1]);
      const footer = await page.textContent("footer");
      for (const payload of [...PAYLOADS, PAYLOADS[3]]) assert.ok(footer.includes(payload), payload);
      await page.click("#table summary");
      const cells = await page.locator("#table tbody tr").evaluateAll((rows) => rows.map((row) => row.textContent));
      assert.deepEqual(cells.sort(), PAYLOADS.map((payload) => payload + payload).sort());
      const { x, y, width, height } = await page.locator("#map").boundingBox();
      for (let i = 1; i < 12; i += 1) await page.mouse.move(x + (width * i) / 12, y + height / 2);
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.waitForSelector(".hover:not([hidden])");
      assert.ok(PAYLOADS.includes(await page.textContent(".hover b")));
      assert.equal(await page.locator("body :is(iframe, img, style, details details)").count(), 0);
      assert.deepEqual(await page.evaluate(() => globalThis.ran), []);
      assert.deepEqual(faults, []);
      await close();
    });
  }

  it("are letters in pictures", async () => {
    const { page, faults, close } = await open(browser, server.url);
    await watch(page);
    await page.goto(`${server.url}map/map.svg`);
    assert.equal(await page.locator("script, foreignObject, iframe, image, a").count(), 0);
    assert.ok((await page.textContent("svg")).includes("<script>alert(2)"));
    assert.deepEqual(await page.evaluate(() => globalThis.ran), []);
    // The browser looks for an icon beside a picture, and says that there is none.
    assert.ok(faults.every((fault) => fault.includes("404")));
    await close();
    const png = await fetch(`${server.url}map/map.png?width=400&height=300`);
    assert.equal(png.headers.get("content-type"), "image/png");
    assert.equal(png.headers.get("x-content-type-options"), "nosniff");
  });
});

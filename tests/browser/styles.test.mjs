/** The styles that the server makes, by the validator of the style specification. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { DEMO, serve } from "./support/server.mjs";

// The page's own copy: one version of the specification in the project.
const require = createRequire(new URL("../../tileserver/ui/package.json", import.meta.url));
const { validateStyleMin } = require("@maplibre/maplibre-gl-style-spec");

let server;
before(async () => {
  server = await serve(DEMO);
});
after(() => server?.stop());

const ADDRESSES = [
  "styles/choropleth/style.json",
  "styles/montreal/style.json?property=margin&method=jenks&k=6&palette=viridis",
  "styles/montreal/style.json?property=winner",
  "styles/montreal/style.json?property=coderre_lead&middle=0.1&flip=true",
  "styles/montreal/style.json?property=margin&breaks=0.1,0.2,0.5&filter=winner%20%3D%20%27M%C3%A9lanie%20Joly%27",
  "styles/montreal/style.json?property=margin&filter=margin%20%3E%209",
  "styles/bivariate/style.json?x=joly_share&y=bergeron_share&k=4",
  "styles/priority/style.json?score=-margin:3,votes:2",
];

for (const address of ADDRESSES) {
  test(`${address} is valid and needs no glyph server`, async () => {
    const response = await fetch(server.url + address);
    assert.equal(response.status, 200);
    const style = await response.json();
    assert.deepEqual(validateStyleMin(style), []);
    assert.equal(style.glyphs, undefined);
    const labels = style.layers.filter(({ type }) => type === "symbol");
    assert.deepEqual(labels.map(({ source }) => source), ["names"], "each area is labelled once");
    const [tiles] = style.sources.areas.tiles;
    const [west, south, east, north] = style.sources.areas.bounds;
    const n = 2 ** 9;
    const x = Math.floor((((west + east) / 2 + 180) / 360) * n);
    const y = Math.floor((0.5 - Math.asinh(Math.tan((((south + north) / 2) * Math.PI) / 180)) / (2 * Math.PI)) * n);
    const tile = await fetch(tiles.replace("{z}", 9).replace("{x}", x).replace("{y}", y));
    assert.ok(tile.status === 200 || tile.status === 204, `${tiles}: ${tile.status}`);
    assert.match(tile.headers.get("cache-control"), /immutable/);
  });
}

test("what is wrong is said", async () => {
  for (const [address, status, word] of [
    ["styles/nosuch/style.json", 404, "choropleth"],
    ["styles/montreal/style.json?property=nosuch", 400, "property"],
    ["styles/montreal/style.json?palette=nosuch", 400, "viridis"],
    ["styles/montreal/style.json?filter=nosuch%20%3D%201", 400, "filter"],
    ["styles/priority/style.json", 400, "score"],
    ["styles/bivariate/style.json?x=winner", 400, "numbers"],
  ]) {
    const response = await fetch(server.url + address);
    assert.equal(response.status, status, address);
    assert.match(await response.text(), new RegExp(word), address);
  }
});

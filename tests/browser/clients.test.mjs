/** Other people's map clients draw our tiles, from another origin, with filters that change. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { keep, launch, pixels, unavailable } from "./support/browser.mjs";
import { servePages } from "./support/pages.mjs";
import { DEMO, serve } from "./support/server.mjs";

const CLIENTS = ["maplibre", "openlayers", "ogctiles", "deckgl", "vectorgrid"];
const RED = "#cc0000";

describe("a map client", { skip: unavailable }, () => {
  let browser;
  let server;
  let pages;
  before(async () => {
    [server, pages, browser] = await Promise.all([serve(DEMO), servePages(CLIENTS), launch()]);
  });
  after(async () => {
    await browser?.close();
    pages?.stop();
    await server?.stop();
  });

  for (const client of CLIENTS) {
    it(`${client} draws the demo under any filter, ids unchanged`, async () => {
      const page = await browser.newPage({ viewport: { width: 800, height: 600 } });
      const faults = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("requestfailed", (request) => {
        if (request.failure()?.errorText !== "net::ERR_ABORTED") faults.push(request.url());
      });
      await page.goto(`${pages.url}${client}.html`);
      await page.waitForFunction(() => globalThis.client);

      const show = async (filter) => {
        const url = `${server.url}montreal/{z}/{x}/{y}.mvt?filter=${encodeURIComponent(filter)}`;
        const where = { layer: "montreal", center: [-73.62, 45.54], zoom: 10 };
        await page.evaluate(([url, where]) => globalThis.client.show(url, where), [url, where]);
        const seen = await pixels(page);
        return seen.count(RED) / seen.size;
      };
      const ids = async () => new Map(await page.evaluate(() => globalThis.client.features()));

      const all = await show("");
      assert.ok(all > 0.1, `${all} of the map is drawn`);
      await keep(page, `client-${client}`);
      const before = await ids();
      assert.ok(before.size > 30, `${before.size} areas`);

      const some = await show("votes > 8000");
      assert.ok(some > 0.01 && some < all * 0.8, `${some} of ${all} is drawn under the filter`);
      const under = await ids();
      assert.ok(under.size > 3 && under.size < before.size);
      for (const [key, id] of under) assert.equal(id, before.get(key), key);

      assert.ok(Math.abs((await show("")) - all) < 0.002, "the same map again");
      await page.evaluate(() => globalThis.client.move(11));
      for (const [key, id] of await ids()) assert.equal(id, before.get(key) ?? id, key);
      assert.deepEqual(faults, []);
      await page.close();
    });
  }
});

/** Tiles of another filter are shown when all are there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";
import { noteFrames } from "./support/frames.mjs";

const STATE = "indicator=coderre_share&view=12.00/45.54500/-73.61500";
const TILE = /\/montreal\/\d+\/\d+\/\d+\?/;

describe("tiles of another filter", { skip: unavailable }, () => {
  const site = demo();

  /** Opens the page; the first tile that is asked for under `late` comes when the gate is opened. */
  async function opened(late) {
    const { page, faults, close } = await site.open();
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    let held = 0;
    let came = 0;
    await page.route(TILE, async (route) => {
      const isLate = new URL(route.request().url()).searchParams.get("filter") === late;
      if (isLate && held++ === 0) await gate;
      await route.continue();
      if (isLate) came += 1;
    });
    await page.goto(`${site.url}#${STATE}`);
    await settled(page);
    const clip = await page.locator(".maps").boundingBox();
    const shot = async () => (await page.screenshot({ clip })).toString("base64");
    const filter = async (text) => {
      await page.fill("#filter", text);
      await page.press("#filter", "Enter");
    };
    /** Waits until no tile but the one at the gate is on its way. */
    const waiting = async () => {
      while (held < 2 || came < held - 1) await page.waitForTimeout(50);
      await page.waitForTimeout(500);
    };
    return { page, faults, close, release, shot, filter, waiting };
  }

  it("change nothing on screen before the last of them", async () => {
    const late = "coderre_share < 0.3";
    const { page, faults, close, release, shot, filter, waiting } = await opened(late);
    const all = await shot();
    await filter(late);
    await waiting();
    assert.ok((await shot()) === all, "some areas are of one filter, some of the other");
    assert.equal(await page.getAttribute(".stage", "aria-busy"), "true");
    release();
    await settled(page);
    assert.ok((await shot()) !== all, "the map shows no filter");
    assert.deepEqual(faults, []);
    await close();
  });

  it("are of the last filter, however late those of another one come", async () => {
    const [late, last] = ["coderre_share < 0.3", "coderre_share > 0.25"];
    const { page, close, release, shot, filter, waiting } = await opened(late);
    await filter(late);
    await waiting();
    await filter(last);
    await page.waitForTimeout(500);
    release();
    await settled(page);
    const drawn = await shot();
    await close();
    const fresh = await opened(late);
    await fresh.page.goto("about:blank");
    await fresh.page.goto(`${site.url}#${STATE}&filter=${encodeURIComponent(last)}`);
    await settled(fresh.page);
    assert.ok(drawn === (await fresh.shot()), "some areas are of a filter that is no more");
    assert.deepEqual(fresh.faults, []);
    await fresh.close();
  });

  it("are asked for once those of a move have come, of which none is left", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#${STATE}`);
    await settled(page);
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    const asked = [];
    await page.route(TILE, async (route) => {
      asked.push(new URL(route.request().url()).searchParams.get("filter"));
      if (asked.length === 1) await gate;
      await route.continue();
    });
    const view = "view=10.50/45.54500/-73.61500";
    await page.evaluate((hash) => (location.hash = hash), `indicator=coderre_share&${view}`);
    while (asked.length === 0) await page.waitForTimeout(50);
    await page.fill("#filter", "coderre_share < 0.3");
    await page.press("#filter", "Enter");
    await page.waitForTimeout(1500);
    assert.ok(asked.every((filter) => filter === null), "a tile of the move may come last");
    release();
    await page.waitForFunction(() => document.querySelector(".matched")?.textContent);
    await settled(page);
    assert.ok(asked.includes("coderre_share < 0.3"));
    const clip = await page.locator(".maps").boundingBox();
    const shot = async () => (await page.screenshot({ clip })).toString("base64");
    const drawn = await shot();
    await page.goto("about:blank");
    await page.goto(`${site.url}#indicator=coderre_share&${view}&filter=coderre_share+%3C+0.3`);
    await settled(page);
    assert.ok(drawn === (await shot()), "some areas are of no filter");
    assert.deepEqual(faults, []);
    await close();
  });

  it("are drawn once, with the names of what they leave", async () => {
    const { page, faults, close } = await site.open();
    await page.addInitScript(noteFrames);
    // Few areas, so that they have names.
    await page.goto(`${site.url}#indicator=coderre_share&view=13.50/45.54500/-73.61500`);
    await settled(page);
    // The page draws once or twice more while it rests, to compile what it runs.
    await page.waitForFunction(() => performance.now() - (globalThis.frames.at(-1) ?? 0) > 2500);
    for (const text of ["coderre_share < 0.3", "coderre_share > 0.25", ""]) {
      await page.evaluate(() => (globalThis.frames = []));
      await page.fill("#filter", text);
      await page.press("#filter", "Enter");
      await page.waitForTimeout(500);
      await settled(page);
      await page.waitForTimeout(500);
      assert.equal(await page.evaluate(() => globalThis.frames.length), 1, `filter ${text}`);
    }
    assert.deepEqual(faults, []);
    await close();
  });

  it("do not keep the map from moving", async () => {
    const late = "coderre_share < 0.3";
    const { page, close, release, shot, filter, waiting } = await opened(late);
    const all = await shot();
    await filter(late);
    await waiting();
    await page.focus(".maps canvas");
    await page.keyboard.press("ArrowLeft");
    await page.waitForTimeout(1500);
    assert.ok((await shot()) !== all, "the map does not move");
    release();
    await settled(page);
    await close();
  });
});

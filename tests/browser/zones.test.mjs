/** Cards and drawn zones: figures that anyone computes from the values. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keep, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("cards and zones", { skip: unavailable }, () => {
  const site = demo();

  const ask = async (path) => (await fetch(site.url + path)).json();
  const rows = async (level) =>
    (await ask(`montreal/items?level=${level}&limit=1000&geometry=false`)).features.map(({ properties }) => properties);
  const sum = (all, name) => all.reduce((total, one) => total + one[name], 0);
  const percent = (share) => `${(share * 100).toFixed(1)}\u202f%`;

  it("tell an area's place, and the figure of what holds it", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=coderre_share&area=district/111-Mile-End&view=11.50/45.53000/-73.60000`);
    await settled(page);
    await page.waitForSelector(".card .context");
    const [districts, boroughs] = [await rows("district"), await rows("borough")];
    const own = districts.find(({ key }) => key === "111-Mile-End").coderre_share;
    const rank = districts.filter(({ coderre_share: other }) => other > own).length + 1;
    const parent = boroughs.find(({ key }) => key === "11");
    const whole = sum(districts, "coderre") / sum(districts, "votes");
    assert.equal(
      await page.textContent(".card .chosen .context"),
      `${rank} of 58 · ${parent.name}: ${percent(parent.coderre_share)} · All areas: ${percent(whole)}`,
    );
    await keep(page, "card-places");
    assert.deepEqual(faults, []);
    await close();
  });

  it("recompute a zone from counts: a box of the view, without a pointer", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=coderre_share&view=9.00/45.55000/-73.70000`);
    await settled(page);
    await page.focus('.controls [aria-label="Draw a zone"]');
    await page.keyboard.press("Enter");
    await page.click("text=Use what the map shows");
    await page.waitForSelector(".card.zone .chosen");
    const districts = await rows("district");
    const whole = sum(districts, "coderre") / sum(districts, "votes");
    assert.equal(await page.textContent(".card.zone .chosen dd"), percent(whole));
    assert.match(await page.textContent(".card.zone .eyebrow"), /58/);
    await page.waitForFunction(() => location.hash.includes("zone="));
    await page.reload();
    await page.waitForSelector(".card.zone .chosen");
    assert.equal(await page.textContent(".card.zone .chosen dd"), percent(whole), "the address holds the zone");
    await page.click(".card.zone header .quiet");
    await page.waitForSelector(".card.zone", { state: "detached" });
    assert.deepEqual(faults, []);
    await close();
  });

  it("take a polygon by clicks, or by the cross in the middle of the map", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=votes&view=11.00/45.55000/-73.62000`);
    await settled(page);
    await page.click('.controls [aria-label="Draw a zone"]');
    for (const [x, y] of [
      [700, 260],
      [950, 300],
      [900, 520],
    ]) {
      await page.mouse.click(x, y);
    }
    await page.waitForSelector("text=3 corners");
    await page.focus(".canvas canvas");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=4 corners");
    await page.click("text=Undo");
    await page.waitForSelector("text=3 corners");
    await page.click(".drawbar >> text=Done");
    await page.waitForSelector(".card.zone .chosen");
    await page.waitForFunction(() => location.hash.includes("zone="));
    const [, text] = /zone=([^&]+)/.exec(await page.evaluate(() => location.hash));
    const ring = decodeURIComponent(text.replaceAll("+", " "))
      .split(" ")
      .map((corner) => corner.split(",").map(Number));
    assert.equal(ring.length, 3);
    const response = await fetch(`${site.url}montreal/zone?level=district`, {
      method: "POST",
      body: JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] }),
    });
    const { indicators } = await response.json();
    const votes = indicators.find(({ name }) => name === "votes").value;
    assert.equal(
      await page.textContent(".card.zone .chosen dd"),
      new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 }).format(votes),
    );
    await settled(page);
    await keep(page, "zone");
    assert.deepEqual(faults, []);
    await close();
  });
});

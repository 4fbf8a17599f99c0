/** Vote transfers beside the map: the page shows what the server says, doubts included. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, it } from "node:test";
import axe from "axe-core";
import { keep, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";
import { DEMO } from "./support/server.mjs";

const TRANSFERS = `
  [[layer.transfers]]
  name = "rounds"
  title = { fr = "D’un tour à l’autre", en = "From round to round" }
    [layer.transfers.first]
    from = "election"
    key = "case district when '112-DeLorimier' then '112-De Lorimier' else district end"
    columns = { coderre = "sum(Coderre)", all_others = "sum(total - Coderre)" }
    [layer.transfers.second]
    from = "second"
    key = "district"
    columns = { yes = "sum(yes)", no = "sum(no)" }

`;

/** The demo and a second ballot: of Coderre's votes nine in ten say yes, of the others three in ten. */
function project(directory) {
  const folder = dirname(DEMO);
  const lines = readFileSync(join(folder, "election.csv"), "utf8").trim().split("\n").slice(1);
  const second = lines.map((line) => {
    const [district, coderre, , , total] = line.split(",");
    const yes = Math.round(0.9 * coderre + 0.3 * (total - coderre));
    return [district.replace("112-DeL", "112-De L"), yes, total - yes - 5].join(",");
  });
  writeFileSync(join(directory, "second.csv"), ["district,yes,no", ...second].join("\n"));
  const demo = readFileSync(DEMO, "utf8").replaceAll('path = "', `path = "${folder}/`);
  const contacts = demo.indexOf("[[contacts]]");
  const table = '[[table]]\nname = "second"\npath = "second.csv"\n';
  const path = join(directory, "project.toml");
  writeFileSync(path, [demo.slice(0, contacts), TRANSFERS, table, demo.slice(contacts)].join("\n"));
  return path;
}

describe("vote transfers", { skip: unavailable }, () => {
  const site = demo(project);
  let found;
  before(async () => {
    found = await (await fetch(`${site.url}montreal/transfers`)).json();
  });

  const plain = (share, digits) => (100 * share).toFixed(digits);
  const percent = (share, digits = 1) => `${plain(share, digits)}\u202f%`;
  const number = (x) => new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(x);
  const cells = (page) => page.locator(".matrix tbody td");

  it("are told cell by cell as estimates, with interval, bounds and flags", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=winner&view=10.00/45.55000/-73.62000`);
    await settled(page);
    assert.equal(await page.locator(".pane").count(), 0);
    await page.click("text=From round to round");
    await page.waitForSelector('.pane[aria-busy="false"] table');
    await settled(page);
    assert.match(await page.evaluate(() => location.hash), /transfers=rounds/);
    assert.match(await page.textContent(".pane"), /Estimated from 58 areas.*100\.0\u202f% of the votes/s);
    assert.ok((await page.textContent(".notes")).includes("raking"), "the method is named");
    assert.equal(await page.locator(".pane header .tag").textContent(), "Estimate");
    assert.deepEqual(found.from.slice(0, 2), ["coderre", "all_others"]);
    assert.equal(await cells(page).count(), found.from.length * found.to.length);
    let flags = 0;
    for (const [i, from] of found.from.entries()) {
      const all = Object.values(found.matrix[from]).reduce((a, b) => a + b, 0);
      for (const [j, to] of found.to.entries()) {
        const cell = cells(page).nth(i * found.to.length + j);
        const estimate = await cell.locator(".estimate").textContent();
        assert.ok(estimate.startsWith(`≈ about ${percent(found.matrix[from][to] / all)}`), `${from} ${to}: ${estimate}`);
        const range = ([low, high], digits) => `${plain(low / all, digits)}–${percent(high / all, digits)}`;
        const interval = await cell.locator(".interval").textContent();
        assert.equal(interval, `5–95 % interval: ${range(found.interval_5_95[from][to], 1)}`);
        assert.equal(await cell.locator(".bounds").textContent(), `${range(found.bounds[from][to], 0)} possible`);
        flags += await cell.locator(".flag").count();
      }
    }
    assert.equal(flags, found.corners.length);
    const heads = await page.locator(".matrix thead th").allTextContents();
    const total = (to) => found.from.reduce((sum, from) => sum + found.matrix[from][to], 0);
    assert.deepEqual(
      heads.slice(0, 2),
      ["yes", "no"].map((to) => `Second ballot: ${to}${number(total(to))}`),
    );
    await page.click(".pane .segments label:last-of-type");
    await page.waitForFunction(() => !document.querySelector(".matrix .estimate").textContent.includes("%"));
    assert.ok((await cells(page).first().textContent()).includes(number(found.matrix.coderre.yes)));
    await keep(page, "transfers");
    assert.deepEqual(faults, []);
    await close();
  });

  it("are drawn as bands in proportion", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=winner&transfers=rounds`);
    await page.waitForSelector(".flows svg");
    assert.match(await page.getAttribute(".flows svg", "aria-label"), /coderre to yes, about [\d,]+/);
    assert.equal(await page.locator(".flows .band").count(), found.from.length * found.to.length);
    const bars = await page.locator(".flows rect").evaluateAll((all) => all.map((one) => Number(one.getAttribute("height"))));
    const votes = (from) => Object.values(found.matrix[from]).reduce((a, b) => a + b, 0);
    const scale = bars[0] / votes("coderre");
    assert.ok(Math.abs(bars[1] - scale * votes("all_others")) < 1e-6);
    // Pointing at a cell brings out its band.
    await cells(page).first().hover();
    assert.equal(await page.locator(".flows .band.pointed").count(), 1);
    assert.deepEqual(faults, []);
    await close();
  });

  it("go on the map and away with the keyboard alone", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=winner&view=10.00/45.55000/-73.62000`);
    await settled(page);
    const opener = page.locator(".openers button");
    await opener.focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".matrix button");
    await page.locator(".matrix button").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.includes("indicator=rounds_coderre_yes_share"));
    await settled(page);
    assert.equal(await page.locator(".matrix button").first().getAttribute("aria-pressed"), "true");
    assert.match(await page.textContent(".legend"), /\d\u202f%/);
    assert.match(await page.textContent(".sources"), /Estimated from 58 units/);
    await page.keyboard.press("Escape");
    await page.waitForSelector(".pane", { state: "detached" });
    assert.ok(await opener.evaluate((one) => one === document.activeElement));
    assert.deepEqual(faults, []);
    await close();
  });

  for (const [name, state, options] of [
    ["light", "transfers=rounds", {}],
    ["dark, in French", "transfers=rounds&theme=dark&lang=fr&table=1", {}],
    ["on a phone", "transfers=rounds", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ]) {
    it(`have no serious finding ${name}`, async () => {
      const { page, faults, close } = await site.open({ ...options, bypassCSP: true });
      await page.goto(`${site.url}#indicator=winner&${state}`);
      await page.waitForSelector(".matrix");
      await settled(page);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), []);
      await keep(page, `transfers ${name}`);
      assert.deepEqual(faults, []);
      await close();
    });
  }
});

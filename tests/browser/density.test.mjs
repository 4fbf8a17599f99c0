/** Contacts over the areas: for staff with their key, for everybody from a release. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import axe from "axe-core";
import { keep, launch, open, pixels, settled, unavailable } from "./support/browser.mjs";
import { BINARIES, DEMO, serve } from "./support/server.mjs";

const require = createRequire(new URL("../../tileserver/ui/package.json", import.meta.url));
const { validateStyleMin } = require("@maplibre/maplibre-gl-style-spec");

describe("contacts", () => {
  let browser;
  let server;
  let directory;
  let key;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "maille-contacts-"));
    const keys = join(directory, "keys.toml");
    const add = ["keys", "add", "--keys", keys, "--tenant", "demo", "--role", "inside", "--name", "test"];
    key = execFileSync(join(BINARIES, "tileserver"), add, { encoding: "utf8" }).trim();
    [server, browser] = await Promise.all([serve(DEMO, ["--keys", keys]), unavailable ? null : launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  const inside = async (path) => (await fetch(server.url + path, { headers: { authorization: `Bearer ${key}` } })).json();

  it("have a style that follows what the server knows of each zoom", async () => {
    assert.equal((await fetch(`${server.url}styles/density/style.json`)).status, 404);
    const filter = encodeURIComponent("support = '1'");
    const style = await inside(`styles/density/style.json?set=supporters&filter=${filter}`);
    assert.deepEqual(validateStyleMin(style), []);
    const described = await inside(`density/supporters?filter=${filter}`);
    assert.deepEqual(style.sources.contacts.tiles, described.tiles);
    const { paint } = style.layers.find(({ type }) => type === "heatmap");
    const [, , , ...stops] = paint["heatmap-intensity"];
    const { ranges } = described.maille;
    assert.deepEqual(stops.filter((_, i) => i % 2 === 0), Object.keys(ranges).map(Number));
    for (let i = 0; i < stops.length; i += 2) {
      const cell = stops[i + 1] * ranges[stops[i]][1];
      assert.ok(Math.abs(cell - stops[1] * ranges[0][1]) < 1e-9, "the densest cell is drawn alike at every zoom");
    }
    assert.equal((await fetch(`${server.url}density/supporters`)).status, 404, "the public sees none of it");
    const read = readFileSync(join(directory, "keys.toml.audit.jsonl"), "utf8");
    assert.match(read, /supporters/, "the read is noted");
  });

  const chips = (page) => page.locator(".dimension .chips button");

  it("show after a key is given, under a filter of their own", { skip: unavailable }, async () => {
    const { page, faults, close } = await open(browser, server.url, { bypassCSP: true });
    const sent = [];
    page.on("request", (request) => sent.push([request.url(), request.headers().authorization]));
    await page.goto(`${server.url}#indicator=winner`);
    await settled(page);
    assert.equal(await page.locator(".density").count(), 0);
    await page.click(".access summary");
    await page.fill("#key", "maille_wrong");
    await page.click(".access button[type=submit]");
    await page.waitForSelector(".access .problem");
    assert.ok(faults.splice(0).every((fault) => fault.includes("401")));
    await page.fill("#key", key);
    await page.keyboard.press("Enter");
    assert.equal(await page.textContent('.density option[value="supporters"]'), "Supporters (fictional)");
    await page.selectOption(".density select", "supporters");
    await page.waitForSelector(".density [role=status]");
    await settled(page);
    assert.match(await page.textContent(".density [role=status]"), /19,681 contacts/);
    const clip = await page.locator(".maps").boundingBox();
    const all = (await pixels(page, clip)).count("#c7472f", 60);
    assert.ok(all > 500, `${all} hot pixels`);
    await keep(page, "contacts");

    await chips(page).filter({ hasText: "18-29" }).click();
    await chips(page).filter({ hasText: "web" }).click();
    const filter = "age = '18-29' AND channel = 'web'";
    const { maille } = await inside(`density/supporters?filter=${encodeURIComponent(filter)}`);
    const told = new Intl.NumberFormat("en").format(maille.matched);
    await page.waitForFunction((told) => document.querySelector(".density [role=status]").textContent.startsWith(`${told} `), told);
    await page.fill("#contacts-filter", "nosuch = 1");
    await page.waitForSelector(".density .problem");
    assert.match(await page.textContent(".density .problem"), /nosuch/);
    await page.click(".density .clear");
    await page.waitForSelector(".density .problem", { state: "detached" });
    assert.ok(faults.splice(0).every((fault) => fault.includes("400")));

    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), []);

    // The key is nowhere but in its header.
    assert.ok(sent.some(([url, authorization]) => /density\/supporters\/\d/.test(url) && authorization === `Bearer ${key}`));
    assert.ok(sent.every(([url]) => !url.includes(key)));
    assert.ok(!(await page.evaluate(() => location.href)).includes(key));
    await page.click("text=Forget the key");
    await page.waitForSelector(".density", { state: "detached" });
    await settled(page);
    assert.equal((await pixels(page, clip)).count("#330b3d", 20), 0);
    assert.deepEqual(faults, []);
    await close();
  });

  const number = (x, digits = 0) =>
    new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(x);

  it("are told by what their areas are like, to staff", { skip: unavailable }, async () => {
    const { page, faults, close } = await open(browser, server.url, { bypassCSP: true });
    await page.addInitScript((key) => sessionStorage.setItem("maille-key", key), key);
    const view = "indicator=coderre_share&view=10.00/45.55000/-73.62000";
    await page.goto(`${server.url}#${view}&density=supporters&contacts=support:1`);
    await settled(page);
    await page.click("#profile-opener");
    await page.waitForSelector('.pane[aria-busy="false"] .bars');
    await settled(page);
    const { maille } = await inside("montreal");
    const rates = maille.indicators.filter(({ unit }) => unit !== "count").map(({ name }) => name);
    const filter = encodeURIComponent("support = '1'");
    const asked = `contacts=supporters&contacts-filter=${filter}&properties=${rates.join(",")}`;
    const found = await inside(`montreal/profile?level=district&limit=10&${asked}`);
    assert.match(await page.textContent(".pane [role=status]"), new RegExp(`^${number(found.contacts.in_areas)} contacts`));
    const rows = await page.locator(".pane .bars").first().locator("tbody tr").evaluateAll((all) =>
      all.map((row) => [...row.cells].map((cell) => cell.textContent)),
    );
    assert.equal(rows.length, found.indicators.reduce((sum, { classes = [] }) => sum + 1 + classes.length, 0));
    const signed = (x) => `${x < 0 ? "−" : "+"}${number(Math.abs(x), 2)}`;
    for (const { name, label, index, std_diff, noteworthy } of found.indicators) {
      const [, told, difference] = rows.find(([head]) => head.startsWith(label.en));
      const negative = maille.indicators.find((one) => one.name === name).levels.district.min < 0;
      assert.equal(told, index === undefined || negative ? "–" : number(index), name);
      assert.equal(difference, std_diff === undefined ? "–" : signed(std_diff) + (noteworthy ? ", noteworthy" : ""));
    }
    // The farthest bar reaches its edge; a bar lies on the side of its value.
    const bars = await page.locator(".pane .bar i").evaluateAll((all) =>
      all.map((one) => [Number.parseFloat(one.style.left), Number.parseFloat(one.style.width)]),
    );
    assert.ok(bars.some(([left, width]) => left === 0 || Math.abs(left + width - 100) < 1e-6));
    assert.ok(bars.every(([left, width]) => left === 50 || Math.abs(left + width - 50) < 1e-4));
    const areas = page.locator(".pane .areas").first().locator("li");
    assert.deepEqual(
      (await areas.allTextContents()).map((text) => text.trim()),
      found.quotients.map(({ name, quotient }) => `${name} ${number(quotient, 2)} times the average`),
    );
    await page.evaluate(axe.source);
    for (const theme of ["light", "dark"]) {
      await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), [], theme);
    }
    await keep(page, "profile");
    await page.locator(".pane .segments label").last().click();
    await areas.first().locator("button").click();
    await page.waitForSelector(".card");
    assert.equal(await page.textContent(".card h2"), found.quotients[0].name);
    assert.deepEqual(faults, []);

    // Under a filter of areas: the contacts of those that pass.
    await page.fill("#filter", "votes > 3000");
    const passing = await inside(`montreal/profile?level=district&limit=10&${asked}&filter=${encodeURIComponent("votes > 3000")}`);
    const [{ contacts }] = passing.indicators;
    assert.ok(contacts < found.contacts.in_areas);
    const told = `${number(contacts)} contacts in ${passing.areas} areas, against ${number(passing.electors)} electors`;
    await page.waitForFunction(
      (told) => document.querySelector(".pane [role=status]")?.textContent.startsWith(told),
      told,
    );
    await page.fill("#filter", "");
    await settled(page);

    // Too few: what the server says against it.
    const few = "age = '60+' AND channel = 'web' AND support = '1'";
    await page.fill("#contacts-filter", few);
    await page.waitForSelector(".pane .problem");
    assert.match(await page.textContent(".pane .problem"), /\d+ contacts in these areas are too few for a profile: 200 at least/);
    assert.equal(await page.locator(".pane .bars").count(), 0);
    assert.ok(faults.splice(0).every((fault) => fault.includes("400")));
    await page.click(".access summary");
    await page.click("text=Forget the key");
    await page.waitForSelector(".pane", { state: "detached" });
    await settled(page);
    assert.deepEqual(faults, []);
    await close();
  });

  it("show to everybody from a release", { skip: unavailable }, async () => {
    const release = ["release", DEMO, "--out", server.dataset, "--contacts", "supporters"];
    execFileSync(join(BINARIES, "precompute"), release, { stdio: "pipe" });
    const { page, faults, close } = await open(browser, server.url);
    await page.goto(`${server.url}#indicator=winner&density=supporters&contacts=support:1&profile=1`);
    await page.waitForSelector(".density [role=status]");
    await settled(page);
    assert.equal(await page.locator(".pane, #profile-opener").count(), 0, "a release has no profile");
    assert.match(await page.textContent(".density [role=status]"), /About [\d,]+ contacts.*noise.*0\.5/);
    assert.deepEqual(await chips(page).allTextContents(), ["1", "2", "3", "4", "5"]);
    assert.equal(await chips(page).first().getAttribute("aria-pressed"), "true");
    // All of them: of one class noise may leave little to see.
    const before = await page.textContent(".density [role=status]");
    await chips(page).first().click();
    await page.waitForFunction((told) => document.querySelector(".density [role=status]").textContent !== told, before);
    await settled(page);
    const clip = await page.locator(".maps").boundingBox();
    await keep(page, "contacts-public");
    assert.ok((await pixels(page, clip)).count("#c7472f", 60) > 200);
    assert.deepEqual(faults, []);
    await close();
  });
});

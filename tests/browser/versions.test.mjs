/** A new version of the dataset reaches an open page. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { launch, open, settled, unavailable } from "./support/browser.mjs";
import { DEMO, serve } from "./support/server.mjs";

describe("a new version", { skip: unavailable }, () => {
  let browser;
  let server;
  let directory;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "maille-version-"));
    cpSync(dirname(DEMO), directory, { recursive: true });
    [server, browser] = await Promise.all([serve(join(directory, "maille.toml")), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  it("shows within seconds, on the same map, without a reload", async () => {
    const { page, faults, close } = await open(browser, server.url);
    await page.goto(`${server.url}#indicator=coderre&area=district/111-Mile-End`);
    await settled(page);
    await page.waitForSelector(".card");
    await page.evaluate(() => (globalThis.canvas = document.querySelector("canvas")));

    const table = join(directory, "election.csv");
    writeFileSync(table, readFileSync(table, "utf8").replace("111-Mile-End,1734", "111-Mile-End,7000"));
    server.publish();
    const published = Date.now();
    await page.waitForFunction(
      () => document.querySelector(".figures dd:last-child") && document.body.innerText.includes("7,000"),
    );
    assert.ok(Date.now() - published < 12_000, "the page asks every four seconds");
    await settled(page);
    assert.match(await page.textContent(".card .chosen dd"), /7,000/);
    assert.ok(await page.evaluate(() => globalThis.canvas === document.querySelector("canvas")));
    assert.deepEqual(faults, []);
    await close();
  });
});

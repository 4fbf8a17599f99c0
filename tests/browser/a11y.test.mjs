/** axe-core over every state of the page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import { settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe("accessibility", { skip: unavailable }, () => {
  const site = demo();

  const AREA = "area=district/111-Mile-End";
  const STATES = {
    "as it opens": ["", {}],
    "dark, with a card": [`indicator=coderre_lead&theme=dark&${AREA}`, {}],
    "filtered, with a card": [`indicator=margin&filter=votes+%3E+3000&${AREA}`, {}],
    "comparing, with a table": ["indicator=coderre_share&second=votes&table=1", {}],
    "beside a divider": ["indicator=coderre_share&second=votes&comparison=swipe&range=joly_share:0.2..", {}],
    "with a zone": ["indicator=votes&zone=-73.7,45.5+-73.5,45.5+-73.6,45.6&view=10.00/45.55000/-73.62000", {}],
    "with priorities": [`indicator=score&score=coderre_share:3,-votes:7&${AREA}`, {}],
    "with priorities, dark, in French": ["indicator=score&score=margin&table=1&theme=dark&lang=fr", {}],
    "with priorities, on a phone": [
      "indicator=score&score=margin:2,-joly_share:4",
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    ],
    "on a phone": [
      "indicator=coderre_share",
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    ],
  };

  for (const [name, [state, options]] of Object.entries(STATES)) {
    it(`has no serious finding ${name}`, async () => {
      const { page, close } = await site.open({ ...options, bypassCSP: true });
      await page.goto(`${site.url}#${state}`);
      await settled(page);
      for (const summary of await page.locator("summary:visible").all()) await summary.click();
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const findings = violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
      assert.deepEqual(findings, []);
      await close();
    });
  }
});

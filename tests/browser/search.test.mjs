/** Finding an area by its name. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("the search", { skip: unavailable }, () => {
  const site = demo();

  async function at(body) {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#indicator=winner`);
    await settled(page);
    await page.focus(".search input");
    await body(page);
    assert.deepEqual(faults, []);
    await close();
  }

  it("chooses among the areas of what is written, however quick the reader", () =>
    at(async (page) => {
      await page.keyboard.type("ma");
      await page.waitForSelector(".search li");
      const first = await page.textContent(".search li span");
      await page.keyboard.type("isonneuve", { delay: 10 });
      await page.keyboard.press("Enter");
      await page.waitForSelector(".card");
      const name = await page.textContent(".card h2");
      assert.match(name, /Maisonneuve/);
      assert.notEqual(first, name, "an earlier list has another area first");
      await settled(page);
    }));

  it("shows its list while it has the focus", () =>
    at(async (page) => {
      await page.keyboard.type("ma");
      await page.waitForSelector(".search li");
      await page.keyboard.press("Tab");
      await page.waitForSelector(".search ul", { state: "detached" });
      assert.equal(await page.inputValue(".search input"), "ma");
      await page.focus(".search input");
      await page.waitForSelector(".search li");
    }));
});

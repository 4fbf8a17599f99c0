/** What the reader chooses of colours and comparisons, and takes along. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keep, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("choices", { skip: unavailable }, () => {
  const { at } = demo();

  const swatches = (page) =>
    page.locator(".classes .swatch").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));

  it("of a comparison are those that the map shows", () =>
    at("indicator=coderre_share&second=winner&comparison=colours", async (page) => {
      assert.equal(await page.textContent("input[name=comparison]:checked + span"), "Divider");
      assert.ok(await page.isDisabled("input[name=comparison] >> nth=0"));
      await page.selectOption("#second", "joly_share");
      await page.waitForSelector(".squares");
      await page.selectOption("#indicator", "joly_share");
      await page.waitForFunction(() => document.querySelector("#second").value === "coderre_share");
      await settled(page);
      await page.waitForFunction(() => /indicator=joly_share&second=coderre_share/.test(location.hash));
    }));

  it("of one indicator twice are no comparison", () =>
    at("indicator=margin&second=margin", async (page) => {
      assert.equal(await page.inputValue("#second"), "");
      assert.equal(await page.locator(".squares, input[name=comparison]").count(), 0);
    }));

  it("of a middle turn the palette there, in the unit of the indicator", () =>
    at("indicator=coderre_share&palette=red-blue", async (page) => {
      const before = await swatches(page);
      await page.fill("#middle", "60");
      await page.keyboard.press("Tab");
      await page.waitForFunction(() => location.hash.includes("middle=0.6"));
      const after = await swatches(page);
      assert.notDeepEqual(after, before);
      await page.click(".use summary");
      assert.match(await page.inputValue(".address input"), /middle=0\.6/);
      const style = await (await fetch(await page.inputValue(".address input"))).json();
      assert.equal(style.version, 8);
      await settled(page);
      await page.reload();
      await settled(page);
      assert.equal(await page.inputValue("#middle"), "60");
      assert.deepEqual(await swatches(page), after);
      await page.selectOption("#indicator", "joly_share");
      await page.waitForFunction(() => !location.hash.includes("middle"));
      await settled(page);
    }));

  it("of an order are those of the file too", () =>
    at("indicator=margin&table=1&sort=name&filter=votes+%3E+3000", async (page) => {
      await page.waitForSelector(".table tbody tr");
      await page.click(".use summary");
      const csv = await (await fetch(await page.getAttribute(".downloads a", "href"))).text();
      const names = await page.locator(".table tbody th").allTextContents();
      const [head, ...lines] = csv.trim().split(/\r?\n/);
      const column = head.split(",").indexOf("name");
      assert.deepEqual(
        lines.slice(0, 10).map((line) => line.split(",")[column]),
        names.slice(0, 10),
      );
    }));

  it("of an address can be copied without a clipboard", () =>
    at("indicator=margin", async (page) => {
      await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
      await page.click(".use summary");
      await page.locator(".address button").first().click();
      await page.waitForSelector(".address button >> text=Copied");
      const selected = await page.evaluate(() => getSelection().toString());
      assert.equal(selected, await page.locator(".address input").first().inputValue());
    }));

  it("keep the colours of the data where the system sets all others", () =>
    at(
      "indicator=coderre_share&second=votes&comparison=side&score=margin:8,-votes:5",
      async (page) => {
        const drawn = await swatches(page);
        assert.equal(new Set(drawn).size, 5);
        const images = await page.locator(".ramp").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundImage));
        assert.ok(images.every((image) => image.includes("gradient")));
        const [chosen, other] = await page
          .locator(".comparison .segments span")
          .evaluateAll((all) => [all.at(-1), all[0]].map((one) => getComputedStyle(one).backgroundColor));
        assert.notEqual(chosen, other);
        await keep(page, "forced-colors");
      },
      { forcedColors: "active" },
    ));
});

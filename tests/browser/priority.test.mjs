/** Priority zones: what the page shows is what anyone computes from the values. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keep, pixels, settled, unavailable } from "./support/browser.mjs";
import { demo } from "./support/demo.mjs";

describe("priority zones", { skip: unavailable }, () => {
  const site = demo();

  const VIEW = "view=10.40/45.55000/-73.65000";

  /** Every district and its values. */
  async function districts() {
    const { features } = await (await fetch(`${site.url}montreal/items?level=district&limit=1000&geometry=false`)).json();
    return features.map(({ properties }) => properties);
  }

  /** Weighted mean of mid-rank percentiles, in points: by counting. */
  function scores(areas, criteria) {
    const total = criteria.reduce((sum, { weight }) => sum + weight, 0);
    return areas.map((area) => {
      const points = criteria.map(({ name, weight, low }) => {
        const better = areas.filter((one) => (low ? one[name] > area[name] : one[name] < area[name])).length;
        const equal = areas.filter((one) => one[name] === area[name]).length - 1;
        return (1000 * weight * (better + equal / 2)) / (areas.length - 1) / total;
      });
      return { name: area.name, key: area.key, score: points.reduce((a, b) => a + b, 0) };
    });
  }

  const listed = (page) =>
    page.locator(".ranking li").evaluateAll((rows) =>
      rows.map((row) => ({
        rank: Number(row.querySelector(".place").textContent),
        name: row.querySelector(".name").textContent,
        score: Number(row.querySelector(".figure").textContent),
      })),
    );

  function agree(rows, expected) {
    const ranked = [...expected].sort((a, b) => b.score - a.score);
    assert.equal(rows.length, 10);
    for (const { name, rank, score } of rows) {
      const mine = ranked.find((one) => one.name === name);
      assert.ok(Math.abs(score - mine.score) <= 0.5 + 1e-9, `${name}: ${score}, not ${mine.score}`);
      assert.ok(Math.abs(score - ranked[rank - 1].score) <= 0.5 + 1e-9, `${name} is not at ${rank}`);
    }
  }

  it("are chosen in the panel, by keyboard too, and ranked as the values say", async () => {
    const { page, faults, close } = await site.open();
    await page.goto(`${site.url}#${VIEW}`);
    await settled(page);
    const add = page.locator('.priority select[aria-label="Add a criterion"]');
    await add.selectOption("margin");
    await add.selectOption("votes");
    await page.selectOption('.criterion:has-text("Votes") select', "low");
    const weight = page.locator('.criterion:has-text("Margin") input');
    await weight.focus();
    for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => /score=margin:8,-votes:5/.test(location.hash));
    await settled(page);
    await page.waitForSelector('.ranking[aria-busy="false"] li');
    assert.equal(await page.inputValue("#indicator"), "score");
    const criteria = [
      { name: "margin", weight: 8, low: false },
      { name: "votes", weight: 5, low: true },
    ];
    const areas = await districts();
    agree(await listed(page), scores(areas, criteria));

    const clip = await page.locator(".maps").boundingBox();
    const seen = await pixels(page, clip);
    const colors = await page
      .locator(".classes .swatch")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
    assert.equal(colors.length, 5);
    for (const color of colors) assert.ok(seen.count(color, 4) > seen.size * 0.003, `${color} is not on the map`);
    await keep(page, "priority");
    const beyond = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    assert.equal(beyond, 0, "only the panel scrolls");

    await page.selectOption("#scoring", "topsis");
    await page.waitForFunction(() => location.hash.includes("score-method=topsis"));
    await settled(page);
    await page.waitForSelector('.ranking[aria-busy="false"] li');
    const { features } = await (
      await fetch(
        `${site.url}montreal/items?level=district&score=margin:8,-votes:5&score-method=topsis&sortby=-score&limit=10`,
      )
    ).json();
    assert.deepEqual(
      (await listed(page)).map(({ name }) => name),
      features.map(({ properties }) => properties.name),
    );

    // Without criteria there is no score, and the page is as it was.
    await page.click('.criterion:has-text("Margin") .quiet');
    await page.click('.criterion:has-text("Votes") .quiet');
    await page.waitForSelector(".ranking", { state: "detached" });
    await settled(page);
    assert.equal(await page.inputValue("#indicator"), "winner");
    assert.deepEqual(faults, []);
    await close();
  });

  it("are the same in the list, under the pointer, in the table and in files, under a filter", async () => {
    const { page, faults, close } = await site.open();
    const state = `indicator=score&filter=votes+%3E+6000&score=coderre_share:2,-margin:3&table=1&${VIEW}`;
    await page.goto(`${site.url}#${state}`);
    await settled(page);
    await page.waitForSelector('.ranking[aria-busy="false"] li');
    const areas = (await districts()).filter(({ votes }) => votes > 6000);
    const expected = scores(areas, [
      { name: "coderre_share", weight: 2, low: false },
      { name: "margin", weight: 3, low: true },
    ]);
    const rows = await listed(page);
    agree(rows, expected);
    assert.match(await page.textContent(".ranking .note"), new RegExp(`^${areas.length} `));
    await page.waitForSelector('.table[aria-busy="false"] tbody tr');
    const table = await page
      .locator(".table tbody tr")
      .evaluateAll((all) => all.slice(0, 10).map((row) => row.querySelector("th").textContent));
    assert.deepEqual(
      table,
      rows.map(({ name }) => name),
    );

    await page.click(".use summary");
    const csv = await (await fetch(await page.getAttribute(".downloads a", "href"))).text();
    const [head, ...lines] = csv.trim().split("\r\n");
    const [name, score] = ["name", "score"].map((column) => head.split(",").indexOf(column));
    assert.equal(lines.length, areas.length);
    for (const [i, { name: wanted, score: points }] of rows.entries()) {
      const cells = lines[i].split(",");
      assert.deepEqual([cells[name], Number(cells[score])], [wanted, points]);
    }
    const sheet = await (await fetch(await page.getAttribute(".downloads a:nth-of-type(2)", "href"))).text();
    assert.ok(sheet.startsWith("key;name;"), "a dialect for spreadsheets");

    await page.click(`.ranking li:first-child button`);
    await page.waitForSelector(".card");
    await settled(page);
    assert.equal(await page.textContent(".card h2"), rows[0].name);
    const { x, y, width, height } = await page.locator(".maps").boundingBox();
    await page.mouse.move(x + width / 2 - 3, y + height / 2);
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.waitForSelector(".hover");
    const over = expected.find((one) => one.name.trim() === rows[0].name);
    assert.equal(await page.textContent(".hover-name"), over.name);
    assert.equal(Number(await page.textContent(".hover-value .figure")), rows[0].score);
    assert.match(await page.textContent(".hover-label"), /# 1$/);
    assert.deepEqual(faults, []);
    await close();
  });
});

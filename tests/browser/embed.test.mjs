/** Published maps in other people's pages. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import axe from "axe-core";
import { keep, launch, open, PATIENCE, pixels, unavailable } from "./support/browser.mjs";
import { BINARIES, DEMO, serve } from "./support/server.mjs";

/** Compressed, with the library: what an embed may weigh. */
const BYTES_MAX = 350 * 1024;

const MAP = `title = "Margin </script><script>alert(1)</script>"
text = "How far the first candidate was <img src=x onerror=alert(2)> ahead"
layer = "montreal"
indicator = "margin"
sources = ["Ville de Montréal"]
[classes]
method = "jenks"
palette = "viridis"
`;

describe("an embedded map", { skip: unavailable }, () => {
  let browser;
  let server;
  let directory;
  let parent;
  let parentUrl;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "maille-embed-"));
    cpSync(dirname(DEMO), directory, { recursive: true });
    mkdirSync(join(directory, "maps"), { recursive: true });
    writeFileSync(join(directory, "maps/margin.toml"), MAP);
    const flags = ["--maps", join(directory, "maps")];
    [server, browser] = await Promise.all([serve(join(directory, "maille.toml"), flags), launch()]);
    const pym = readFileSync(new URL("node_modules/pym.js/dist/pym.v1.js", import.meta.url));
    const oembed = await (
      await fetch(`${server.url}oembed?url=${encodeURIComponent(`${server.url}map/margin`)}`)
    ).json();
    const pages = {
      "/pym.js": pym,
      "/snippet": `<!doctype html><body>${oembed.html}</body>`,
      "/pym": `<!doctype html><body><div id="p"></div><script src="/pym.js"></script><script>new pym.Parent("p", "${server.url}embed/margin")</script></body>`,
      "/listen": `<!doctype html><body><script>heard=[];addEventListener("message",e=>heard.push(e.data))</script><iframe src="${server.url}embed/margin" width="600" height="300"></iframe></body>`,
    };
    parent = createServer((request, response) => {
      const page = pages[request.url.split("?")[0]];
      response.writeHead(page ? 200 : 404, { "content-type": request.url === "/pym.js" ? "text/javascript" : "text/html" });
      response.end(page);
    });
    await new Promise((resolve) => parent.listen(0, "127.0.0.1", resolve));
    parentUrl = `http://127.0.0.1:${parent.address().port}`;
  });
  after(async () => {
    await browser?.close();
    parent?.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  const ready = (frame) => frame.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: PATIENCE });

  it("draws its classes, weighs little, runs no data and asks nobody else", async () => {
    const { page, faults, close } = await open(browser, server.url);
    const requests = [];
    page.on("requestfinished", (request) => requests.push(request));
    await page.goto(`${server.url}embed/margin`);
    await ready(page);
    const box = await (await page.$("#map")).boundingBox();
    const drawn = await pixels(page, box);
    const swatches = await page.$$eval(".swatch", (all) => all.map((one) => one.style.background));
    assert.equal(swatches.length, 5);
    for (const color of swatches) assert.ok(drawn.count(color) > 100, `${color}: ${drawn.count(color)} pixels`);
    let bytes = 0;
    for (const request of requests) {
      if (!/\/assets\/|\/embed\//.test(request.url())) continue;
      bytes += (await request.sizes()).responseBodySize;
    }
    console.log(`an embed with its library: ${Math.round(bytes / 1024)} kB`);
    assert.ok(bytes > 100_000 && bytes <= BYTES_MAX, `${bytes} bytes`);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await keep(page, "embed");
    assert.deepEqual(faults, []);
    await close();
  });

  const LIGHT = "#f5f4f0";
  const DARK = "#16181c";

  for (const colorScheme of ["light", "dark"]) {
    for (const path of ["map/margin?lang=fr", "embed/margin"]) {
      it(`has no serious fault for readers with other means, at ${path}, ${colorScheme}`, async () => {
        const { page, close } = await open(browser, server.url, { colorScheme });
        await page.goto(server.url + path);
        await ready(page);
        for (const summary of await page.locator("summary").all()) await summary.click();
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), []);
        await keep(page, `published ${path.slice(0, 3)} ${colorScheme}`);
        await close();
      });
    }
  }

  it("is light or dark as its reader prefers, unless it is told; its colours stay the legend's", async () => {
    const ground = async (page) => {
      const box = await (await page.$("#map")).boundingBox();
      const drawn = await pixels(page, box);
      const classes = await page.$$eval(".swatch", (all) => all.map((one) => one.style.background));
      for (const color of classes) assert.ok(drawn.count(color) > 100, `${color} is not on the map`);
      return drawn.count(DARK, 3) > drawn.count(LIGHT, 3) ? "dark" : "light";
    };
    const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    for (const [colorScheme, query, expected] of [
      ["light", "", "light"],
      ["dark", "", "dark"],
      ["light", "?theme=dark", "dark"],
      ["dark", "?theme=light", "light"],
    ]) {
      const { page, faults, close } = await open(browser, server.url, { colorScheme });
      await page.goto(`${server.url}embed/margin${query}`);
      await ready(page);
      assert.equal(await ground(page), expected, `${colorScheme} ${query}`);
      assert.equal(await paper(page), expected === "dark" ? "rgb(29, 32, 37)" : "rgb(255, 255, 255)");
      assert.deepEqual(faults, []);
      await close();
    }
    const { page, close } = await open(browser, server.url, { colorScheme: "light" });
    await page.goto(`${server.url}embed/margin`);
    await ready(page);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForTimeout(1000);
    assert.equal(await ground(page), "dark", "while it is open");
    await close();
    const bare = await open(browser, server.url, { colorScheme: "dark", javaScriptEnabled: false });
    await bare.page.goto(`${server.url}embed/margin`);
    const box = await (await bare.page.$("#map img")).boundingBox();
    assert.ok((await pixels(bare.page, box)).count(DARK, 3) > 1000, "the picture is as dark as its page");
    await bare.close();
    assert.equal((await fetch(`${server.url}embed/margin?theme=blue`)).status, 400);
    assert.ok(!(await (await fetch(`${server.url}map/margin.svg`)).text()).includes("prefers-color-scheme"));
  });

  it("is a picture and a table without scripts", async () => {
    const { page, close } = await open(browser, server.url, { javaScriptEnabled: false });
    await page.goto(`${server.url}embed/margin`);
    const box = await (await page.$("#map img")).boundingBox();
    const drawn = await pixels(page, box);
    assert.ok(drawn.count("#440154", 60) + drawn.count("#fde725", 60) > 200);
    await page.click("summary");
    assert.match(await page.textContent("#table"), /Mile-End/);
    await close();
  });

  it("tells its height in every dialect", async () => {
    const { page, close } = await open(browser, server.url);
    await page.goto(`${parentUrl}/listen`);
    await page.waitForFunction(() => globalThis.heard.length >= 4, null, { timeout: PATIENCE });
    const heard = await page.evaluate(() => globalThis.heard);
    assert.ok(heard.some((data) => data?.["datawrapper-height"]?.margin > 200));
    assert.ok(heard.some((data) => data?.sentinel === "amp" && data.type === "embed-size" && data.height > 200));
    const texts = heard.filter((data) => typeof data === "string");
    assert.ok(texts.some((text) => text.startsWith("{") && JSON.parse(text).context === "iframe.resize"));
    assert.ok(texts.some((text) => /^pymxPYMxmarginxPYMxheightxPYMx\d+$/.test(text)));
    await close();
  });

  for (const path of ["/pym", "/snippet"]) {
    it(`is as high as it needs in ${path}`, async () => {
      const { page, close } = await open(browser, server.url, { viewport: { width: 500, height: 900 } });
      await page.goto(parentUrl + path);
      const frame = await (await page.waitForSelector("iframe")).contentFrame();
      await ready(frame);
      const need = await frame.evaluate(() => Math.ceil(document.documentElement.getBoundingClientRect().height));
      await page.waitForFunction(
        (height) => Math.abs(document.querySelector("iframe").getBoundingClientRect().height - height) < 3,
        need,
        { timeout: PATIENCE },
      );
      await close();
    });
  }

  it("shows a new version within five seconds, on the same map", async () => {
    const { page, faults, close } = await open(browser, server.url);
    await page.goto(`${server.url}embed/margin`);
    await ready(page);
    await page.evaluate(() => (globalThis.canvas = document.querySelector("canvas")));
    const table = join(directory, "election.csv");
    writeFileSync(table, readFileSync(table, "utf8").replace("111-Mile-End,1734", "111-Mile-End,7000"));
    server.publish();
    await page.waitForFunction(() => document.documentElement.dataset.version, null, { timeout: 12_000 });
    assert.ok(await page.evaluate(() => globalThis.canvas === document.querySelector("canvas")));
    assert.deepEqual(faults, []);
    await close();
  });
});

describe("a map behind a signed link", { skip: unavailable }, () => {
  let browser;
  let server;
  let directory;
  let link;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "maille-signed-"));
    writeFileSync(join(directory, "margin.toml"), MAP);
    const keys = join(directory, "keys.toml");
    const run = (...args) => execFileSync(join(BINARIES, "tileserver"), ["keys", ...args], { encoding: "utf8" }).trim();
    run("add", "--keys", keys, "--tenant", "demo", "--role", "inside", "--name", "app");
    link = run("sign", "--keys", keys, "--name", "app", "--path", "/embed/margin").slice(1);
    writeFileSync(keys, `${readFileSync(keys, "utf8")}\n[public]\nhidden = ["margin"]\n`);
    [server, browser] = await Promise.all([serve(DEMO, ["--maps", directory, "--keys", keys]), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  it("is drawn for who has the link, whose signature goes with every request and to nobody else", async () => {
    const { page, faults, close } = await open(browser, server.url);
    const asked = [];
    page.on("response", (response) => asked.push([response.url(), response.status(), response.request().headers()]));
    await page.goto(server.url + link);
    await page.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: PATIENCE });
    const box = await (await page.$("#map")).boundingBox();
    const drawn = await pixels(page, box);
    const swatches = await page.$$eval(".swatch", (all) => all.map((one) => one.style.background));
    assert.equal(swatches.length, 5);
    for (const color of swatches) assert.ok(drawn.count(color) > 100, `${color}: ${drawn.count(color)} pixels`);
    await page.waitForResponse((response) => response.url().includes("/data?") && response.ok(), { timeout: PATIENCE });
    const own = asked.filter(([url]) => /\/(embed|map)\//.test(url));
    for (const kind of ["/embed/margin", "/map/margin.svg", "/map/margin/data", "/map/margin/tiles/"]) {
      assert.ok(own.some(([url]) => url.includes(kind)), `${kind} was not asked for`);
    }
    for (const [url, status, headers] of own) {
      assert.ok(url.includes("sig="), url);
      assert.ok([200, 204, 304].includes(status), `${status} ${url}`);
      assert.ok(!headers.referer?.includes("sig="), `${url} names where it came from`);
    }
    // What needs no signature is not told one.
    for (const [url, , headers] of asked) assert.ok(own.some(([one]) => one === url) || !`${url} ${headers.referer}`.includes("sig="));
    assert.deepEqual(faults, []);
    await close();
  });

  it("is as if it were not there for everybody else", async () => {
    const { page, close } = await open(browser, server.url);
    for (const path of ["embed/margin", "map/margin", "map/margin.png", "map/margin/data"]) {
      assert.equal((await page.goto(server.url + path)).status(), 404, path);
    }
    assert.equal(await page.$("canvas"), null);
    assert.equal((await page.goto(server.url + link.replace("/margin", "/other"))).status(), 401);
    await close();
  });
});

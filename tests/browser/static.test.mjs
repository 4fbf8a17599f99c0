/** A map as files: its tiles in one archive, its page from a server that only gives out files. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { PMTiles } from "pmtiles";
import { keep, launch, open, PATIENCE, pixels, unavailable } from "./support/browser.mjs";
import { BINARIES, DEMO, serve } from "./support/server.mjs";

const FILTER = "margin > 0.05";

const MAP = `title = "Margin </script><script>alert(1)</script>"
layer = "montreal"
indicator = "margin"
filter = "${FILTER}"
[classes]
palette = "viridis"
`;

/** An archive in a file, as the library reads one. */
class Archive {
  constructor(path) {
    this.bytes = readFileSync(path);
  }
  getKey() {
    return "archive";
  }
  async getBytes(offset, length) {
    const { buffer, byteOffset } = this.bytes.subarray(offset, offset + length);
    return { data: buffer.slice(byteOffset, byteOffset + length) };
  }
}

/** The bytes as they were sent. */
const raw = (url) =>
  new Promise((resolve, reject) => {
    get(url, { headers: { "accept-encoding": "gzip" } }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode, bytes: Buffer.concat(parts) }));
    }).on("error", reject);
  });

/** Gives out the files of a folder, and ranges of them. */
async function serveFiles(folder) {
  const types = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml" };
  const server = createServer((request, response) => {
    const path = join(folder, new URL(request.url, "http://localhost").pathname.replace(/\/$/, "/index.html"));
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return response.writeHead(404).end();
    const head = { "content-type": types[path.split(".").pop()] ?? "application/octet-stream" };
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (first === undefined) return createReadStream(path).pipe(response.writeHead(200, head));
    const end = Math.min(Number(last), size - 1);
    response.writeHead(206, {
      ...head,
      "content-range": `bytes ${first}-${end}/${size}`,
      "content-length": end - Number(first) + 1,
    });
    createReadStream(path, { start: Number(first), end }).pipe(response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

describe("a map as files", () => {
  let server;
  let directory;
  let out;
  const precompute = (...words) => execFileSync(join(BINARIES, "precompute"), words, { stdio: ["ignore", "pipe", "pipe"] });
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "maille-static-"));
    cpSync(dirname(DEMO), directory, { recursive: true });
    mkdirSync(join(directory, "maps"), { recursive: true });
    writeFileSync(join(directory, "maps/margin.toml"), MAP);
    out = join(directory, "site");
    server = await serve(join(directory, "maille.toml"), ["--maps", join(directory, "maps")]);
    const words = ["page", "--dataset", server.dataset, "--maps", join(directory, "maps"), "--map", "margin", "--out", out];
    const address = ["--public-url", "https://cdn.example.org/margin"];
    const command = execFileSync(join(BINARIES, "tileserver"), [...words, ...address], { encoding: "utf8" });
    // What the page needs is what it says.
    execFileSync("sh", ["-c", command.trim()], { env: { ...process.env, PATH: `${BINARIES}:${process.env.PATH}` }, stdio: "pipe" });
  });
  after(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true });
  });

  it("holds the server's tiles, byte for byte", async () => {
    const archive = new PMTiles(new Archive(join(out, "margin.pmtiles")));
    const header = await archive.getHeader();
    const described = await (await fetch(`${server.url}montreal`)).json();
    assert.deepEqual([header.minZoom, header.maxZoom], [described.minzoom, described.maxzoom]);
    assert.ok(header.clustered && header.tileType === 1 && header.tileCompression === 2);
    const [west, south, east, north] = described.bounds;
    for (const [found, wanted] of [[header.minLon, west], [header.minLat, south], [header.maxLon, east], [header.maxLat, north]]) {
      assert.ok(Math.abs(found - wanted) < 1e-6);
    }
    const metadata = await archive.getMetadata();
    const [layer] = metadata.vector_layers;
    assert.deepEqual([layer.id, Object.keys(layer.fields)], ["montreal", ["id", "name", "margin"]]);
    assert.equal(metadata.attribution, described.attribution);
    assert.equal(metadata.maille.filter, FILTER);
    assert.deepEqual(metadata.maille.indicators.map(({ name }) => name), ["margin"]);
    assert.ok(metadata.maille.indicators[0].source);

    const column = (lon, n) => Math.floor(((lon + 180) / 360) * n);
    const row = (lat, n) => Math.floor((0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)) * n);
    let held = 0;
    for (let z = header.minZoom; z <= header.maxZoom; z += 1) {
      const n = 2 ** z;
      for (let x = Math.max(column(west, n) - 1, 0); x <= Math.min(column(east, n) + 1, n - 1); x += 1) {
        for (let y = Math.max(row(north, n) - 1, 0); y <= Math.min(row(south, n) + 1, n - 1); y += 1) {
          const query = `properties=margin&filter=${encodeURIComponent(FILTER)}`;
          const sent = await raw(`${server.url}montreal/${z}/${x}/${y}?${query}`);
          const tile = await archive.getZxy(z, x, y);
          assert.equal(sent.status, tile ? 200 : 204, `${z}/${x}/${y}`);
          if (!tile) continue;
          held += 1;
          assert.ok(archive.source.bytes.includes(sent.bytes), `${z}/${x}/${y}, compressed`);
          assert.ok(gunzipSync(sent.bytes).equals(Buffer.from(tile.data)), `${z}/${x}/${y}`);
        }
      }
    }
    assert.ok(held > 100, `${held} tiles`);
    assert.equal(held, header.numAddressedTiles, "the file holds no other tile");
    assert.ok(header.numTileContents <= header.numTileEntries && header.numTileEntries <= header.numAddressedTiles);
  });

  it("is the same file again, and is not there at all when it fails", () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => join(directory, `${name}.pmtiles`));
    precompute("export", server.dataset, "--pmtiles", a);
    precompute("export", server.dataset, "--pmtiles", b);
    assert.ok(readFileSync(a).equals(readFileSync(b)));
    const wrong = (...words) => {
      try {
        precompute("export", server.dataset, "--pmtiles", c, ...words);
      } catch ({ status, stderr }) {
        assert.equal(status, 1);
        assert.equal(statSync(c, { throwIfNoEntry: false }), undefined);
        return String(stderr);
      }
      return assert.fail(`${words}`);
    };
    assert.match(wrong("--filter", "nosuch = 1"), /at character 0.*nosuch/);
    assert.match(wrong("--properties", "nosuch"), /no indicator `nosuch`/);
    assert.match(wrong("--layer", "nosuch"), /give one of montreal/);
    const keys = join(directory, "keys.toml");
    writeFileSync(keys, '[public]\nhidden = ["margin"]\n');
    assert.match(wrong("--keys", keys, "--properties", "margin"), /no indicator `margin`/);
    assert.match(wrong("--keys", keys, "--filter", FILTER), /margin/);
    precompute("export", server.dataset, "--pmtiles", c, "--keys", keys);
    assert.ok(!readFileSync(c).includes("supporters"));
  });

  it("is a page without our server", { skip: unavailable }, async () => {
    const [files, browser] = await Promise.all([serveFiles(out), launch()]);
    const { page, faults, close } = await open(browser, files.url);
    await page.goto(files.url);
    await page.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: PATIENCE });
    const drawn = await pixels(page, await (await page.$("#map")).boundingBox());
    const swatches = await page.$$eval(".swatch", (all) => all.map((one) => one.style.background));
    assert.equal(swatches.length, 5);
    for (const color of swatches) assert.ok(drawn.count(color) > 100, `${color}: ${drawn.count(color)} pixels`);
    assert.match(await page.textContent("h1"), /<script>/);
    assert.equal(
      await page.getAttribute('meta[property="og:image"]', "content"),
      "https://cdn.example.org/margin/map.png",
    );
    assert.deepEqual([...readFileSync(join(out, "map.png")).subarray(1, 4)], [...Buffer.from("PNG")]);
    await keep(page, "static");

    // Publishing again reaches the page that is open.
    const again = JSON.parse(readFileSync(join(out, "data.json"), "utf8"));
    again.version = "next";
    again.table = [["Somewhere", "1 %"]];
    writeFileSync(join(out, "data.json"), JSON.stringify(again));
    await page.waitForFunction(() => document.documentElement.dataset.version === "next", null, { timeout: 12_000 });
    assert.match(await page.textContent("#table"), /Somewhere/);
    assert.deepEqual(faults, []);
    await close();
    await browser.close();
    files.stop();
  });
});

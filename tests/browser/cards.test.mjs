/** What other programs make of a map's address: a card, a frame. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PNG } from "pngjs";
import { unfurl } from "unfurl.js";
import { DEMO, serve } from "./support/server.mjs";

const TITLE = "L’avance <script>alert(1)</script> & \"co\"";

let directory;
let server;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "maille-cards-"));
  const map = `title = ${JSON.stringify(TITLE)}
text = { fr = "Écart des voix", en = "Gap between votes" }
layer = "montreal"
indicator = "margin"
`;
  writeFileSync(join(directory, "margin.toml"), map);
  server = await serve(DEMO, ["--maps", directory]);
});
after(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true });
});

for (const [lang, text] of [
  ["en", "Gap between votes"],
  ["fr", "Écart des voix"],
]) {
  test(`a map's address unfurls, in ${lang}`, async () => {
    const told = await unfurl(`${server.url}map/margin?lang=${lang}`);
    assert.equal(told.title, TITLE);
    assert.equal(told.description, text);
    assert.equal(told.open_graph.title, TITLE);
    assert.equal(told.open_graph.description, text);
    assert.equal(told.open_graph.locale, lang === "fr" ? "fr_FR" : "en_GB");
    assert.equal(told.twitter_card.card, "summary_large_image");
    const [image] = told.open_graph.images;
    assert.ok(image.alt.includes(TITLE));
    const png = await fetch(image.url);
    const { width, height } = PNG.sync.read(Buffer.from(await png.arrayBuffer()));
    assert.deepEqual([width, height], [Number(image.width), Number(image.height)]);
    assert.equal(told.oEmbed.type, "rich");
    assert.equal(told.oEmbed.version, "1.0");
    assert.equal(told.oEmbed.title, TITLE);
    assert.ok(told.oEmbed.width > 0 && told.oEmbed.height > 0);
    // As it is sent: the parser above has taken the entities out.
    const page = await (await fetch(`${server.url}map/margin?lang=${lang}`)).text();
    const [, address] = /type="application\/json\+oembed" href="([^"]+)"/.exec(page);
    const { html, thumbnail_url: thumbnail } = await (await fetch(address.replaceAll("&amp;", "&"))).json();
    assert.equal((await fetch(thumbnail)).status, 200);
    assert.match(html, /^<iframe title="[^<>"]*" src="[^"]*\/embed\/margin" loading="lazy"/);
  });
}

test("only this server's own addresses are known", async () => {
  for (const url of ["http://169.254.169.254/map/margin", "file:///etc/passwd", `${server.url}..%2fmap/margin`, `${server.url}collections`]) {
    const { status } = await fetch(`${server.url}oembed?url=${encodeURIComponent(url)}`);
    assert.equal(status, 404, url);
  }
});

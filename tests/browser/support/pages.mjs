/** Pages of other map clients, bundled and served from an origin of their own. */
import { createServer } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";

const FOLDER = join(import.meta.dirname, "../clients");
const PACKAGES = join(import.meta.dirname, "../node_modules");

/** @returns {Promise<{url: string, stop: () => void}>} */
export async function servePages(clients) {
  const { outputFiles } = await build({
    entryPoints: [
      ...clients.map((client) => join(FOLDER, `${client}.js`)),
      { in: join(PACKAGES, "maplibre-gl/dist/maplibre-gl-worker.mjs"), out: "maplibre-worker" },
      { in: join(PACKAGES, "@loaders.gl/mvt/dist/mvt-worker.js"), out: "deckgl-worker" },
    ],
    bundle: true,
    format: "esm",
    outdir: "/",
    write: false,
    logLevel: "error",
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const script = files.get(pathname);
    if (script) response.writeHead(200, { "content-type": "text/javascript" }).end(script);
    else if (pathname.endsWith(".html")) {
      response.writeHead(200, { "content-type": "text/html" }).end(page(pathname.slice(1, -5)));
    } else response.writeHead(404).end();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

function page(client) {
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<style>html, body, #map { height: 100%; margin: 0; background: #fff }</style>
<div id="map"></div>
<script type="module">globalThis.client = await import("./${client}.js")</script>`;
}

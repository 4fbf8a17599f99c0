/** Draws with deck.gl's MVTLayer. */
import { Deck } from "@deck.gl/core";
import { MVTLayer } from "@deck.gl/geo-layers";

let deck;
let tiles = [];

export async function show(url, { center, zoom }) {
  const loaded = new Promise((resolve) => {
    const layer = new MVTLayer({
      id: "areas",
      data: url,
      minZoom: 0,
      maxZoom: 14,
      getFillColor: [204, 0, 0],
      stroked: false,
      binary: false,
      // Left alone, it fetches its worker from a public CDN.
      loadOptions: { mvt: { workerUrl: new URL("deckgl-worker.js", location.href).href } },
      onViewportLoad: (viewport) => {
        tiles = viewport;
        resolve();
      },
    });
    if (deck) deck.setProps({ layers: [layer] });
    else {
      deck = new Deck({
        parent: document.getElementById("map"),
        initialViewState: { longitude: center[0], latitude: center[1], zoom },
        controller: true,
        layers: [layer],
      });
    }
  });
  await loaded;
  await settled();
}

export async function move(zoom) {
  const { longitude, latitude } = deck.getViewports()[0];
  const before = tiles;
  deck.setProps({ initialViewState: { longitude, latitude, zoom } });
  while (tiles === before) await settled();
  await settled();
}

export function features() {
  return tiles.flatMap(({ content }) => content ?? []).map(({ id, properties }) => [properties.id, id]);
}

function settled() {
  return new Promise((resolve) => setTimeout(resolve, 500));
}

/** Draws with OpenLayers, from XYZ addresses. */
import MVT from "ol/format/MVT.js";
import VectorTileLayer from "ol/layer/VectorTile.js";
import OlMap from "ol/Map.js";
import { fromLonLat } from "ol/proj.js";
import VectorTileSource from "ol/source/VectorTile.js";
import { Fill, Style } from "ol/style.js";
import { createXYZ } from "ol/tilegrid.js";
import View from "ol/View.js";

const layer = new VectorTileLayer({ style: new Style({ fill: new Fill({ color: "#cc0000" }) }) });
let map;
let loaded = [];

export async function show(url, { center, zoom }) {
  const tileGrid = createXYZ({ tileSize: 512, maxZoom: 14 });
  const source = new VectorTileSource({ format: new MVT(), url, tileGrid });
  loaded = [];
  source.on("tileloadend", ({ tile }) => loaded.push(...tile.getFeatures()));
  layer.setSource(source);
  map ??= new OlMap({
    target: "map",
    controls: [],
    layers: [layer],
    view: new View({ center: fromLonLat(center), zoom: zoom + 1 }),
  });
  await drawn();
}

export async function move(zoom) {
  map.getView().setZoom(zoom + 1);
  await drawn();
}

export function features() {
  return loaded.map((feature) => [feature.get("id"), feature.getId()]);
}

function drawn() {
  return new Promise((resolve) => map.once("rendercomplete", resolve));
}

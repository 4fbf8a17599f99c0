/** Draws with OpenLayers, from OGC API – Tiles: rows stand before columns there. */
import MVT from "ol/format/MVT.js";
import VectorTileLayer from "ol/layer/VectorTile.js";
import OlMap from "ol/Map.js";
import { fromLonLat } from "ol/proj.js";
import OGCVectorTile from "ol/source/OGCVectorTile.js";
import { Fill, Style } from "ol/style.js";
import View from "ol/View.js";

const layer = new VectorTileLayer({ style: new Style({ fill: new Fill({ color: "#cc0000" }) }) });
let map;
let loaded = [];

export async function show(url, { layer: name, center, zoom }) {
  const { origin, search } = new URL(url);
  const tileset = `${origin}/collections/${name}/tiles/WebMercatorQuad${search}`;
  const source = new OGCVectorTile({ format: new MVT(), url: tileset });
  loaded = [];
  source.on("tileloadend", ({ tile }) => loaded.push(...tile.getFeatures()));
  await new Promise((resolve, reject) => {
    const settle = () => {
      if (source.getState() === "ready") resolve();
      if (source.getState() === "error") reject(new Error(`the tileset ${tileset} is not read`));
    };
    source.on("change", settle);
    settle();
  });
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

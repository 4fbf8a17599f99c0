/** Draws with Leaflet.VectorGrid, which wants Leaflet as a global. */
import "./leaflet-global.js";
import "leaflet.vectorgrid";

const { L } = globalThis;
let map;
let grid;

export async function show(url, { layer, center, zoom }) {
  map ??= L.map("map", {
    center: [center[1], center[0]],
    zoom: zoom + 1,
    zoomControl: false,
    attributionControl: false,
    zoomAnimation: false,
    fadeAnimation: false,
  });
  grid?.remove();
  grid = L.vectorGrid.protobuf(url, {
    rendererFactory: L.canvas.tile,
    maxNativeZoom: 14,
    getFeatureId: (feature) => feature.properties.id,
    vectorTileLayerStyles: { [layer]: { fill: true, fillColor: "#cc0000", fillOpacity: 1, stroke: false } },
  });
  const loaded = new Promise((resolve) => grid.once("load", resolve));
  grid.addTo(map);
  await loaded;
}

export async function move(zoom) {
  const loaded = new Promise((resolve) => grid.once("load", resolve));
  map.setZoom(zoom + 1);
  await loaded;
}

/** VectorGrid keeps properties only, so that a key is all there is of an area. */
export function features() {
  return Object.values(grid._vectorTiles ?? {}).flatMap((tile) =>
    Object.values(tile._features ?? {}).map(({ feature }) => [feature.properties.id, null]),
  );
}

/** Draws with MapLibre GL; another address goes through `setTiles`, as its users do it. */
import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";

setWorkerUrl(new URL("maplibre-worker.js", location.href).href);

let map;

export async function show(url, { layer, center, zoom }) {
  const source = map?.getSource("areas");
  if (source) source.setTiles([url]);
  else {
    map = new MapLibre({
      container: "map",
      center,
      zoom,
      fadeDuration: 0,
      style: {
        version: 8,
        sources: { areas: { type: "vector", tiles: [url], minzoom: 0, maxzoom: 14 } },
        layers: [
          { id: "areas", type: "fill", source: "areas", "source-layer": layer, paint: { "fill-color": "#cc0000" } },
        ],
      },
    });
  }
  await map.once("idle");
}

export async function move(zoom) {
  map.jumpTo({ zoom });
  await map.once("idle");
}

export function features() {
  return map.queryRenderedFeatures({ layers: ["areas"] }).map(({ id, properties }) => [properties.id, id]);
}

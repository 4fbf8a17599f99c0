/** The map: draws what the model says, and tells it where the reader looks and points. */
import { batch, effect, signal, untracked } from "@preact/signals";
import { Map as MapLibre, type MapGeoJSONFeature, type PointLike, setWorkerUrl, type VectorTileSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import choropleth from "../../../../styles/choropleth.json";
import type { TileJson } from "../api";
import type { Classes } from "../classes";
import * as model from "../model";
import { busy, emphasis, hover } from "../screen";
import { state, type Theme, update, type View } from "../state";
import { fillColor, fillOpacity } from "./colors";
import { addLabels, colorLabels, placeLabels } from "./labels";
import { fillTemplate } from "./template";

setWorkerUrl(workerUrl);

const SOURCE = "areas";
const AREAS = "areas";

/** The map on screen, for the controls around it. */
export const current = signal<MapLibre | null>(null);

const INK: Record<Theme, { ground: string; ink: string; missing: string }> = {
  light: { ground: "#f5f4f0", ink: "#171614", missing: "#c9c6be" },
  dark: { ground: "#16181c", ink: "#ffffff", missing: "#4a4e56" },
};

const FIT = { padding: 36, duration: 0 } as const;

/** Draws the layer described into `container`; the return value takes it away. */
export function showMap(container: HTMLElement, layer: string, describe: TileJson): () => void {
  const { view } = untracked(() => state.value);
  const map = new MapLibre({
    container,
    ...(view ? { center: [view.lon, view.lat], zoom: view.zoom } : { bounds: describe.bounds, fitBoundsOptions: FIT }),
    maxZoom: describe.maxzoom + 4,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    fadeDuration: 120,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.on("zoom", () => {
    model.zoom.value = map.getZoom();
  });
  map.on("moveend", () => update({ view: viewOf(map) }));
  map.on("dataloading", () => {
    busy.value = true;
  });
  map.on("idle", () => {
    busy.value = model.tiles.value === null;
  });

  // The zoom tells the level, the level its indicators, and those what the tiles are to carry.
  model.zoom.value = map.getZoom();
  const stops = [
    draw(map, layer, describe, (tiles) => {
      stops.push(followTiles(map, tiles), followColors(map), followTheme(map), followState(map, layer), followView(map));
      stops.push(...watchPointer(map));
      map.on("idle", () => placeLabelsOnce(map));
      current.value = map;
    }),
  ];

  return () => {
    for (const stop of stops) stop();
    batch(() => {
      current.value = null;
      hover.value = null;
    });
    map.remove();
  };
}

/** Gives the map its only style, as soon as there is a tile to ask for. */
function draw(map: MapLibre, layer: string, describe: TileJson, drawn: (tiles: string) => void): () => void {
  let given = false;
  return effect(() => {
    const tiles = model.tiles.value;
    if (given || tiles === null) return;
    given = true;
    const { ground, ink, missing } = untracked(() => INK[model.theme.value]);
    const style = fillTemplate(choropleth, {
      tiles: [tiles],
      bounds: describe.bounds,
      minzoom: describe.minzoom,
      maxzoom: describe.maxzoom,
      "source-layer": layer,
      background: ground,
      ink,
      color: missing,
    });
    addLabels(style);
    map.once("style.load", () => drawn(tiles));
    map.setStyle(style);
  });
}

/** One source for all filters: `setTiles` keeps what is drawn until the new tiles are there. */
function followTiles(map: MapLibre, drawn: string): () => void {
  let shown = drawn;
  return effect(() => {
    const next = model.tiles.value;
    if (next === null || next === shown) return;
    shown = next;
    map.getSource<VectorTileSource>(SOURCE)?.setTiles([next]);
  });
}

function followColors(map: MapLibre): () => void {
  let before: Classes | null = null;
  let shown: Classes | null = null;
  return effect(() => {
    const now = model.classes.value;
    const { missing } = INK[model.theme.value];
    const pointed = emphasis.value;
    if (!now) return;
    if (shown && shown.property !== now.property) before = shown;
    shown = now;
    map.setPaintProperty(AREAS, "fill-color", fillColor(now, before, missing));
    map.setPaintProperty(AREAS, "fill-opacity", fillOpacity(now, pointed));
    colorLabels(map, now, missing);
  });
}

function followTheme(map: MapLibre): () => void {
  return effect(() => {
    const { ground, ink } = INK[model.theme.value];
    map.setPaintProperty("background", "background-color", ground);
    map.setPaintProperty("borders", "line-color", ground);
    map.setPaintProperty("hovered", "line-color", ink);
    map.setPaintProperty("selected", "line-color", ink);
  });
}

/** Marks the area under the pointer and the one selected. */
function followState(map: MapLibre, layer: string): () => void {
  const marked: Record<string, number | null> = { hovered: null, selected: null };
  const mark = (name: string, id: number | null) => {
    const last = marked[name] ?? null;
    if (last === id) return;
    if (last !== null) map.removeFeatureState({ source: SOURCE, sourceLayer: layer, id: last }, name);
    if (id !== null) map.setFeatureState({ source: SOURCE, sourceLayer: layer, id }, { [name]: true });
    marked[name] = id;
  };
  return effect(() => {
    mark("hovered", hover.value?.id ?? null);
    mark("selected", state.value.area ? (model.item.value.value?.item.id ?? null) : null);
  });
}

/** Moves the map when the address is edited; the map's own moves come back equal and do nothing. */
function followView(map: MapLibre): () => void {
  return effect(() => {
    const { view } = state.value;
    if (!view || sameView(view, viewOf(map))) return;
    untracked(() => map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom }));
  });
}

function watchPointer(map: MapLibre): (() => void)[] {
  const canvas = map.getCanvas();
  const point = (feature: MapGeoJSONFeature | undefined, x: number, y: number) => {
    canvas.style.cursor = feature ? "pointer" : "";
    hover.value = feature
      ? { id: Number(feature.id), name: String(feature.properties.name ?? ""), properties: feature.properties, x, y }
      : null;
  };
  const subscriptions = [
    map.on("mousemove", ({ point: at }) => point(areaAt(map, at), at.x, at.y)),
    map.on("mouseout", () => point(undefined, 0, 0)),
    map.on("movestart", () => point(undefined, 0, 0)),
    map.on("click", ({ point: at }) => select(areaAt(map, at))),
  ];
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    select(areaAt(map, [canvas.clientWidth / 2, canvas.clientHeight / 2]));
  };
  canvas.addEventListener("keydown", onKey);
  return [...subscriptions.map((one) => () => one.unsubscribe()), () => canvas.removeEventListener("keydown", onKey)];
}

function areaAt(map: MapLibre, at: PointLike): MapGeoJSONFeature | undefined {
  return map.queryRenderedFeatures(at, { layers: [AREAS] })[0];
}

function select(feature: MapGeoJSONFeature | undefined): void {
  const level = model.level.value;
  const key: unknown = feature?.properties.key;
  update({ area: level && typeof key === "string" ? { level: level.name, key } : null });
}

export function fitAll(map: MapLibre): void {
  const bounds = model.description.value?.bounds;
  if (bounds) map.fitBounds(bounds, { ...FIT, duration: 400 });
}

/** Shows an area whole, at a zoom that has its level. */
export function fitArea(map: MapLibre, bounds: [number, number, number, number], [from, to]: readonly [number, number]): void {
  const camera = map.cameraForBounds(bounds, { padding: 80, maxZoom: to + 0.99 });
  if (camera) map.easeTo({ ...camera, zoom: Math.max(camera.zoom ?? 0, from + 0.01), duration: 400 });
}

/** Moves the least that shows a level of `zooms`. */
export function zoomInto([from, to]: readonly [number, number]): void {
  const map = current.value;
  const zoom = map?.getZoom() ?? 0;
  // Just inside: a tile's zoom is the map's, rounded down.
  if (zoom < from) map?.easeTo({ zoom: from + 0.01, duration: 400 });
  else if (zoom >= to + 1) map?.easeTo({ zoom: to + 0.99, duration: 400 });
}

/** Labels wait until the map rests; placing them makes it rest again, once. */
const labelled = new WeakMap<MapLibre, string>();
function placeLabelsOnce(map: MapLibre): void {
  const what = `${JSON.stringify(viewOf(map))} ${model.tiles.value}`;
  if (labelled.get(map) === what) return;
  labelled.set(map, what);
  placeLabels(map, AREAS);
}

function viewOf(map: MapLibre): View {
  const { lng, lat } = map.getCenter();
  return { zoom: map.getZoom(), lat, lon: lng };
}

function sameView(a: View, b: View): boolean {
  return Math.abs(a.zoom - b.zoom) < 0.006 && Math.abs(a.lat - b.lat) < 1e-5 && Math.abs(a.lon - b.lon) < 1e-5;
}

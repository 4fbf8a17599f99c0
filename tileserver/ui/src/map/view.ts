/** The map: draws what the model says, and tells it where the reader looks and points. */
import { batch, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import {
  type Map as MapLibre,
  type MapGeoJSONFeature,
  type MapOptions,
  type PointLike,
  setWorkerCount,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import choropleth from "../../../../styles/choropleth.json";
import { type Indicator, type TileJson, withKey } from "../api";
import type { Classes } from "../classes";
import { answers, description, labelOf, level, zoom } from "../dataset";
import { set } from "../density";
import { words } from "../i18n";
import * as model from "../model";
import { busy, emphasis, hover } from "../screen";
import { state, type Theme, update, type View } from "../state";
import { borderColor, fillColor, fillOpacity, sameProperties } from "./colors";
import { followDensity } from "./density";
import { addZone, colorZone, drawAt, endOnDoubleClick, followZone } from "./zone";
import { drawing } from "../zone";
import { addLabels, colorLabels, colorLabelsAlike, hasNames, labelsNow, NAMES } from "./labels";
import { addMarks, colorMarks, colorSelected, followMarks } from "./marks";
import { theme } from "../theme";
import { fillTemplate } from "./template";
import { WholeMap } from "./whole";

setWorkerUrl(workerUrl);

// A filter brings every tile on screen anew; MapLibre's one worker reads them one after the other.
setWorkerCount(Math.min(Math.max(2, Math.floor(navigator.hardwareConcurrency / 2)), 4));

const SOURCE = "areas";
const AREAS = "areas";

/** The map on screen, for the controls around it. */
export const current = signal<MapLibre | null>(null);

const INK: Record<Theme, { ground: string; ink: string; missing: string }> = {
  light: { ground: "#f5f4f0", ink: "#171614", missing: "#c9c6be" },
  dark: { ground: "#16181c", ink: "#ffffff", missing: "#4a4e56" },
};

/** How much areas show under contacts. */
const UNDER_CONTACTS = 0.4;

const FIT = { padding: 36, duration: 0 } as const;

/** Which figure a map shows, and whether it leads: the one that tells the page where the reader looks. */
export interface Role {
  layer: string;
  describe: TileJson;
  classes: ReadonlySignal<Classes | null>;
  leads: boolean;
}

/** Maps on screen: they show the same place. */
const maps = new Set<MapLibre>();

/** The leading map first. */
export function shownMaps(): MapLibre[] {
  return [...maps].sort((a, b) => Number(b === current.value) - Number(a === current.value));
}

/** Draws a layer into `container`; the return value takes it away. */
export function showMap(container: HTMLElement, role: Role): () => void {
  const { describe, layer, leads } = role;
  const map = new WholeMap({
    container,
    ...startOf(describe),
    maxZoom: describe.maxzoom + 4,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    transformRequest: (url) => withKey(url),
  });
  maps.add(map);
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.on("move", () => moveOthers(map));
  map.on("dataloading", () => wait(map, true));
  // Names that are there change with the areas; before there are any, the areas need not wait for them.
  map.completing = () => {
    if (hasNames(map) && !map.waits) placeLabelsOnce(map);
  };
  map.on("idle", () => setTimeout(() => rest(map)));
  if (leads) {
    // The zoom tells the level, the level its indicators, and those what the tiles are to carry.
    zoom.value = map.getZoom();
    map.on("zoom", () => {
      zoom.value = map.getZoom();
    });
    map.on("moveend", () => update({ view: viewOf(map) }));
  }

  const stops = [
    draw(map, role, (tiles) => {
      stops.push(
        followTiles(map, role.classes, tiles),
        followServer(map),
        followColors(map, role.classes),
        followTheme(map),
        followName(map, leads ? model.indicator : model.second),
        followZone(map),
        followDensity(map, NAMES),
        followMarks(map, SOURCE, layer),
      );
      stops.push(...watchPointer(map, container));
      if (!leads) return;
      stops.push(followView(map));
      current.value = map;
    }),
  ];

  return () => {
    for (const stop of stops) stop();
    maps.delete(map);
    batch(() => {
      wait(map, false);
      hover.value = null;
      if (leads) current.value = null;
    });
    map.remove();
  };
}

/** Where the map on screen looks, else the address, else where nearly all areas are. */
function startOf(describe: TileJson): Partial<MapOptions> {
  const leading = untracked(() => current.value);
  const view = leading ? viewOf(leading) : untracked(() => state.value.view);
  return view ? { center: [view.lon, view.lat], zoom: view.zoom } : { bounds: describe.maille.home, fitBoundsOptions: FIT };
}

let moving = false;
function moveOthers(map: MapLibre): void {
  if (moving) return;
  moving = true;
  const { zoom, lat, lon } = viewOf(map);
  for (const one of maps) if (one !== map) one.jumpTo({ center: [lon, lat], zoom });
  moving = false;
}

const waiting = new Set<MapLibre>();
function wait(map: MapLibre, is: boolean): void {
  if (is) waiting.add(map);
  else waiting.delete(map);
  busy.value = waiting.size > 0;
}

/** A map with all its tiles is named, and then waits for nothing. */
function rest(map: WholeMap): void {
  if (!maps.has(map) || !map.loaded()) return;
  placeLabelsOnce(map);
  if (!map.loaded()) return;
  wait(map, map.waits || model.tiles.value === null);
  if (rehearsals < REHEARSALS) setTimeout(() => rehearse(map), PAUSE);
}

/** Milliseconds that a map rests before its tiles are read once more, and how often they are. */
const PAUSE = 200;
const REHEARSALS = 2;

/** The page's first filter finds compiled what it runs. */
let rehearsals = 0;
function rehearse(map: WholeMap): void {
  if (rehearsals < REHEARSALS && maps.has(map) && map.loaded() && map.rehearse(SOURCE)) rehearsals += 1;
}

/**
 * Gives the map its only style, as soon as there is a tile to ask for and the classes it is coloured by
 * are known, or known to be none: tiles that were read without their colours would be read again.
 */
function draw(map: MapLibre, { describe, layer, classes }: Role, drawn: (tiles: string) => void): () => void {
  let given = false;
  return effect(() => {
    const tiles = model.tiles.value;
    const now = classes.value;
    const waits = now === null && (model.main.stats.loading.value || model.other.stats.loading.value);
    if (given || tiles === null || waits) return;
    given = true;
    const { ground, ink, missing } = untracked(() => INK[theme.value]);
    const style = fillTemplate(choropleth, {
      tiles: [tiles],
      bounds: describe.bounds,
      minzoom: describe.minzoom,
      maxzoom: describe.maxzoom,
      "source-layer": layer,
      background: ground,
      ink,
      border: borderColor(ground),
      color: now ? fillColor(now, null, missing) : missing,
    });
    addMarks(style, now, missing, ink);
    addLabels(style, "Inter Variable");
    addZone(style, ink, ground);
    map.once("style.load", () => drawn(tiles));
    map.setStyle(style);
  });
}

/**
 * One source for all filters: `setTiles` keeps what is drawn until the new tiles are there. Tiles of an
 * indicator wait for its classes, or they would have no colour when they come.
 */
function followTiles(map: WholeMap, classes: Role["classes"], drawn: string): () => void {
  let shown = drawn;
  return effect(() => {
    const next = model.tiles.value;
    if (next === null || next === shown || classes.value === null) return;
    map.replaceTiles(SOURCE, next, drawnAlike(shown, next));
    shown = next;
  });
}

/** Tiles that failed are asked for again once the server answers. */
function followServer(map: WholeMap): () => void {
  return effect(() => {
    if (answers.value > 0) map.askAgain();
  });
}

/** Whether tiles differ by their filter only. */
function drawnAlike(a: string, b: string): boolean {
  const [before, after] = [a, b].map((tiles) => {
    const address = new URL(tiles);
    address.searchParams.delete("filter");
    return address.href;
  });
  return before === after;
}

function followColors(map: WholeMap, classes: Role["classes"]): () => void {
  let before: Classes | null = null;
  let shown: Classes | null = null;
  return effect(() => {
    const now = classes.value;
    const { ground, ink, missing } = INK[theme.value];
    const pointed = emphasis.value;
    const rest = set.value ? UNDER_CONTACTS : 1;
    if (!now) return;
    if (shown && !sameProperties(shown, now)) before = shown;
    shown = now;
    map.paint(AREAS, "fill-color", fillColor(now, before, missing));
    map.paint(AREAS, "fill-opacity", fillOpacity(now, pointed, rest));
    colorMarks(map, now, missing);
    if (set.value) colorLabelsAlike(map, ink, ground);
    else colorLabels(map, now, missing);
  });
}

function followTheme(map: WholeMap): () => void {
  return effect(() => {
    const { ground, ink } = INK[theme.value];
    map.paint("background", "background-color", ground);
    map.paint(AREAS, "fill-outline-color", borderColor(ground));
    colorSelected(map, ink);
    colorZone(map, ink, ground);
  });
}

/** Tells those who hear the page which map this is. */
function followName(map: MapLibre, indicator: ReadonlySignal<Indicator | null>): () => void {
  return effect(() => {
    const shown = indicator.value;
    const { map: name } = words.value;
    map.getCanvas().ariaLabel = shown ? `${name}, ${labelOf(shown)}` : name;
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

function watchPointer(map: MapLibre, container: HTMLElement): (() => void)[] {
  const canvas = map.getCanvas();
  const point = (feature: MapGeoJSONFeature | undefined, x: number, y: number) => {
    canvas.style.cursor = drawing.value ? "crosshair" : feature ? "pointer" : "";
    if (!feature) {
      hover.value = null;
      return;
    }
    const { id, properties } = feature;
    const name = String(properties.name ?? "");
    hover.value = { id: Number(id), name, properties, x: x + container.offsetLeft, y: y + container.offsetTop };
  };
  const subscriptions = [
    map.on("mousemove", ({ point: at }) => point(areaAt(map, at), at.x, at.y)),
    map.on("mouseout", () => point(undefined, 0, 0)),
    map.on("movestart", () => point(undefined, 0, 0)),
    map.on("dblclick", endOnDoubleClick),
    map.on("click", ({ point: at }) => {
      if (drawing.value) {
        drawAt(map, at.x, at.y);
        return;
      }
      select(areaAt(map, at));
      keepClearOfCard(map, at.x);
    }),
  ];
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const [x, y] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    if (drawing.value) drawAt(map, x, y);
    else select(areaAt(map, [x, y]));
  };
  canvas.addEventListener("keydown", onKey);
  return [...subscriptions.map((one) => () => one.unsubscribe()), () => canvas.removeEventListener("keydown", onKey)];
}

/** Pixels at the right that the card of an area covers, on a wide screen. */
const CARD = 352;
const WIDE = 760;

/** Moves the map aside if the card would cover the place at `x`. */
function keepClearOfCard(map: MapLibre, x: number): void {
  const width = map.getCanvas().clientWidth;
  const beyond = x - (width - CARD - 60);
  if (state.value.area && width > WIDE && beyond > 0) map.panBy([beyond, 0], { duration: 300 });
}

function areaAt(map: MapLibre, at: PointLike): MapGeoJSONFeature | undefined {
  return map.queryRenderedFeatures(at, { layers: [AREAS] })[0];
}

function select(feature: MapGeoJSONFeature | undefined): void {
  const shown = level.value;
  const key: unknown = feature?.properties.id;
  update({ area: shown && typeof key === "string" ? { level: shown.name, key } : null });
}

export function fitAll(map: MapLibre): void {
  const bounds = description.value?.bounds;
  if (bounds) map.fitBounds(bounds, { ...FIT, duration: 400 });
}

/** Shows an area whole, at a zoom that has its level. */
export function fitArea(
  map: MapLibre,
  bounds: [number, number, number, number],
  [from, to]: readonly [number, number],
): void {
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
/** What had to be read again before it could be labelled. */
const readAgain = new WeakMap<MapLibre, string>();
function placeLabelsOnce(map: WholeMap): void {
  const what = `${JSON.stringify(viewOf(map))} ${model.tiles.value}`;
  if (labelled.get(map) === what) return;
  labelled.set(map, what);
  try {
    const labels = labelsNow(map, AREAS);
    if (labels) map.replaceFeatures(NAMES, labels);
  } catch (error) {
    if (readAgain.get(map) === what) throw error;
    readAgain.set(map, what);
    labelled.delete(map);
    map.readAgain(SOURCE);
  }
}

function viewOf(map: MapLibre): View {
  const { lng, lat } = map.getCenter();
  return { zoom: map.getZoom(), lat, lon: lng };
}

function sameView(a: View, b: View): boolean {
  return Math.abs(a.zoom - b.zoom) < 0.006 && Math.abs(a.lat - b.lat) < 1e-5 && Math.abs(a.lon - b.lon) < 1e-5;
}

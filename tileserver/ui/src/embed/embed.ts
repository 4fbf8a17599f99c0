/** A published map in its page: the live map in place of the picture, and word of the page's height. */
import {
  type GeoJSONSource,
  type ExpressionSpecification,
  Map as MapLibre,
  type StyleSpecification,
  setWorkerUrl,
  type VectorSourceSpecification,
  type VectorTileSource,
} from "maplibre-gl";
import { borderColor } from "../map/colors";
import { addLabels, labelsNow, NAMES } from "../map/labels";
import "./embed.css";
import { announceHeight } from "./height";

interface LegendLine {
  color: string;
  label: string;
  count: number;
}

interface Legend {
  /** First zoom of the level it is of. */
  zoom: number;
  lines: LegendLine[];
  percent: boolean;
  digits: number;
  suffix: string;
}

interface Data {
  id: string;
  version: string;
  language: "fr" | "en";
  indicator: string;
  label: string;
  bounds: [number, number, number, number];
  zooms: [number, number];
  fit: boolean;
  legends: Legend[];
  table: [string, string | null][];
  style: StyleSpecification;
}

/** What areas lie on, on light pages and on dark ones; as `styles` has the light one. */
const GROUND = { light: "#f5f4f0", dark: "#16181c" };

/** Of names, which lie on the classes: their colours are the same on every page. */
const INK = "#171614";

/** What the page does without: marks, which it sets on no area, and names that any client can draw. */
const UNUSED = ["marked", NAMES];

const dark = matchMedia("(prefers-color-scheme: dark)");

/** How often a new version is looked for: it is on screen within five seconds. */
const PERIOD = 4000;

const GESTURES = {
  fr: {
    "CooperativeGesturesHandler.WindowsHelpText": "Ctrl + molette pour zoomer",
    "CooperativeGesturesHandler.MacHelpText": "⌘ + molette pour zoomer",
    "CooperativeGesturesHandler.MobileHelpText": "Deux doigts pour déplacer la carte",
    "NavigationControl.ZoomIn": "Zoomer",
    "NavigationControl.ZoomOut": "Dézoomer",
    "Map.Title": "Carte",
  },
  en: {},
};

const box = document.getElementById("map") as HTMLElement;
let data = JSON.parse(document.getElementById("data")?.textContent ?? "null") as Data;

/** What names were placed for last. */
let placed = "";

announceHeight(data.id);
void start();

async function start(): Promise<void> {
  const { worker, again } = document.querySelector<HTMLElement>("script[data-worker]")?.dataset ?? {};
  if (!worker || !again) return;
  if (tilesOf(data).some((tiles) => tiles.startsWith("pmtiles:"))) {
    const { readArchives } = await import("./archive");
    readArchives();
  }
  setWorkerUrl(new URL(worker, document.baseURI).href);
  const picture = box.querySelector("img");
  const place = document.createElement("div");
  place.className = "live";
  box.append(place);
  const style = inOwnColors(named(data.style));
  let map: MapLibre;
  try {
    map = new MapLibre({
      container: place,
      style,
      ...(data.fit ? { bounds: data.bounds, fitBoundsOptions: { padding: 16, duration: 0 } } : {}),
      maxZoom: data.zooms[1] + 3,
      cooperativeGestures: true,
      locale: GESTURES[data.language],
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      renderWorldCopies: false,
      fadeDuration: 0,
    });
  } catch {
    // No WebGL: the picture stays.
    place.remove();
    return;
  }
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.once("idle", () => {
    picture?.remove();
    document.documentElement.dataset.ready = "true";
  });
  map.on("zoom", () => showLegend(map));
  map.once("load", () => showLegend(map));
  map.once("style.load", () => followTheme(map));
  map.on("idle", () => nameAreas(map));
  hover(map);
  setInterval(() => void follow(map, again), PERIOD);
}

function tilesOf({ style }: Data): string[] {
  return (style.sources.areas as VectorSourceSpecification).tiles ?? [];
}

/** Each colour of the style that is the page's own: as it was asked for, else as the browser prefers. */
function ownColors(): [layer: string, property: "background-color" | "fill-outline-color", color: unknown][] {
  const { theme = dark.matches ? "dark" : "light" } = document.documentElement.dataset;
  const ground = GROUND[theme === "dark" ? "dark" : "light"];
  return [
    ["background", "background-color", ground],
    ["areas", "fill-outline-color", borderColor(ground)],
  ];
}

function inOwnColors(style: StyleSpecification): StyleSpecification {
  for (const [id, property, color] of ownColors()) {
    const layer = style.layers.find((one) => one.id === id);
    Object.assign(layer?.paint ?? {}, { [property]: color });
  }
  return style;
}

function followTheme(map: MapLibre): void {
  dark.addEventListener("change", () => {
    for (const [layer, property, color] of ownColors()) map.setPaintProperty(layer, property, color as never);
  });
}

/** The style with names of our own in place of those that any client can draw: each area has one. */
function named(style: StyleSpecification): StyleSpecification {
  style.layers = style.layers.filter(({ id }) => !UNUSED.includes(id));
  addLabels(style, "sans-serif", INK, "rgba(255, 255, 255, 0.85)");
  return style;
}

/** Names wait until the map rests; placing them makes it rest again, once. */
function nameAreas(map: MapLibre): void {
  const what = `${map.getZoom()} ${map.getCenter()} ${data.version}`;
  if (what === placed) return;
  placed = what;
  const labels = labelsNow(map, "areas");
  if (labels) map.getSource<GeoJSONSource>(NAMES)?.setData(labels);
}

/** The legend of the level on screen. */
let shown: Legend | undefined;
function showLegend(map: MapLibre): void {
  const zoom = Math.floor(map.getZoom());
  const legend = data.legends.findLast((one) => one.zoom <= zoom) ?? data.legends[0];
  if (!legend || legend === shown) return;
  shown = legend;
  const list = document.querySelector("#legend ul");
  list?.replaceChildren(
    ...legend.lines.map(({ color, label, count }) => {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = color;
      const number = document.createElement("span");
      number.className = "count";
      number.textContent = String(count);
      item.append(swatch, `${label} `, number);
      return item;
    }),
  );
}

function hover(map: MapLibre): void {
  const card = document.createElement("div");
  card.className = "hover";
  card.hidden = true;
  box.append(card);
  map.on("mousemove", "areas", ({ features, point }) => {
    const properties = features?.[0]?.properties;
    if (!properties) return;
    const name = document.createElement("b");
    name.textContent = String(properties.name ?? "");
    const colon = data.language === "fr" ? "\u00a0: " : ": ";
    card.replaceChildren(name, data.label + colon + told(properties[data.indicator]));
    card.hidden = false;
    const right = point.x > box.clientWidth / 2;
    card.style.left = right ? "auto" : `${point.x + 12}px`;
    card.style.right = right ? `${box.clientWidth - point.x + 12}px` : "auto";
    card.style.top = `${Math.max(point.y - 40, 4)}px`;
  });
  map.on("mouseleave", "areas", () => {
    card.hidden = true;
  });
}

function told(value: unknown): string {
  if (value === undefined || value === null) return data.language === "fr" ? "pas de donnée" : "no data";
  if (typeof value !== "number" || !shown) return String(value);
  const { percent, digits, suffix } = shown;
  const number = new Intl.NumberFormat(data.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const text = number.format(percent ? value * 100 : value);
  return suffix ? `${text}\u202f${suffix}` : text;
}

/** Takes over a new version of the data, on the same map. */
async function follow(map: MapLibre, again: string): Promise<void> {
  if (document.hidden) return;
  const response = await fetch(again, { cache: "no-cache" }).catch(() => null);
  if (!response?.ok) return;
  const next = (await response.json()) as Data;
  if (next.version === data.version) return;
  data = next;
  shown = undefined;
  map.getSource<VectorTileSource>("areas")?.setTiles(tilesOf(next));
  const fill = next.style.layers.find(({ id }) => id === "areas")?.paint as { "fill-color": ExpressionSpecification };
  map.setPaintProperty("areas", "fill-color", fill["fill-color"]);
  showLegend(map);
  showTable();
  document.documentElement.dataset.version = next.version;
}

function showTable(): void {
  const missing = data.language === "fr" ? "pas de donnée" : "no data";
  document.querySelector("#table tbody")?.replaceChildren(
    ...data.table.map(([name, value]) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      const cell = document.createElement("td");
      cell.textContent = value ?? missing;
      row.append(head, cell);
      return row;
    }),
  );
}

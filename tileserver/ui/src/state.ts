/** What the page shows, as one value that the address bar carries. */
import { signal } from "@preact/signals";
import type { Classes, Range, Ranges } from "./cql";
import { type Criterion, parseScore, type Scoring, SCORINGS, scoreText } from "./score";

export const METHODS = ["jenks", "quantile", "equal", "pretty", "stddev", "headtail"] as const;
export type Method = (typeof METHODS)[number];

export const MIN_CLASSES = 2;
export const MAX_CLASSES = 9;

/** Two indicators in one set of colours, either side of a divider, or on two maps. */
export const COMPARISONS = ["colours", "swipe", "side"] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type Theme = "light" | "dark";
export type Language = "en" | "fr";

/** An area, by the level that has it. */
export interface Area {
  level: string;
  key: string;
}

export interface View {
  zoom: number;
  lat: number;
  lon: number;
}

/** `null` is "not chosen": the page decides, and the address says nothing. */
export interface State {
  layer: string | null;
  indicator: string | null;
  second: string | null;
  comparison: Comparison;
  /** Where a swipe divides the map, from 0 to 1. */
  split: number;
  method: Method;
  classes: number;
  palette: string | null;
  flip: boolean;
  /** Where a diverging palette turns, in the indicator's unit. */
  middle: number | null;
  filter: string;
  ranges: Ranges;
  /** Of the priority score, in the order they were added. */
  criteria: readonly Criterion[];
  scoring: Scoring;
  area: Area | null;
  /** Corners of a drawn zone, in degrees. */
  zone: readonly (readonly [number, number])[] | null;
  /** The contact set over the areas, the classes wanted of it, and a condition. */
  density: string | null;
  contacts: Classes;
  contactsFilter: string;
  /** The estimate of vote transfers beside the map. */
  transfers: string | null;
  /** Whether the contacts' profile is beside the map, and against which count. */
  profile: boolean;
  electorate: string | null;
  view: View | null;
  language: Language | null;
  theme: Theme | null;
  /** Whether areas are listed under the map, and by what. */
  table: boolean;
  sort: string | null;
}

export const INITIAL: Readonly<State> = {
  layer: null,
  indicator: null,
  second: null,
  comparison: "colours",
  split: 0.5,
  method: "jenks",
  classes: 5,
  palette: null,
  flip: false,
  middle: null,
  filter: "",
  ranges: {},
  criteria: [],
  scoring: SCORINGS[0],
  area: null,
  zone: null,
  density: null,
  contacts: {},
  contactsFilter: "",
  transfers: null,
  profile: false,
  electorate: null,
  view: null,
  language: null,
  theme: null,
  table: false,
  sort: null,
};

export const state = signal<State>(INITIAL);

/** Sets or, with both ends open, takes away the range of an indicator. */
export function setRange(name: string, range: Range): void {
  const { [name]: _, ...others } = state.value.ranges;
  const closed = range.min !== null || range.max !== null;
  update({ ranges: closed ? { ...others, [name]: range } : others });
}

export function update(change: Partial<State>): void {
  state.value = { ...state.value, ...change };
}

/** The fragment for `value`, without `#`; what equals the initial state is left out. */
export function encode(value: State): string {
  const pairs: [string, string][] = [];
  const put = (key: string, text: string | null) => {
    if (text) pairs.push([key, text]);
  };
  put("layer", value.layer);
  put("indicator", value.indicator);
  put("second", value.second);
  put("comparison", value.comparison === INITIAL.comparison ? null : value.comparison);
  put("split", value.split === INITIAL.split ? null : String(value.split));
  put("method", value.method === INITIAL.method ? null : value.method);
  put("classes", value.classes === INITIAL.classes ? null : String(value.classes));
  put("palette", value.palette);
  put("flip", value.flip ? "1" : null);
  put("middle", value.middle === null ? null : String(value.middle));
  put("filter", value.filter.trim());
  for (const [name, range] of Object.entries(value.ranges)) put("range", `${name}:${encodeRange(range)}`);
  put("score", scoreText(value.criteria));
  put("score-method", value.scoring === INITIAL.scoring ? null : value.scoring);
  put("area", value.area && `${value.area.level}/${value.area.key}`);
  put("zone", value.zone && value.zone.map((corner) => corner.join(",")).join(" "));
  put("density", value.density);
  for (const [name, classes] of Object.entries(value.contacts)) {
    for (const one of classes) put("contacts", `${name}:${one}`);
  }
  put("contacts-filter", value.contactsFilter.trim());
  put("transfers", value.transfers);
  put("profile", value.profile ? "1" : null);
  put("electorate", value.electorate);
  put("view", value.view && encodeView(value.view));
  put("lang", value.language);
  put("theme", value.theme);
  put("table", value.table ? "1" : null);
  put("sort", value.sort);
  return pairs.map(([key, text]) => `${key}=${encodeText(text)}`).join("&");
}

/** Reads a fragment; what does not parse is as if it were absent. */
export function decode(fragment: string): State {
  const query = new URLSearchParams(fragment.replace(/^#/, ""));
  const text = (key: string) => query.get(key) || null;
  const classes = Number(query.get("classes") ?? INITIAL.classes);
  const split = Number(query.get("split") ?? INITIAL.split);
  return {
    layer: text("layer"),
    indicator: text("indicator"),
    second: text("second"),
    comparison: oneOf(COMPARISONS, query.get("comparison")) ?? INITIAL.comparison,
    split: split >= 0 && split <= 1 ? split : INITIAL.split,
    method: oneOf(METHODS, query.get("method")) ?? INITIAL.method,
    classes: Number.isInteger(classes) && classes >= MIN_CLASSES && classes <= MAX_CLASSES ? classes : INITIAL.classes,
    palette: text("palette"),
    flip: query.get("flip") === "1",
    middle: decodeNumber(query.get("middle")),
    filter: query.get("filter") ?? "",
    ranges: Object.fromEntries(query.getAll("range").flatMap(decodeRange)),
    criteria: parseScore(query.get("score") ?? ""),
    scoring: oneOf(SCORINGS, query.get("score-method")) ?? INITIAL.scoring,
    area: decodeArea(query.get("area")),
    zone: decodeZone(query.get("zone")),
    density: text("density"),
    contacts: decodeClasses(query.getAll("contacts")),
    contactsFilter: query.get("contacts-filter") ?? "",
    transfers: text("transfers"),
    profile: query.get("profile") === "1",
    electorate: text("electorate"),
    view: decodeView(query.get("view")),
    language: oneOf(["en", "fr"] as const, query.get("lang")),
    theme: oneOf(["light", "dark"] as const, query.get("theme")),
    table: query.get("table") === "1",
    sort: text("sort"),
  };
}

/** Keeps the address and the state equal, in both directions. */
export function bindToAddress(): void {
  state.value = decode(location.hash);
  addEventListener("hashchange", () => {
    if (location.hash.replace(/^#/, "") !== encode(state.value)) state.value = decode(location.hash);
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  state.subscribe((value) => {
    clearTimeout(timer);
    // Browsers refuse frequent writes while a map moves.
    timer = setTimeout(() => history.replaceState(null, "", `#${encode(value)}`), 200);
  });
}

function encodeView(view: View): string {
  return `${view.zoom.toFixed(2)}/${view.lat.toFixed(5)}/${view.lon.toFixed(5)}`;
}

function decodeView(text: string | null): View | null {
  const numbers = (text ?? "").split("/").map(Number);
  const [zoom, lat, lon] = numbers;
  if (numbers.length !== 3 || zoom === undefined || lat === undefined || lon === undefined) return null;
  const inside = zoom >= 0 && zoom <= 24 && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return inside ? { zoom, lat, lon } : null;
}

function decodeZone(text: string | null): State["zone"] {
  const corners = (text ?? "").split(" ").map((corner) => corner.split(",").map(Number));
  const inside = ([lon = NaN, lat = NaN, ...rest]: number[]) =>
    Math.abs(lon) <= 180 && Math.abs(lat) <= 90 && rest.length === 0;
  return corners.length >= 3 && corners.every(inside) ? corners.map(([lon, lat]) => [lon as number, lat as number]) : null;
}

function decodeClasses(texts: readonly string[]): Classes {
  const classes = new Map<string, string[]>();
  for (const text of texts) {
    const [, name, value] = /^([^:]+):(.+)$/s.exec(text) ?? [];
    if (name && value) classes.set(name, [...(classes.get(name) ?? []), value]);
  }
  // Not by assignment: a name may be that of something every object has.
  return Object.fromEntries(classes);
}

function encodeRange({ min, max }: Range): string {
  return `${min ?? ""}..${max ?? ""}`;
}

function decodeRange(text: string): [string, Range][] {
  const [, name, min, max] = /^(.+):([^:]*?)\.\.([^:]*)$/.exec(text) ?? [];
  const range = { min: decodeNumber(min), max: decodeNumber(max) };
  return name && (range.min !== null || range.max !== null) ? [[name, range]] : [];
}

function decodeNumber(digits: string | null | undefined): number | null {
  return digits && Number.isFinite(Number(digits)) ? Number(digits) : null;
}

function decodeArea(text: string | null): Area | null {
  const [, level, key] = /^([^/]+)\/(.+)$/s.exec(text ?? "") ?? [];
  return level && key ? { level, key } : null;
}

/** Percent-encoding that leaves readable what a fragment may hold as it is. */
function encodeText(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|2C|3A|40|20)/g, (code) =>
    code === "%20" ? "+" : decodeURIComponent(code),
  );
}

function oneOf<T extends string>(choices: readonly T[], text: string | null): T | null {
  return choices.find((choice) => choice === text) ?? null;
}

/** The tile server's HTTP interface, as far as the page uses it. */
import { faultOf, Problem } from "./problem";
import { authorization, key, setKey } from "./session";
import type { Language, Method } from "./state";

/** Text by language code; `""` is text that was given without a language. */
export type Localized = Record<string, string>;

export interface Catalog {
  /** Layers, and the dataset's version when they were listed. */
  tiles: Record<string, { version: string; title?: Localized }>;
  /** Contact sets. */
  density: Record<string, { title?: Localized }>;
  /** Published maps: pages of their own. */
  maps: Record<string, { title: Localized; embed: string }>;
}

export interface Indicator {
  name: string;
  kind: "number" | "text";
  unit: string | null;
  label: Localized;
  description?: Localized;
  source: string | null;
  vintage: string | null;
  licence: string | null;
  estimate: boolean;
  /** By level that has the indicator; text has no range. */
  levels: Record<string, { count: number; missing: number; min: number | null; max: number | null }>;
}

export interface Level {
  name: string;
  title?: Localized;
  zooms: [number, number];
  rows: number;
  bounds: [number, number, number, number];
}

export interface TileJson {
  name: string;
  bounds: [number, number, number, number];
  minzoom: number;
  maxzoom: number;
  /** Text, escaped for HTML. */
  attribution?: string;
  maille: {
    version: string;
    dataset: string;
    dataset_title: Localized;
    title: Localized;
    /** What a map shows first: nearly all areas, or all. */
    home: [number, number, number, number];
    default_properties: string[];
    /** Finest first. */
    levels: Level[];
    indicators: Indicator[];
    /** Estimates of where votes of a first ballot went. */
    transfers: { name: string; title: Localized }[];
  };
}

/** By option of the first ballot, then of the second. */
export type Nested<T> = Record<string, Record<string, T>>;

/** An estimate of where the votes of a first ballot went; no count says it. */
export interface Transfers {
  name: string;
  title: Localized;
  level: string;
  method: string;
  /** Areas it is estimated from. */
  units: number;
  /** Share of votes in areas that both ballots have. */
  coverage: number;
  from: string[];
  to: string[];
  /** Votes. */
  matrix: Nested<number>;
  interval_5_95?: Nested<[number, number]>;
  /** What the totals of areas alone allow. */
  bounds: Nested<[number, number]>;
  corners: [string, string][];
  /** Share of votes by which the areas' own tables differ from the matrix. */
  heterogeneity: number;
}

/** An attribute of contacts. */
export interface Dimension {
  name: string;
  classes: string[];
}

/** Where contacts of a set are, under a filter. */
export interface Density {
  bounds: [number, number, number, number];
  minzoom: number;
  maxzoom: number;
  maille: {
    /** Staff see counts, everybody else a release of noisy ones. */
    tier: "inside" | "outside";
    matched: number;
    epsilon?: number;
    dimensions?: Dimension[];
    /** Dimensions that a release crosses: a filter keeps to one of these. */
    cubes?: Dimension[][];
    /** By zoom, the smallest and the greatest count of a cell. */
    ranges: Record<string, [number, number]>;
  };
}

/** What the areas that contacts live in are like, against those of the electorate; not what contacts are. */
export interface Profile {
  areas: number;
  electors: number;
  contacts: { set: string; in_areas: number; denominator: { property: string | null; label: Localized } | null };
  indicators: ProfileOf[];
  quotients: { key: string; name: string; quotient: number }[];
  /** `null` where indicators repeat each other. */
  logistic: { areas: number; weights: { name: string; weight: number; error: number; odds_ratio: number }[] } | null;
  /** `null` where too few areas have all indicators. */
  lookalikes: { seeds: number; auc: number; areas: { key: string; name: string; distance: number }[] } | null;
}

/** Of numbers, or of text by its values. */
export interface ProfileOf {
  name: string;
  /** Contacts in the areas that have a value. */
  contacts?: number;
  mean_contacts?: number | null;
  mean_electors?: number | null;
  /** 100 where both have the same mean. */
  index?: number | null;
  /** Difference of the means in standard deviations. */
  std_diff?: number | null;
  noteworthy?: boolean;
  classes?: { value: string; contacts: number; share_contacts: number; share_electors: number; index: number }[];
  /** Classes of fewer contacts than `class_min`. */
  classes_hidden?: number;
  class_min?: number;
}

export interface Histogram {
  min: number | null;
  max: number | null;
  counts: number[];
}

export interface Stats {
  property: string;
  count: number;
  missing: number;
  /** Of numbers; `null` where no area has one. */
  min?: number | null;
  max?: number | null;
  median?: number | null;
  histogram?: Histogram;
  /** Of numbers: class `i` holds the values above `upper[i - 1]`, up to `upper[i]`. */
  breaks?: { method: string; requested: number; k: number; upper: number[]; counts: number[] };
  /** Of text, the most frequent first. */
  values?: { value: string; count: number }[];
  /** Of text, its values of all levels in the order of their colours. */
  order?: string[];
}

export interface Item {
  id: number;
  geometry: { type: "MultiPolygon"; coordinates: [number, number][][][] } | null;
  properties: { key: string; name: string; [indicator: string]: string | number | null };
}

/** What an area's card says of one indicator. */
export interface Described {
  name: string;
  value: number | string | null;
  /** From the greatest, among the `of` areas that have a value. */
  rank: number | null;
  of: number | null;
  /** Of the area that holds this one, and of all areas together. */
  parent: number | string | null;
  layer: number | null;
}

/** One figure over several elections. */
export interface Series {
  name: string;
  unit: string | null;
  points: { time: string; indicator: string; value: number | null }[];
}

/** An area with its place among the others. */
export interface Card extends Item {
  parent: { level: string; key: string; name: string } | null;
  indicators: Described[];
  series: Series[];
}

/** The figures of a drawn zone, from the counts of the areas it covers. */
export interface ZoneFigures {
  /** How much of the zone areas cover, from 0 to 1. */
  coverage: number;
  indicators: { name: string; value: number | null; coverage: number; estimate: boolean }[];
  numberAreas: number;
  areas: { key: string; name: string; share: number }[];
}

/** An area found by name or key. */
export interface Hit {
  key: string;
  name: string;
  level: string;
  parent_name: string | null;
  bounds: [number, number, number, number];
}

export interface Items {
  features: Item[];
  numberMatched: number;
}

/** An area under a score; one that misses a criterion is not among them. */
export interface RankedItem {
  id: number;
  properties: {
    key: string;
    name: string;
    score: number;
    rank: number;
    /** In how many of the draws with other weights it is among the first, from 0 to 1. */
    stability?: number | null;
    /** Points by criterion, which add up to the score; `null` where the method has no such parts. */
    contributions: Record<string, number> | null;
  };
}

export interface RankedItems {
  features: RankedItem[];
  numberMatched: number;
  numberUnranked: number;
  unranked: { key: string; name: string; missing: string[] }[];
  ranking: { ranked: number; stability: { top: number; noise: number; draws: number } | null };
}

/** Criteria by which areas are scored. */
export interface ScoreQuery {
  score?: string;
  "score-method"?: string;
}

export interface ItemsQuery extends ScoreQuery {
  layer: string;
  level: string;
  version: string;
  filter?: string;
  properties?: string;
  sortby?: string;
  limit: number;
}

export interface StatsQuery extends ScoreQuery {
  layer: string;
  level: string;
  property: string;
  version: string;
  filter?: string;
  method?: Method;
  classes?: number;
  /** Count in these classes instead of computing any. */
  breaks?: number[];
}

/** Bars of a histogram. */
const BINS = 40;

type Query = Record<string, string | number | undefined>;

/** The server's root, with or without a prefix before it. */
export const ROOT = new URL(".", document.baseURI);

/** An address below the root. Empty values are left out, so that equal requests are equal texts. */
export function address(path: string, query: Query = {}): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return ROOT.href + path + (pairs.length > 0 ? `?${pairs.join("&")}` : "");
}

export function tileTemplate(layer: string, query: Query): string {
  return address(`${encodeURIComponent(layer)}/{z}/{x}/{y}`, query);
}

export function getCatalog(signal: AbortSignal): Promise<Catalog> {
  // A cached one may be of the version before, or of another key.
  return get("catalog", {}, signal, "no-cache");
}

export function getTileJson(layer: string, signal: AbortSignal): Promise<TileJson> {
  // A cached description may be of the version before.
  return get(encodeURIComponent(layer), {}, signal, "no-cache");
}

export function getDensity(set: string, filter: string, version: string, signal: AbortSignal): Promise<Density> {
  return get(`density/${encodeURIComponent(set)}`, { filter, v: version }, signal);
}

export function getTransfers(layer: string, name: string, version: string, signal: AbortSignal): Promise<Transfers> {
  return get(`${encodeURIComponent(layer)}/transfers`, { name, v: version }, signal);
}

export interface ProfileQuery {
  layer: string;
  level: string;
  version: string;
  /** The contact set, which of it, and the indicator that counts the electorate. */
  contacts: string;
  "contacts-filter": string;
  "contacts-denominator"?: string;
  properties: string;
  /** Of areas. */
  filter: string;
  limit: number;
}

/** For those who may see the contacts one by one. */
export function getProfile({ layer, version, ...query }: ProfileQuery, signal: AbortSignal): Promise<Profile> {
  return get(`${encodeURIComponent(layer)}/profile`, { ...query, v: version }, signal);
}

/** Whether the server accepts a key. */
export async function isKey(text: string): Promise<boolean> {
  const response = await fetch(address("catalog"), { headers: authorization(text), cache: "no-store" });
  return response.ok;
}

/** A request of the map's own, with the reader's key where it goes to this server. */
export function withKey(url: string): { url: string; headers?: Record<string, string> } {
  return url.startsWith(ROOT.href) ? { url, headers: authorization() } : { url };
}

/** A file as the reader may see it. */
export async function getFile(url: string): Promise<Blob> {
  const response = await fetch(url, { headers: authorization() });
  if (!response.ok) throw await problemOf(response);
  return response.blob();
}

export function getStats(query: StatsQuery, signal: AbortSignal): Promise<Stats> {
  return get(
    `${encodeURIComponent(query.layer)}/stats`,
    {
      property: query.property,
      level: query.level,
      method: query.method,
      k: query.classes,
      bins: BINS,
      breaks: query.breaks?.join(","),
      filter: query.filter,
      score: query.score,
      "score-method": query["score-method"],
      v: query.version,
    },
    signal,
  );
}

export function getItem(
  layer: string,
  level: string,
  key: string,
  version: string,
  signal: AbortSignal,
): Promise<Card> {
  return get(`${encodeURIComponent(layer)}/items/${encodeURIComponent(key)}`, { level, v: version }, signal);
}

export async function postZone(
  layer: string,
  level: string,
  zone: GeoJSON.Polygon,
  signal: AbortSignal,
): Promise<ZoneFigures> {
  const response = await fetch(address(`${encodeURIComponent(layer)}/zone`, { level }), {
    method: "POST",
    signal,
    headers: { ...authorization(), accept: "application/json", "content-type": "application/geo+json" },
    body: JSON.stringify(zone),
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as ZoneFigures;
}

/** Areas of every level whose name or key is like `text`, the likeliest first. */
export async function search(layer: string, text: string, version: string, signal: AbortSignal): Promise<Hit[]> {
  const query = { q: text, limit: 8, v: version };
  return (await get<{ results: Hit[] }>(`${encodeURIComponent(layer)}/search`, query, signal)).results;
}

/** Rows without their shapes. */
export function getItems(query: ItemsQuery, signal: AbortSignal): Promise<Items> {
  return rows(query, signal);
}

/** Rows under a score, the areas without one apart. */
export function getRanking(query: ItemsQuery, signal: AbortSignal): Promise<RankedItems> {
  return rows(query, signal);
}

function rows<T>({ layer, version, ...query }: ItemsQuery, signal: AbortSignal): Promise<T> {
  return get(`${encodeURIComponent(layer)}/items`, { ...query, geometry: "false", v: version }, signal);
}

/** A style for other map clients that draws what is asked for. */
export function styleAddress(template: "choropleth" | "bivariate" | "priority", query: Query): string {
  return address(`styles/${template}/style.json`, query);
}

/** What a page of another site holds to show a published map: a frame, and the script that fits its height. */
export function embedCode(title: string, embed: string): string {
  const frame = document.createElement("iframe");
  frame.title = title;
  frame.src = embed;
  frame.setAttribute("loading", "lazy");
  frame.setAttribute("style", "width:0;min-width:100%!important;border:none");
  frame.height = "560";
  const script = document.createElement("script");
  script.src = new URL("../embed.js", embed).href;
  script.async = true;
  return frame.outerHTML + script.outerHTML;
}

/** Programs that read rows, and how the server writes for them. */
const FILES = {
  csv: ["csv", {}],
  spreadsheet: ["csv", { dialect: "spreadsheet" }],
  geojson: ["geojson", {}],
} as const satisfies Record<string, readonly [string, Query]>;

/** The rows under a filter, in an order, as a file to keep. */
export function fileAddress(kind: keyof typeof FILES, query: ScoreQuery & FileQuery): string {
  const [extension, dialect] = FILES[kind];
  const { layer, ...rest } = query;
  return address(`${encodeURIComponent(layer)}/items.${extension}`, { ...rest, ...dialect });
}

interface FileQuery {
  layer: string;
  level: string;
  filter: string;
  sortby?: string;
}

async function get<T>(path: string, query: Query, signal: AbortSignal, cache: RequestCache = "default"): Promise<T> {
  const headers = { ...authorization(), accept: "application/json" };
  const response = await fetch(address(path, query), { signal, cache, headers });
  // A key that was revoked meanwhile: the reader is the public again.
  if (response.status === 401 && "authorization" in headers && key.peek()) setKey("");
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const members = body && typeof body === "object" ? (body as Record<string, unknown>) : {};
  const detail = members.detail ?? members.title ?? response.statusText;
  return new Problem(response.status, String(detail), faultOf(members));
}

/** What an escaped text says. The parser runs no script and loads nothing. */
export function unescaped(html: string): string {
  return new DOMParser().parseFromString(html, "text/html").body.textContent ?? "";
}

/** The text in `language`, else in any other there is. */
export function textIn(text: Localized | undefined, language: Language, fallback: string): string {
  if (!text) return fallback;
  return text[language] ?? text[""] ?? text.en ?? text.fr ?? Object.values(text)[0] ?? fallback;
}

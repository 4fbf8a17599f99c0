/** What the page knows, derived from its state and the server's answers. */
import { computed, signal } from "@preact/signals";
import { getCatalog, getItem, getStats, getTileJson, type Indicator, type Level, textIn, type TileJson, tileTemplate, unescaped } from "./api";
import { type Classes, classesOf } from "./classes";
import { conditionOf } from "./cql";
import { type Format, formatFor } from "./format";
import { language, words } from "./i18n";
import { resource } from "./resource";
import { state, type Theme } from "./state";

/** The map's zoom as it is now; the level shown depends on it. */
export const zoom = signal<number | null>(null);

const darkBrowser = matchMedia("(prefers-color-scheme: dark)");
const browserTheme = signal<Theme>(darkBrowser.matches ? "dark" : "light");
darkBrowser.addEventListener("change", (event) => {
  browserTheme.value = event.matches ? "dark" : "light";
});
export const theme = computed<Theme>(() => state.value.theme ?? browserTheme.value);

export const catalog = resource(
  () => true,
  (_, cancelled) => getCatalog(cancelled),
);

export const layers = computed(() => Object.keys(catalog.value.value?.tiles ?? {}));

export const layer = computed<string | null>(() => {
  const chosen = state.value.layer;
  return (chosen && layers.value.includes(chosen) ? chosen : layers.value[0]) ?? null;
});

export const tileJson = resource(
  () => layer.value,
  async (name, cancelled) => ({ layer: name, json: await getTileJson(name, cancelled) }),
);

/** The description of the layer shown; `null` while it is on its way. */
export const description = computed<TileJson | null>(() => {
  const answer = tileJson.value.value;
  return answer?.layer === layer.value ? answer.json : null;
});

/** The level that tiles show at the map's zoom. */
export const level = computed<Level | null>(() => {
  const levels = description.value?.maille.levels ?? [];
  if (zoom.value === null) return null;
  const z = Math.floor(zoom.value);
  // Beyond its last zoom the finest level is drawn larger.
  return levels.find(({ zooms }) => z >= zooms[0] && z <= zooms[1]) ?? levels[0] ?? null;
});

/** The indicators that the level has, in the project's order. */
export const indicators = computed<Indicator[]>(() => {
  const name = level.value?.name;
  return name ? (description.value?.maille.indicators.filter(({ levels }) => name in levels) ?? []) : [];
});

export const indicator = computed<Indicator | null>(() => {
  const byName = (name: string | null | undefined) => indicators.value.find((candidate) => candidate.name === name);
  return (
    byName(state.value.indicator) ??
    byName(description.value?.maille.default_properties[0]) ??
    indicators.value[0] ??
    null
  );
});

/** Whom the map is owed to, as text. */
export const attribution = computed(() => unescaped(description.value?.attribution ?? ""));

export function titleOf(level: Level): string {
  return textIn(level.title, language.value, level.name);
}

export function labelOf(indicator: Indicator): string {
  return textIn(indicator.label, language.value, indicator.name);
}

export function formatOf(indicator: Indicator): Format {
  const range = indicator.levels[level.value?.name ?? ""];
  const span = (range?.max ?? 0) - (range?.min ?? 0);
  return formatFor(indicator.unit, span, language.value, words.value);
}

/** Statistics of all areas: they make the classes, which therefore do not move with the filter. */
export const stats = resource(
  () => {
    const { method, classes } = state.value;
    const numbers = indicator.value?.kind === "number" ? { method, classes } : {};
    return request(numbers);
  },
  (query, cancelled) => getStats(query, cancelled),
);

/** All that the reader asks of an area. */
export const condition = computed<string>(() => conditionOf(state.value.filter, state.value.ranges));

/** Statistics of the areas that pass the filter, counted in the same classes. */
export const matched = resource(
  () => {
    const filter = condition.value;
    const all = stats.value.value;
    if (!filter || !all || all.property !== indicator.value?.name) return null;
    return request({ filter, ...(all.breaks ? { breaks: all.breaks.upper } : {}) });
  },
  async (query, cancelled) => ({ filter: query.filter as string, stats: await getStats(query, cancelled) }),
);

/**
 * The last filter that the server understood: what the map shows while another is being written.
 * `null` until the first answer.
 */
export const filter = computed<string | null>(() => {
  if (!condition.value) return "";
  return matched.value.value?.filter ?? (matched.error.value ? "" : null);
});

export const classes = computed<Classes | null>(() => {
  const all = stats.value.value;
  const by = indicator.value;
  if (!all || !by || all.property !== by.name) return null;
  const { palette, flip } = state.value;
  const under = matched.value.value?.stats;
  return classesOf(by, all, { palette, flip, dark: theme.value === "dark" }, under?.property === by.name ? under : null);
});

export const item = resource(
  () => {
    const { area } = state.value;
    const version = description.value?.maille.version;
    return area && layer.value && version ? { ...area, layer: layer.value, version } : null;
  },
  async (query, cancelled) => ({
    level: query.level,
    item: await getItem(query.layer, query.level, query.key, query.version, cancelled),
  }),
);

/** Tiles of the indicator under the filter. Versioned, so that they can be kept for ever. */
export const tiles = computed<string | null>(() => {
  const by = indicator.value;
  const version = description.value?.maille.version;
  if (!layer.value || !by || !version || filter.value === null) return null;
  return tileTemplate(layer.value, { v: version, properties: by.name, filter: filter.value });
});

function request<T extends object>(more: T) {
  const version = description.value?.maille.version;
  const by = indicator.value;
  return layer.value && level.value && by && version
    ? { layer: layer.value, level: level.value.name, property: by.name, version, ...more }
    : null;
}

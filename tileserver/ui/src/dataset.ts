/** What there is to show: layers, their levels and indicators, as the server describes them. */
import { computed, effect, signal, untracked } from "@preact/signals";
import { getCatalog, getTileJson, type Indicator, type Level, textIn, type TileJson, unescaped } from "./api";
import { type Format, formatFor } from "./format";
import { language, words } from "./i18n";
import { askAgain, resource } from "./resource";
import { session } from "./session";
import { state } from "./state";

/** The map's zoom as it is now; the level shown depends on it. `null` until there is a map. */
export const zoom = signal<number | null>(null);

/** Counts versions after the one listed: each may hold other layers, contacts and maps. */
const renewals = signal(0);

export const catalog = resource(
  () => ({ session: session.value, renewals: renewals.value }),
  (_, cancelled) => getCatalog(cancelled),
);

export const layers = computed(() => Object.keys(catalog.value.value?.tiles ?? {}));

export const layer = computed<string | null>(() => {
  const chosen = state.value.layer;
  return (chosen && layers.value.includes(chosen) ? chosen : layers.value[0]) ?? null;
});

/** What a layer is called. */
export function titleOfLayer(name: string): string {
  return textIn(catalog.value.value?.tiles[name]?.title, language.value, name);
}

/** How often an open page asks whether there is a new version: it is on screen within five seconds. */
const LOOK = 4_000;

const looks = signal(0);
setInterval(() => {
  if (document.hidden) return;
  looks.value += 1;
  // Without the list there is no layer to look at.
  if (!layer.peek()) askAgain();
}, LOOK);

export const tileJson = resource(
  () => (layer.value ? { name: layer.value, look: looks.value, session: session.value } : null),
  async ({ name }, cancelled) => ({ layer: name, json: await getTileJson(name, cancelled) }),
);

/** Counts answers to looks: the server was there. */
export const answers = signal(0);
effect(() => {
  if (!tileJson.value.value) return;
  answers.value = answers.peek() + 1;
  untracked(askAgain);
});

let seen: string | undefined;
effect(() => {
  const answer = tileJson.value.value;
  if (!answer) return;
  const { version } = answer.json.maille;
  // The first may already be newer than the list it was found in.
  seen ??= untracked(() => catalog.value.value?.tiles[answer.layer]?.version);
  if (seen && version !== seen) renewals.value = untracked(() => renewals.value) + 1;
  seen = version;
});

let described: { layer: string; json: TileJson } | null = null;

/** The description of the layer shown, the same object while its version is; `null` until it is there. */
export const description = computed<TileJson | null>(() => {
  const answer = tileJson.value.value;
  if (!answer || answer.layer !== layer.value) return null;
  const same = described?.layer === answer.layer && described.json.maille.version === answer.json.maille.version;
  if (!same) described = answer;
  return described?.json ?? null;
});

/** The level that tiles show at the map's zoom. */
export const level = computed<Level | null>(() => {
  const levels = description.value?.maille.levels ?? [];
  if (zoom.value === null) return null;
  const z = Math.floor(zoom.value);
  // Beyond its last zoom the finest level is drawn larger.
  return levels.find(({ zooms }) => z >= zooms[0] && z <= zooms[1]) ?? levels[0] ?? null;
});

/** What every question about the level shown names. */
export const here = computed(() => {
  const version = description.value?.maille.version;
  return layer.value && level.value && version ? { layer: layer.value, level: level.value.name, version } : null;
});

/** Whether an answer to such a question is of what is shown now. */
export function isHere(at: typeof here.value | undefined): boolean {
  return JSON.stringify(at) === JSON.stringify(here.value);
}

/** The indicators that the level has, in the project's order. */
export const indicators = computed<Indicator[]>(() => {
  const name = level.value?.name;
  return name ? (description.value?.maille.indicators.filter(({ levels }) => name in levels) ?? []) : [];
});

export function indicatorByName(name: string | null | undefined): Indicator | undefined {
  return indicators.value.find((candidate) => candidate.name === name);
}

/** Whom the map is owed to, as text. */
export const attribution = computed(() => unescaped(description.value?.attribution ?? ""));

export function titleOf(level: Level): string {
  return textIn(level.title, language.value, level.name);
}

/** An estimate says that it is one wherever it is named. */
export function labelOf(indicator: Indicator): string {
  const label = textIn(indicator.label, language.value, indicator.name);
  const estimate = words.value.estimate.toLowerCase();
  return indicator.estimate && !label.toLowerCase().includes(estimate) ? `${label} (${estimate})` : label;
}

/** `bounds`: of classes, which are to read apart. */
export function formatOf(indicator: Indicator, bounds?: readonly number[]): Format {
  const range = indicator.levels[level.value?.name ?? ""];
  const span = (range?.max ?? 0) - (range?.min ?? 0);
  return formatFor(indicator.unit, span, language.value, words.value, bounds);
}

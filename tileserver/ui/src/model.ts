/** What the map shows, derived from the page's state and the server's answers. */
import { computed, effect, signal } from "@preact/signals";
import { getItem, type Indicator, tileTemplate } from "./api";
import { type Classes, gridOf } from "./classes";
import { conditionOf } from "./cql";
import { description, here, indicatorByName, indicators, isHere, layer } from "./dataset";
import { type Classing, figure, type Figure } from "./figure";
import { criteria, measureByName, scoreQuery } from "./priority";
import { Problem } from "./problem";
import { resource } from "./resource";
import { SCORE } from "./score";
import { type Comparison, state, update } from "./state";
import { theme } from "./theme";

/** Classes along each side of the two-colour legend. */
const GRID_SIDE = 3;

export const indicator = computed<Indicator | null>(
  () =>
    measureByName(state.value.indicator) ??
    indicatorByName(description.value?.maille.default_properties[0]) ??
    indicators.value[0] ??
    null,
);

/** What the indicator is compared with. */
export const second = computed<Indicator | null>(() => {
  const found = measureByName(state.value.second);
  return found && found.name !== indicator.value?.name ? found : null;
});

/** Text has no colours in common with another indicator. */
export const twoNumbers = computed(() => indicator.value?.kind === "number" && second.value?.kind === "number");

/** How. */
export const comparison = computed<Comparison | null>(() => {
  if (!indicator.value || !second.value) return null;
  return state.value.comparison === "colours" && !twoNumbers.value ? "swipe" : state.value.comparison;
});

/** All that the reader asks of an area. */
export const condition = computed<string>(() => conditionOf(state.value.filter, state.value.ranges));

const classing = computed<Classing>(() => ({
  method: state.value.method,
  classes: comparison.value === "colours" ? GRID_SIDE : state.value.classes,
}));

/** Where the palette turns is chosen in the unit of the indicator alone. */
export const main: Figure = figure(indicator, condition, classing, () => state.value.middle);
export const other: Figure = figure(second, condition, classing, () => null);

/** What the map draws: one figure, or two in one set of colours. */
export const classes = computed<Classes | null>(() => {
  const [a, b] = [main.classes.value, other.classes.value];
  if (comparison.value !== "colours") return a;
  return a?.kind === "number" && b?.kind === "number" ? gridOf(a, b, theme.value === "dark") : null;
});

/** A written condition, of the level whose fields it names. */
const written = computed(() => JSON.stringify([here.value, state.value.filter.trim()]));

/** The last one of them that the server understood. */
const understood = signal("");
effect(() => {
  if (main.matched.value.value?.filter === condition.peek()) understood.value = written.peek();
});

/** Whether the condition needs no answer to be shown: ranges are of the level's own numbers. */
const sure = computed(() => {
  const { filter, ranges } = state.value;
  const own = Object.keys(ranges).every((name) => indicatorByName(name)?.kind === "number");
  return own && (filter.trim() === "" || written.value === understood.value);
});

/** No area passes it. */
const NOTHING = "FALSE";

/** The last filter that was understood, and where. */
let kept: { at: typeof here.value; filter: string } = { at: null, filter: "" };

/**
 * The last filter that the server understood: what the map shows while another is being written.
 * One that it is sure to understand is asked of everything at once. A level that has understood none shows
 * nothing: all of its areas would be taken for those that pass. `null` until the first answer.
 */
export const filter = computed<string | null>(() => {
  const answer = main.under.value;
  const asked = condition.value;
  const own = !asked || sure.value ? asked : isHere(answer?.at) ? answer?.filter : undefined;
  if (own !== undefined) kept = { at: here.value, filter: own };
  if (isHere(kept.at)) return kept.filter;
  return main.matched.error.value ? NOTHING : (answer?.filter ?? null);
});

/** What is wrong with the condition, where nothing is shown because of it. */
export const refused = computed<Error | null>(() =>
  condition.value && filter.value === NOTHING ? main.matched.error.value : null,
);

/** Tiles of what is shown under the filter. Versioned, so that they can be kept for ever. */
export const tiles = computed<string | null>(() => {
  const version = description.value?.maille.version;
  if (!layer.value || !indicator.value || !here.value || !version || filter.value === null) return null;
  const shown = [indicator.value, second.value].flatMap((one) => (one ? [one.name] : []));
  // Beside a score go the values it is made of.
  const carried = shown.flatMap((name) => (name === SCORE ? criteria.value.map((one) => one.name) : [name]));
  const scored = shown.includes(SCORE) ? scoreQuery.value : null;
  const properties = [...new Set(carried)].join(",");
  return tileTemplate(layer.value, { v: version, properties, filter: filter.value, ...scored });
});

/** The area chosen, whole. */
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

/** The key of an area that was asked for and is not there, until another is chosen. */
export const missing = signal<string | null>(null);
effect(() => {
  const error = item.error.value;
  const { area } = state.peek();
  if (!area || !(error instanceof Problem) || error.status !== 404) return;
  missing.value = area.key;
  update({ area: null });
});
effect(() => {
  if (state.value.area) missing.value = null;
});

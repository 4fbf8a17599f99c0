/** One indicator as a figure: its statistics, and the classes that follow from them. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { getStats, type Indicator, type ScoreQuery, type Stats } from "./api";
import { type Classes, classesOf } from "./classes";
import { here, isHere } from "./dataset";
import { scoreQuery } from "./priority";
import { type Resource, resource } from "./resource";
import { SCORE } from "./score";
import { type Method, state } from "./state";
import { theme } from "./theme";

export interface Figure {
  indicator: ReadonlySignal<Indicator | null>;
  /** Of all areas: they make the classes, which therefore do not move with the filter. */
  stats: Resource<Stats>;
  /** Of the areas that pass the filter, counted in the same classes; with the filter they pass, and where. */
  matched: Resource<Matched>;
  /** The same, but of another level only until the one shown has refused the filter. */
  under: ReadonlySignal<Matched | null>;
  classes: ReadonlySignal<Classes | null>;
}

export interface Matched {
  at: typeof here.value;
  filter: string;
  stats: Stats;
}

/** How numbers are classed. */
export interface Classing {
  method: Method;
  classes: number;
}

export function figure(
  indicator: ReadonlySignal<Indicator | null>,
  condition: ReadonlySignal<string>,
  classing: ReadonlySignal<Classing>,
  middle: () => number | null,
): Figure {
  const stats = resource(
    () => {
      const by = indicator.value;
      if (!by || !here.value) return null;
      const classed = by.kind === "number" ? classing.value : {};
      return { ...here.value, ...scoredBy(by.name), property: by.name, ...classed };
    },
    (query, cancelled) => getStats(query, cancelled),
  );

  const matched = resource(
    () => {
      const filter = condition.value;
      const all = stats.value.value;
      if (!filter || !here.value || !all || all.property !== indicator.value?.name) return null;
      const counted = all.breaks ? { breaks: all.breaks.upper } : {};
      return { ...here.value, ...scoredBy(all.property), property: all.property, filter, ...counted };
    },
    async (query, cancelled) => {
      const { layer, level, version, filter } = query;
      return { at: { layer, level, version }, filter, stats: await getStats(query, cancelled) };
    },
  );

  const under = computed(() => {
    const answer = matched.value.value;
    return matched.error.value && !isHere(answer?.at) ? null : answer;
  });

  const classes = computed<Classes | null>(() => {
    const by = indicator.value;
    const all = stats.value.value;
    if (!by || all?.property !== by.name) return null;
    const passing = under.value?.stats;
    const { palette, flip } = state.value;
    const choice = { palette, flip, middle: middle(), dark: theme.value === "dark" };
    return classesOf(by, all, choice, passing?.property === by.name ? passing : null);
  });

  return { indicator, stats, matched, under, classes };
}

/** What statistics of the score need to know. */
function scoredBy(property: string): ScoreQuery {
  return property === SCORE ? (scoreQuery.value ?? {}) : {};
}

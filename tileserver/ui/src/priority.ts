/** Which areas come first under the reader's own criteria: a score, shown like any indicator. */
import { computed } from "@preact/signals";
import { getRanking, type Indicator, type RankedItems, type ScoreQuery } from "./api";
import { description, here, indicatorByName } from "./dataset";
import { LANGUAGES } from "./i18n";
import { categorical, paletteById, type Palette } from "./palette";
import { type Resource, resource } from "./resource";
import { type Criterion, POINTS, SCORE, SCORINGS, scoreText } from "./score";
import { state, update } from "./state";

/** The criteria that the level shown can be scored by. */
export const criteria = computed<readonly Criterion[]>(() =>
  state.value.criteria.filter(({ name }) => indicatorByName(name)?.kind === "number"),
);

/** A criterion's colour, in the list as in the bars of the areas. */
export function colorOfCriterion(name: string): string {
  const colors = categorical(paletteById("categories") as Palette, criteria.value.length);
  return colors[criteria.value.findIndex((one) => one.name === name)] ?? "none";
}

/** How every question about scores asks for them; `null` without criteria. */
export const scoreQuery = computed<ScoreQuery | null>(() => {
  if (criteria.value.length === 0) return null;
  const { scoring } = state.value;
  return { score: scoreText(criteria.value), ...(scoring === SCORINGS[0] ? {} : { "score-method": scoring }) };
});

/** The score as an indicator; `null` without criteria. */
export const scoreIndicator = computed<Indicator | null>(() => {
  if (!scoreQuery.value) return null;
  const range = { count: 0, missing: 0, min: 0, max: POINTS };
  const levels = description.value?.maille.levels ?? [];
  return {
    name: SCORE,
    kind: "number",
    unit: null,
    label: { en: LANGUAGES.en.score, fr: LANGUAGES.fr.score },
    source: null,
    vintage: null,
    licence: null,
    estimate: false,
    levels: Object.fromEntries(levels.map(({ name }) => [name, range])),
  };
});

/** An indicator of the level, or the score. */
export function measureByName(name: string | null | undefined): Indicator | undefined {
  return name === SCORE ? (scoreIndicator.value ?? undefined) : indicatorByName(name);
}

/** The first criterion brings the score on the map; the last one takes it with it. */
export function setCriteria(next: readonly Criterion[]): void {
  const { criteria: before, indicator, second } = state.peek();
  const started = before.length === 0 && next.length > 0;
  const ended = next.length === 0;
  update({
    criteria: next,
    indicator: started ? SCORE : ended && indicator === SCORE ? null : indicator,
    second: ended && second === SCORE ? null : second,
    ...(started || (ended && indicator === SCORE) ? { middle: null } : {}),
  });
}

/** The `limit` first areas of those under `filter`; not asked before the filter is known. */
export function ranking(filter: () => string | null, limit: () => number): Resource<RankedItems> {
  return resource(
    () => {
      const under = filter();
      if (!here.value || !scoreQuery.value || under === null) return null;
      const properties = criteria.value.map(({ name }) => name).join(",");
      return { ...here.value, ...scoreQuery.value, properties, filter: under, sortby: `-${SCORE}`, limit: limit() };
    },
    (query, cancelled) => getRanking(query, cancelled),
  );
}

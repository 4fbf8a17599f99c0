/** What the legend lists and the map draws: classes of a number, or categories of a text. */
import type { Indicator, Stats } from "./api";
import {
  bivariate,
  categorical,
  diverging,
  PALETTES,
  type Palette,
  paletteById,
  type PaletteKind,
  sequential,
} from "./palette";
import { SCORE } from "./score";

/** Areas with a value in `(above, upto]`; the first class includes its lower end. */
export interface NumberClass {
  above: number;
  upto: number;
  color: string;
  count: number;
}

export interface Category {
  value: string;
  color: string;
  count: number;
}

export interface NumberClasses {
  kind: "number";
  property: string;
  classes: NumberClass[];
}

export interface TextClasses {
  kind: "text";
  property: string;
  categories: Category[];
  other: { color: string; count: number } | null;
}

/** Two indicators at once: the colour of class `i` of `a` and `j` of `b` is `colors[i + j * a.classes.length]`. */
export interface Grid {
  kind: "grid";
  a: NumberClasses;
  b: NumberClasses;
  colors: string[];
}

export type Classes = NumberClasses | TextClasses | Grid;

/** The indicators that the classes need of an area. */
export function propertiesOf(classes: Classes): string[] {
  return classes.kind === "grid" ? [classes.a.property, classes.b.property] : [classes.property];
}

export interface Choice {
  palette: string | null;
  flip: boolean;
  /** Where a diverging palette turns; `null` is {@link middleOf}. */
  middle: number | null;
  dark: boolean;
}

/** Categories that have a colour and a line of the legend of their own. */
const MAX_CATEGORIES = 8;

/**
 * Classes of `stats`, in colours. `matched` are the statistics under the filter, counted in the same
 * classes; without them the counts are those of all areas. A score is relative to the areas that pass, so
 * that under a filter it may lie beyond all classes: it is then in the first or the last.
 */
export function classesOf(
  indicator: Indicator,
  stats: Stats,
  choice: Choice,
  matched: Stats | null,
): NumberClasses | TextClasses | null {
  if (indicator.kind === "text") return categoriesOf(stats, matched, choice);
  const { breaks, min } = stats;
  if (!breaks || min === undefined || min === null || breaks.upper.length === 0) return null;
  const palette = paletteFor(indicator, stats, choice.palette);
  const colors =
    palette.kind === "diverging"
      ? diverging(palette, [min, ...breaks.upper], choice.middle ?? middleOf(stats), choice.dark, choice.flip)
      : sequential(palette, breaks.upper.length, choice.dark, choice.flip);
  const counts = (matched ?? stats).breaks?.counts ?? [];
  const lowest = Math.min(min, matched?.min ?? min);
  const last = breaks.upper.length - 1;
  return {
    kind: "number",
    property: stats.property,
    classes: breaks.upper.map((upto, i) => ({
      above: breaks.upper[i - 1] ?? lowest,
      upto: i === last ? Math.max(upto, matched?.max ?? upto) : upto,
      color: colors[i] as string,
      count: counts[i] ?? 0,
    })),
  };
}

/** Two indicators in the colours of both. */
export function gridOf(a: NumberClasses, b: NumberClasses, dark: boolean): Grid {
  return { kind: "grid", a, b, colors: bivariate(a.classes.length, b.classes.length, dark) };
}

/** Where a palette is not chosen, the score has another than indicators. */
const SCORE_PALETTE = "amber";

/** The palette chosen, where it suits the indicator; else one that does. */
export function paletteFor(indicator: Indicator, stats: Stats | null, chosen: string | null): Palette {
  const kinds = kindsFor(indicator);
  const palette = paletteById(chosen);
  if (palette && kinds.includes(palette.kind)) return palette;
  if (indicator.name === SCORE) return paletteById(SCORE_PALETTE) as Palette;
  const kind = indicator.kind === "number" && spansZero(stats) ? "diverging" : kinds[0];
  return PALETTES.find((candidate) => candidate.kind === kind) as Palette;
}

function spansZero(stats: Stats | null): boolean {
  return (stats?.min ?? 0) < 0 && (stats?.max ?? 0) > 0;
}

export function kindsFor(indicator: Indicator): PaletteKind[] {
  return indicator.kind === "text" ? ["categorical"] : ["sequential", "diverging"];
}

/** Where a diverging palette turns by itself: zero when values lie on both sides of it, else the median. */
export function middleOf(stats: Stats): number {
  return spansZero(stats) ? 0 : (stats.median ?? 0);
}

function categoriesOf(stats: Stats, matched: Stats | null, choice: Choice): TextClasses {
  const palette = paletteById("categories") as Palette;
  const values = stats.values ?? [];
  // A category has one colour at every level and under every filter.
  const order = stats.order ?? values.map(({ value }) => value);
  const own = order.slice(0, order.length > MAX_CATEGORIES ? MAX_CATEGORIES - 1 : MAX_CATEGORIES);
  const colors = categorical(palette, own.length);
  if (choice.flip) colors.reverse();
  const here = new Set(values.map(({ value }) => value));
  const counts = new Map((matched ?? stats).values?.map(({ value, count }) => [value, count]));
  const categories = own
    .map((value, i) => ({ value, color: colors[i] as string, count: counts.get(value) ?? 0 }))
    .filter(({ value }) => here.has(value));
  const rest = (matched ?? stats).count - categories.reduce((sum, { count }) => sum + count, 0);
  return {
    kind: "text",
    property: stats.property,
    categories,
    other: values.length > categories.length ? { color: palette.stops.at(-1) as string, count: rest } : null,
  };
}

/** The colour of the class that an area falls in; `null` when it has none. */
export function colorOf(classes: Classes, properties: Record<string, unknown>): string | null {
  if (classes.kind === "grid") {
    const [i, j] = [classOf(classes.a, properties), classOf(classes.b, properties)];
    return i === null || j === null ? null : (classes.colors[i + j * classes.a.classes.length] ?? null);
  }
  if (classes.kind === "number") {
    const i = classOf(classes, properties);
    return i === null ? null : (classes.classes[i]?.color ?? null);
  }
  const value = properties[classes.property] ?? null;
  if (value === null) return null;
  return classes.categories.find((category) => category.value === value)?.color ?? classes.other?.color ?? null;
}

/** A value beyond the last bound is in the last class. */
function classOf({ property, classes }: NumberClasses, properties: Record<string, unknown>): number | null {
  const value = properties[property];
  if (typeof value !== "number") return null;
  const inside = classes.findIndex(({ upto }) => value <= upto);
  return inside < 0 ? classes.length - 1 : inside;
}

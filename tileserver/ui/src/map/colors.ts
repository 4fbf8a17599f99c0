/** MapLibre expressions that colour areas by class. */
import type { ExpressionSpecification } from "maplibre-gl";
import { type Classes, type NumberClasses, propertiesOf } from "../classes";
import { needsLightText } from "../palette";

/**
 * Colours of `now`; an area whose tile does not carry its properties yet keeps the colour it had under
 * `before`, so that a new indicator replaces the old one tile by tile without a grey blink.
 */
export function fillColor(now: Classes, before: Classes | null, missing: string): ExpressionSpecification {
  const branches: unknown[] = [has(now), byClass(now, missing, same)];
  if (before) branches.push(has(before), byClass(before, missing, same));
  return ["case", ...branches, missing] as ExpressionSpecification;
}

/** What `pick` makes of the colour that lies under a text. */
export function onFill(now: Classes, missing: string, pick: (color: string) => string): ExpressionSpecification {
  return ["case", has(now), byClass(now, missing, pick), pick(missing)] as unknown as ExpressionSpecification;
}

/** What is legible on each area: light on a dark one, dark on a light one. */
export function inkOnFill(now: Classes, missing: string): ExpressionSpecification {
  return onFill(now, missing, (color) => (needsLightText(color) ? "#ffffff" : "#1b1a18"));
}

/** `rest` for the class `index`, little of it for the others; `null` is no class in particular. */
export function fillOpacity(now: Classes, index: number | null, rest = 1): ExpressionSpecification | number {
  if (index === null) return rest;
  return ["match", classIndex(now), index, rest, 0.16 * rest] as unknown as ExpressionSpecification;
}

/** Borders between areas, on this ground: fainter where they are closer together. */
export function borderColor(ground: string): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], 6, `${ground}40`, 12, `${ground}cc`];
}

/** Whether two classings read the same properties of a tile. */
export function sameProperties(a: Classes, b: Classes): boolean {
  return propertiesOf(a).join("\n") === propertiesOf(b).join("\n");
}

function has(classes: Classes): unknown {
  return ["all", ...propertiesOf(classes).map((property) => ["has", property])];
}

function same(color: string): string {
  return color;
}

function byClass(classes: Classes, missing: string, pick: (color: string) => string): unknown {
  if (classes.kind === "number") {
    return byUpperBound(
      classes,
      classes.classes.map(({ color }) => pick(color)),
    );
  }
  const [outputs, other] =
    classes.kind === "grid"
      ? [classes.colors, missing]
      : [classes.categories.map(({ color }) => color), classes.other?.color ?? missing];
  const pairs = outputs.flatMap((color, i) => [i, pick(color)]);
  return pairs.length > 0 ? ["match", classIndex(classes), ...pairs, pick(other)] : pick(other);
}

/** The number of an area's class as the legend counts them; −1 without a value. */
function classIndex(classes: Classes): unknown {
  if (classes.kind === "text") {
    const pairs = classes.categories.flatMap(({ value }, i) => [value, i]);
    const other = classes.categories.length;
    const inside = ["match", ["to-string", ["get", classes.property]], ...pairs, other];
    return pairs.length > 0 ? ["case", has(classes), inside, -1] : -1;
  }
  if (classes.kind === "number") {
    return [
      "case",
      has(classes),
      byUpperBound(
        classes,
        classes.classes.map((_, i) => i),
      ),
      -1,
    ];
  }
  const { a, b } = classes;
  const column = byUpperBound(
    a,
    a.classes.map((_, i) => i),
  );
  const row = byUpperBound(
    b,
    b.classes.map((_, j) => j * a.classes.length),
  );
  return ["case", has(classes), ["+", column, row], -1];
}

/** The output of the first class whose upper bound is not below the value; a bound belongs to its class. */
function byUpperBound<T>({ property, classes }: NumberClasses, outputs: T[]): unknown {
  const value = ["to-number", ["get", property]];
  const last = outputs.at(-1);
  const branches = classes.slice(0, -1).flatMap(({ upto }, i) => [["<=", value, upto], outputs[i]]);
  return branches.length > 0 ? ["case", ...branches, last] : last;
}

/** MapLibre expressions that colour areas by class. */
import type { ExpressionSpecification } from "maplibre-gl";
import type { Classes } from "../classes";

/**
 * Colours of `now`; an area whose tile does not carry its property yet keeps the colour it had under
 * `before`, so that a new indicator replaces the old one tile by tile without a grey blink.
 */
export function fillColor(now: Classes, before: Classes | null, missing: string): ExpressionSpecification {
  const same = (color: string) => color;
  const branches: unknown[] = [["has", now.property], byClass(now, missing, same)];
  if (before && before.property !== now.property) {
    branches.push(["has", before.property], byClass(before, missing, same));
  }
  return ["case", ...branches, missing] as ExpressionSpecification;
}

/** What `pick` makes of the colour that lies under a text. */
export function onFill(now: Classes, missing: string, pick: (color: string) => string): ExpressionSpecification {
  return ["case", ["has", now.property], byClass(now, missing, pick), pick(missing)] as unknown as ExpressionSpecification;
}

/** 1 for the class `index`, little for the others; `null` is no class in particular. */
export function fillOpacity(now: Classes, index: number | null): ExpressionSpecification | number {
  if (index === null) return 1;
  return ["match", classIndex(now), index, 1, 0.16] as unknown as ExpressionSpecification;
}

function byClass(classes: Classes, missing: string, pick: (color: string) => string): unknown {
  if (classes.kind === "text") {
    const pairs = classes.categories.flatMap(({ value, color }) => [value, pick(color)]);
    const other = pick(classes.other?.color ?? missing);
    return pairs.length > 0 ? ["match", ["to-string", ["get", classes.property]], ...pairs, other] : other;
  }
  return byUpperBound(classes, classes.classes.map(({ color }) => pick(color)));
}

function classIndex(classes: Classes): unknown {
  if (classes.kind === "text") {
    const pairs = classes.categories.flatMap(({ value }, i) => [value, i]);
    const other = classes.categories.length;
    return pairs.length > 0 ? ["match", ["to-string", ["get", classes.property]], ...pairs, other] : -1;
  }
  const inside = byUpperBound(classes, classes.classes.map((_, i) => i));
  return ["case", ["has", classes.property], inside, -1];
}

/** The output of the first class whose upper bound is not below the value; a bound belongs to its class. */
function byUpperBound<T>(classes: Classes & { kind: "number" }, outputs: T[]): unknown {
  const value = ["to-number", ["get", classes.property]];
  const last = outputs.at(-1);
  const branches = classes.classes.slice(0, -1).flatMap(({ upto }, i) => [["<=", value, upto], outputs[i]]);
  return branches.length > 0 ? ["case", ...branches, last] : last;
}

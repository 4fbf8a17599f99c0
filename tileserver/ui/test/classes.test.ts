import { expect, test } from "vitest";
import { createExpression } from "@maplibre/maplibre-gl-style-spec";
import type { Indicator, Stats } from "../src/api";
import { type Classes, classesOf, colorOf, gridOf, type NumberClasses } from "../src/classes";
import { fillColor, fillOpacity } from "../src/map/colors";

const CHOICE = { palette: null, flip: false, middle: null, dark: false };
const NUMBER: Indicator = {
  name: "x",
  kind: "number",
  label: {},
  unit: null,
  source: null,
  vintage: null,
  licence: null,
  estimate: false,
  levels: {},
};
const TEXT: Indicator = { ...NUMBER, name: "t", kind: "text" };

const STATS: Stats = {
  property: "x",
  count: 10,
  missing: 1,
  min: 0,
  max: 9,
  median: 4,
  breaks: { method: "jenks", requested: 3, k: 3, upper: [2, 5.5, 9], counts: [3, 3, 4] },
};

const VALUES: Stats = {
  property: "t",
  count: 12,
  missing: 0,
  values: [..."abcdefghij"].map((value, i) => ({ value, count: i < 2 ? 2 : 1 })),
};

/** What MapLibre itself makes of an expression. */
function evaluate(expression: unknown, properties: Record<string, unknown>): string {
  const parsed = createExpression(expression, {} as never);
  if (parsed.result === "error") throw new Error(JSON.stringify(parsed.value));
  return String(parsed.value.evaluate({ zoom: 0 }, { type: 3, properties } as never));
}

test("the map and the legend agree on the colour of every value, bounds included", () => {
  const classes = classesOf(NUMBER, STATS, CHOICE, null) as Classes;
  const paint = fillColor(classes, null, "#eeeeee");
  for (const x of [-1, 0, 1.99, 2, 2.000001, 5.5, 6, 9, 10]) {
    expect(evaluate(paint, { x })).toBe(colorOf(classes, { x }));
  }
  expect(evaluate(paint, {})).toBe("#eeeeee");
  expect(colorOf(classes, {})).toBe(null);
});

test("categories beyond the palette are one line and one colour", () => {
  const classes = classesOf(TEXT, VALUES, CHOICE, null) as Classes & { kind: "text" };
  expect(classes.categories.map(({ value }) => value).join("")).toBe("abcdefg");
  expect(classes.other?.count).toBe(3);
  const paint = fillColor(classes, null, "#eeeeee");
  for (const t of "abgj") expect(evaluate(paint, { t })).toBe(colorOf(classes, { t }));
});

test("a category keeps its colour at a level that has it in another order, or lacks others", () => {
  const text = (order: string[], values: string) =>
    classesOf(TEXT, { ...VALUES, order, values: [...values].map((value) => ({ value, count: 1 })), count: values.length } as Stats, CHOICE, null) as Classes & {
      kind: "text";
    };
  const order = [..."abcd"];
  const fine = text(order, "abcd");
  const coarse = text(order, "db");
  expect(coarse.categories.map(({ value }) => value)).toEqual(["b", "d"]);
  expect(coarse.other).toBe(null);
  for (const t of "bd") expect(colorOf(coarse, { t })).toBe(colorOf(fine, { t }));
});

test("counts are those under the filter, colours those of all", () => {
  const matched = { ...STATS, count: 3, breaks: { ...(STATS.breaks as object), counts: [0, 3, 0] } } as Stats;
  const all = classesOf(NUMBER, STATS, CHOICE, null) as Classes & { kind: "number" };
  const some = classesOf(NUMBER, STATS, CHOICE, matched) as Classes & { kind: "number" };
  expect(some.classes.map(({ count }) => count)).toEqual([0, 3, 0]);
  expect(some.classes.map(({ color }) => color)).toEqual(all.classes.map(({ color }) => color));
});

test("a tile of the indicator before keeps its colours until it is replaced", () => {
  const before = classesOf(TEXT, VALUES, CHOICE, null) as Classes;
  const now = classesOf(NUMBER, STATS, CHOICE, null) as Classes;
  const paint = fillColor(now, before, "#eeeeee");
  expect(evaluate(paint, { t: "a" })).toBe(colorOf(before, { t: "a" }));
  expect(evaluate(paint, { x: 1 })).toBe(colorOf(now, { x: 1 }));
});

test("two indicators share a colour that the map and the legend agree on", () => {
  const a = classesOf(NUMBER, STATS, CHOICE, null) as NumberClasses;
  const b = { ...a, property: "y" };
  const grid = gridOf(a, b, false);
  expect(new Set(grid.colors).size).toBe(9);
  const paint = fillColor(grid, null, "#eeeeee");
  for (const x of [0, 2, 3, 9]) {
    for (const y of [1, 5.5, 7]) {
      expect(evaluate(paint, { x, y })).toBe(colorOf(grid, { x, y }));
      expect(evaluate(fillOpacity(grid, grid.colors.indexOf(colorOf(grid, { x, y }) as string)), { x, y })).toBe("1");
    }
    expect(evaluate(paint, { x })).toBe("#eeeeee");
  }
  expect(evaluate(paint, { x: 9, y: 9 })).toBe(grid.colors[8]);
});

test("the class pointed at stands out", () => {
  const classes = classesOf(NUMBER, STATS, CHOICE, null) as Classes;
  const opacity = fillOpacity(classes, 1);
  expect(evaluate(opacity, { x: 3 })).toBe("1");
  expect(evaluate(opacity, { x: 1 })).toBe("0.16");
  expect(evaluate(opacity, {})).toBe("0.16");
  expect(fillOpacity(classes, null)).toBe(1);
});

test("an indicator that is never there has no classes", () => {
  expect(classesOf(NUMBER, { property: "x", count: 0, missing: 4 }, CHOICE, null)).toBe(null);
});

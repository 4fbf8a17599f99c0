import { expect, test } from "vitest";
import { labelsOf } from "../src/map/labels";

const PIXEL = 0.001;

/** A square of `size` pixels, its south-western corner at `x`, `y` pixels. */
function square(x: number, y: number, size: number): number[][][] {
  const at = (dx: number, dy: number) => [(x + dx) * PIXEL, (y + dy) * PIXEL];
  return [[at(0, 0), at(size, 0), at(size, size), at(0, size), at(0, 0)]];
}

const area = (id: number, name: string, ...polygons: number[][][][]) => ({
  id,
  properties: { name },
  geometry: { type: "MultiPolygon" as const, coordinates: polygons },
});

test("an area of many parts, in many tiles, is named once: on its widest piece", () => {
  const islands = area(1, "Isles", square(0, 0, 50), square(200, 0, 80), square(400, 0, 60));
  const other = area(1, "Isles", square(600, 0, 100));
  const labels = labelsOf([islands, other], PIXEL);
  expect(labels.map(({ properties }) => properties?.name)).toEqual(["Isles"]);
  const [lon = 0, lat = 0] = labels[0]?.geometry.coordinates ?? [];
  expect(lon / PIXEL).toBeCloseTo(650, 0);
  expect(lat / PIXEL).toBeCloseTo(50, 0);
});

test("two areas of one name are both named; what is too narrow is not", () => {
  const labels = labelsOf(
    [area(1, "Ouest", square(0, 0, 50)), area(2, "Ouest", square(100, 0, 50)), area(3, "Est", square(200, 0, 20))],
    PIXEL,
  );
  expect(labels.map(({ properties }) => properties?.name)).toEqual(["Ouest", "Ouest"]);
});

test("a label lies inside its area, where a hole leaves room", () => {
  const [shell = []] = square(0, 0, 100);
  const [hole = []] = square(10, 10, 60);
  const [label] = labelsOf([area(1, "Ring", [shell, hole.toReversed()])], PIXEL);
  const [x = 0, y = 0] = (label?.geometry.coordinates ?? []).map((degrees) => degrees / PIXEL);
  expect(x > 70 || y > 70).toBe(true);
});

import { expect, test } from "vitest";
import { polyline } from "../src/polyline";

const BOX = { width: 108, height: 28, edge: 4 };

test("the least is at the bottom, the greatest at the top", () => {
  expect(polyline([1, 3, 2], BOX).path).toBe("M4.0 24.0L54.0 4.0L104.0 14.0");
});

test("a missing value is a gap", () => {
  const { path, points } = polyline([null, 1, null, 5, 5], BOX);
  expect(path).toBe("M29.0 24.0M79.0 4.0L104.0 4.0");
  expect(points.map(({ at }) => at)).toEqual([1, 3, 4]);
});

test("equal values lie in the middle", () => {
  expect(polyline([0.5, 0.5], BOX).path).toBe("M4.0 14.0L104.0 14.0");
  expect(polyline([], BOX)).toEqual({ path: "", points: [] });
});

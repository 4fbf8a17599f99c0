import { expect, test } from "vitest";
import { bars } from "../src/bars";

test("bars leave the middle to their own side, the farthest to the edge", () => {
  expect(bars([150, 75, 100], 100, 20)).toEqual([
    { start: 50, width: 50 },
    { start: 25, width: 25 },
    { start: 50, width: 0 },
  ]);
});

test("small differences stay small", () => {
  expect(bars([0.1, -0.2], 0, 0.4)).toEqual([
    { start: 50, width: 12.5 },
    { start: 25, width: 25 },
  ]);
});

test("what is missing has no bar, and moves none", () => {
  expect(bars([null, 120], 100, 20)).toEqual([null, { start: 50, width: 50 }]);
  expect(bars([null], 100, 20)).toEqual([null]);
});

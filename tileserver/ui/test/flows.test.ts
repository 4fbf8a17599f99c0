import { expect, test } from "vitest";
import type { Transfers } from "../src/api";
import { apart, flows, rowsOf, totalsOf } from "../src/flows";

const TRANSFERS: Transfers = {
  name: "rounds",
  title: { en: "Rounds" },
  level: "district",
  method: "m",
  units: 58,
  coverage: 1,
  from: ["north", "rest", "empty", "entries"],
  to: ["yes", "no"],
  matrix: {
    north: { yes: 90, no: 10 },
    rest: { yes: 0, no: 60 },
    empty: { yes: 0, no: 0 },
    entries: { yes: 3, no: 7 },
  },
  interval_5_95: {
    north: { yes: [80, 95], no: [5, 20] },
    rest: { yes: [0, 4], no: [56, 60] },
    entries: { yes: [4, 9], no: [1, 6] },
  },
  bounds: { north: { yes: [30, 100], no: [0, 70] }, rest: { yes: [0, 60], no: [0, 60] } },
  corners: [
    ["rest", "yes"],
    ["rest", "no"],
  ],
  heterogeneity: 0.1,
};

const rows = rowsOf(TRANSFERS);

test("cells have what the estimate says of them, and nothing that it does not", () => {
  expect(rows.map(({ option, votes }) => [option, votes])).toEqual([
    ["north", 100],
    ["rest", 60],
    ["empty", 0],
    ["entries", 10],
  ]);
  const [north, rest, empty, entries] = rows.map(({ cells }) => cells);
  expect(north?.[0]).toEqual({
    from: "north",
    to: "yes",
    votes: 90,
    share: 0.9,
    interval: [80, 95],
    bounds: [30, 100],
    corner: false,
  });
  expect(rest?.map(({ corner }) => corner)).toEqual([true, true]);
  expect(empty?.map(({ share, interval, bounds }) => [share, interval, bounds])).toEqual([
    [null, null, null],
    [null, null, null],
  ]);
  expect(entries?.[1]?.share).toBe(0.7);
  expect(totalsOf(rows, TRANSFERS.to)).toEqual([93, 77]);
  const { interval_5_95: _, ...unsure } = TRANSFERS;
  expect(rowsOf(unsure)[0]?.cells[0]?.interval).toBeNull();
});

test("bands leave and enter every bar side by side and fill it", () => {
  const height = 300;
  const { from, to, bands } = flows(rows, TRANSFERS.to, height, 10);
  const close = (found: number | undefined, expected: number) => expect(found).toBeCloseTo(expected, 9);
  for (const [side, bars] of [from, to].entries()) {
    close(bars[0]?.y, 0);
    const last = bars.at(-1);
    close((last?.y ?? 0) + (last?.height ?? 0), height);
    for (const [i, bar] of bars.entries()) {
      const own = bands.filter(({ cell }) => (side === 0 ? cell.from : cell.to) === bar.option);
      let y = bar.y;
      for (const band of own) {
        close(band.y[side], y);
        y += band.height;
      }
      close(y, bar.y + bar.height);
      const next = bars[i + 1];
      if (next) expect(next.y - y).toBeGreaterThanOrEqual(10 - 1e-9);
    }
  }
  const scale = (from[0]?.height ?? 0) / 100;
  for (const { cell, height: thick } of bands) close(thick, cell.votes * scale);
  const sure = (option: string, other: string) =>
    bands.find(({ cell }) => cell.from === option && cell.to === other)?.sure;
  close(sure("north", "yes"), 80 * scale);
  // Never more than the band, though an interval may lie beside its estimate.
  close(sure("entries", "yes"), 3 * scale);
  close(sure("empty", "yes"), 0);
});

test("no votes make no bands, and no numbers that are none", () => {
  const none = { ...TRANSFERS, from: ["empty"], to: ["yes"] };
  const { from, to, bands } = flows(rowsOf(none), none.to, 100, 10);
  expect([...from, ...to, ...bands].every(({ height }) => height === 0)).toBe(true);
  expect(from[0]?.y).toBe(50);
});

test("labels keep apart, in order and inside", () => {
  expect(apart([0, 50, 90], 20, 100)).toEqual([0, 50, 90]);
  expect(apart([10, 11, 12], 20, 100)).toEqual([10, 30, 50]);
  expect(apart([95, 98, 99], 20, 100)).toEqual([60, 80, 100]);
  expect(apart([], 20, 100)).toEqual([]);
});

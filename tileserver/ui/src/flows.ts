/** Estimated vote transfers as cells of a table, and as bands between two columns of options. */
import type { Transfers } from "./api";

export interface Cell {
  from: string;
  to: string;
  votes: number;
  /** Of the row; `null` where the row has no votes. */
  share: number | null;
  /** Votes at 5 % and 95 % of resampled areas. */
  interval: readonly [number, number] | null;
  /** Votes that the totals of areas alone allow. */
  bounds: readonly [number, number] | null;
  /** At 0 % or 100 % of its row: usually a limit of the method. */
  corner: boolean;
}

export interface Row {
  option: string;
  votes: number;
  cells: Cell[];
}

/** Rows in the order of the ballot. */
export function rowsOf({ from, to, matrix, interval_5_95, bounds, corners }: Transfers): Row[] {
  return from.map((option) => {
    const votesTo = (other: string) => matrix[option]?.[other] ?? 0;
    const votes = to.reduce((sum, other) => sum + votesTo(other), 0);
    const cells = to.map((other) => ({
      from: option,
      to: other,
      votes: votesTo(other),
      share: votes > 0 ? votesTo(other) / votes : null,
      interval: interval_5_95?.[option]?.[other] ?? null,
      bounds: bounds[option]?.[other] ?? null,
      corner: corners.some(([a, b]) => a === option && b === other),
    }));
    return { option, votes, cells };
  });
}

/** Votes of each option of the second ballot. */
export function totalsOf(rows: readonly Row[], to: readonly string[]): number[] {
  return to.map((_, at) => rows.reduce((sum, { cells }) => sum + (cells[at]?.votes ?? 0), 0));
}

/** An option as a bar. */
export interface Bar {
  option: string;
  votes: number;
  y: number;
  height: number;
}

/** A cell as a band from the right of one bar to the left of another. */
export interface Band {
  cell: Cell;
  /** Tops of its two ends. */
  y: readonly [number, number];
  height: number;
  /** Of the part that the interval's lower end leaves. */
  sure: number;
}

export interface Flows {
  from: Bar[];
  to: Bar[];
  bands: Band[];
}

/** Both columns fill `height` and have one scale; bars are `gap` apart or more. */
export function flows(rows: readonly Row[], to: readonly string[], height: number, gap: number): Flows {
  const totals = totalsOf(rows, to);
  const all = totals.reduce((sum, votes) => sum + votes, 0);
  const most = Math.max(rows.length, to.length);
  const scale = all > 0 ? Math.max(height - gap * (most - 1), 0) / all : 0;
  const left = column(
    rows.map(({ option, votes }) => ({ option, votes })),
    scale,
    height,
  );
  const right = column(
    to.map((option, at) => ({ option, votes: totals[at] ?? 0 })),
    scale,
    height,
  );
  const entered = right.map(({ y }) => y);
  const bands = rows.flatMap(({ cells }, i) => {
    let leaving = left[i]?.y ?? 0;
    return cells.map((cell, j): Band => {
      const thick = cell.votes * scale;
      const y = [leaving, entered[j] ?? 0] as const;
      leaving += thick;
      entered[j] = y[1] + thick;
      const sure = cell.interval ? Math.min(Math.max(cell.interval[0], 0), cell.votes) : 0;
      return { cell, y, height: thick, sure: sure * scale };
    });
  });
  return { from: left, to: right, bands };
}

function column(options: { option: string; votes: number }[], scale: number, height: number): Bar[] {
  const filled = options.reduce((sum, { votes }) => sum + votes * scale, 0);
  const gap = options.length > 1 ? (height - filled) / (options.length - 1) : 0;
  let y = options.length > 1 ? 0 : (height - filled) / 2;
  return options.map(({ option, votes }) => {
    const bar = { option, votes, y, height: votes * scale };
    y += bar.height + gap;
    return bar;
  });
}

/** Places at least `least` apart and within 0 to `height`, each near its own of `wanted`, which rise. */
export function apart(wanted: readonly number[], least: number, height: number): number[] {
  const placed = [...wanted];
  for (let i = 0; i < placed.length; i += 1) {
    const floor = i === 0 ? 0 : (placed[i - 1] as number) + least;
    placed[i] = Math.max(placed[i] as number, floor);
  }
  for (let i = placed.length - 1; i >= 0; i -= 1) {
    const ceiling = i === placed.length - 1 ? height : (placed[i + 1] as number) - least;
    placed[i] = Math.min(placed[i] as number, ceiling);
  }
  return placed;
}

/** A row of values as a line in a box; a missing value is a gap, never a zero. */

export interface Box {
  width: number;
  height: number;
  /** Kept free on every side, for the marks of points. */
  edge: number;
}

export interface Polyline {
  /** An SVG path. */
  path: string;
  /** Of the values there are, by their place in the row. */
  points: { at: number; x: number; y: number }[];
}

/** From the least value at the bottom to the greatest at the top. */
export function polyline(values: readonly (number | null)[], { width, height, edge }: Box): Polyline {
  const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at }]));
  const least = Math.min(...known.map(({ value }) => value));
  const greatest = Math.max(...known.map(({ value }) => value));
  const up = (value: number) => (greatest > least ? (greatest - value) / (greatest - least) : 0.5);
  const points = known.map(({ value, at }) => ({
    at,
    x: edge + (at * (width - 2 * edge)) / Math.max(values.length - 1, 1),
    y: edge + up(value) * (height - 2 * edge),
  }));
  const path = points.map(({ at, x, y }, i) => {
    const pen = points[i - 1]?.at === at - 1 ? "L" : "M";
    return `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return { path: path.join(""), points };
}

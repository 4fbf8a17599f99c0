/** Values as bars to both sides of a middle that they share. */

export interface Bar {
  /** Percent of the width: where it starts, and how wide it is. */
  start: number;
  width: number;
}

/**
 * The value farthest from `middle` reaches an edge, unless all lie within `least` of it; what is missing has no bar.
 */
export function bars(values: readonly (number | null)[], middle: number, least: number): (Bar | null)[] {
  const reach = values.reduce<number>((far, value) => (value === null ? far : Math.max(far, Math.abs(value - middle))), least);
  return values.map((value) => {
    if (value === null) return null;
    const width = (50 * Math.abs(value - middle)) / reach;
    return { start: value < middle ? 50 - width : 50, width };
  });
}

/** The criteria of a priority score, as addresses write them: `abstention:3,-income:2`. */

/** The property that tiles, rows and statistics carry the score in. */
export const SCORE = "score";

/** Points of the best score there can be. */
export const POINTS = 1000;

export interface Criterion {
  /** Of an indicator. */
  name: string;
  /** From {@link MIN_WEIGHT} to {@link MAX_WEIGHT}. */
  weight: number;
  /** Whether low values come first. */
  low: boolean;
}

export const MIN_WEIGHT = 1;
export const MAX_WEIGHT = 10;

/** How values of different units become points that add up; the server's default first. */
export const SCORINGS = ["percentile", "zscore", "minmax", "topsis"] as const;
export type Scoring = (typeof SCORINGS)[number];

export function scoreText(criteria: readonly Criterion[]): string {
  return criteria.map(({ name, weight, low }) => `${low ? "-" : ""}${name}:${weight}`).join(",");
}

/** What does not parse, or names an indicator again, is as if it were absent. */
export function parseScore(text: string): Criterion[] {
  const criteria = text.split(",").flatMap((part) => {
    const [, minus, name, digits] = /^(-?)([^-:].*?)(?::(\d+))?$/.exec(part) ?? [];
    const weight = Number(digits ?? MIN_WEIGHT);
    return name && weight >= MIN_WEIGHT && weight <= MAX_WEIGHT ? [{ name, weight, low: minus === "-" }] : [];
  });
  return criteria.filter(({ name }, i) => criteria.findIndex((one) => one.name === name) === i);
}

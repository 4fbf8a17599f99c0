/** Conditions in CQL2 text, put together from what the reader chose and wrote. */

/** Values from `min` to `max`, both included; `null` is open. */
export interface Range {
  min: number | null;
  max: number | null;
}

export type Ranges = Readonly<Record<string, Range>>;

/** A name as a filter writes it. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** What lies before the written condition in {@link conditionOf}, when there are ranges too. */
const OPENING = "(";

/** The written condition and every range together. */
export function conditionOf(written: string, ranges: Ranges): string {
  return joined(
    written,
    Object.entries(ranges).flatMap(([name, range]) => conditionOfRange(name, range)),
  );
}

/** A written condition that would reach beyond its parentheses stands alone: the server says what is wrong with it. */
function joined(written: string, parts: string[]): string {
  const text = written.trim();
  if (!text) return parts.join(" AND ");
  return parts.length === 0 || !closed(text) ? text : [`${OPENING}${text})`, ...parts].join(" AND ");
}

/** Whether every parenthesis and quote of `text` is closed inside of it. */
function closed(text: string): boolean {
  // A quote inside of quotes is written twice, which reads as one text after the other.
  const bare = text.replace(/'[^']*'|"[^"]*"/g, "");
  let depth = 0;
  for (const character of bare) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0 && !/['"]/.test(bare);
}

/**
 * Where the byte at `position` of {@link conditionOf} is in the written condition, counted as the
 * browser counts; `null` outside of it.
 */
export function positionInWritten(position: number, written: string, ranges: Ranges): number | null {
  const text = written.trim();
  const condition = conditionOf(written, ranges);
  const character = new TextDecoder().decode(new TextEncoder().encode(condition).slice(0, position)).length;
  const inside = character - (condition === text ? 0 : OPENING.length);
  const leading = written.length - written.trimStart().length;
  return text && inside >= 0 && inside <= text.length ? inside + leading : null;
}

/** Values by name, any of which will do. */
export type Classes = Readonly<Record<string, readonly string[]>>;

/** The written condition and every choice of classes together. */
export function conditionOfClasses(written: string, classes: Classes): string {
  const parts = Object.entries(classes).map(([name, values]) => {
    const [first, ...others] = values.map(literal);
    return others.length > 0 ? `${identifier(name)} IN (${[first, ...others].join(", ")})` : `${identifier(name)} = ${first}`;
  });
  return joined(written, parts);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function conditionOfRange(name: string, { min, max }: Range): string[] {
  const property = identifier(name);
  if (min !== null && max !== null) return [`${property} BETWEEN ${min} AND ${max}`];
  if (min !== null) return [`${property} >= ${min}`];
  if (max !== null) return [`${property} <= ${max}`];
  return [];
}

/** Numbers as people read them, by unit and language. */
import type { Language } from "./state";

export interface Format {
  /** With its unit: `38.2 %`, `1,024`. */
  value(x: number): string;
  /** Without the unit, as in an axis that names it once. */
  plain(x: number): string;
  /** What `plain` leaves out; empty for counts. */
  suffix: string;
}

/**
 * Digits follow from `span`, the distance between the extremes, to three figures of it; `bounds` that
 * would read alike are given up to two more.
 */
export function formatFor(
  unit: string | null,
  span: number,
  language: Language,
  words: UnitWords,
  bounds: readonly number[] = [],
): Format {
  const locale = localeFor(language);
  const share = unit === "share";
  const scale = share ? 100 : 1;
  const fewest = digitsFor(span * scale);
  const digits = unit === "count" ? 0 : Math.min(Math.max(fewest, digitsApart(bounds, scale)), fewest + 2);
  const number = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const plain = (x: number) => number.format(tidy(x * scale, digits)).replace(/^-/, "−");
  const suffix = suffixOf(unit, words);
  return { plain, suffix, value: (x) => (suffix ? `${plain(x)}\u202f${suffix}` : plain(x)) };
}

export interface UnitWords {
  per1000: string;
}

function suffixOf(unit: string | null, words: UnitWords): string {
  switch (unit) {
    case null:
    case "count":
      return "";
    case "share":
      return "%";
    case "per_1000":
      return words.per1000;
    case "eur":
      return "€";
    default:
      return unit.replaceAll("_", " ");
  }
}

/** Digits that keep neighbouring bounds apart. */
function digitsApart(bounds: readonly number[], scale: number): number {
  const gaps = bounds.slice(1).map((bound, i) => (bound - (bounds[i] as number)) * scale);
  const least = Math.min(...gaps.filter((gap) => gap > 0));
  return Number.isFinite(least) ? Math.ceil(-Math.log10(least)) : 0;
}

function digitsFor(span: number): number {
  if (!(span > 0)) return 1;
  return Math.min(Math.max(2 - Math.floor(Math.log10(span)), 0), 6);
}

/** No `−0.0`. */
function tidy(x: number, digits: number): number {
  return Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x;
}

/** The reader's own variant of the language, when the browser names one. */
export function localeFor(language: Language): string {
  return globalThis.navigator?.languages?.find((tag) => tag.startsWith(language)) ?? language;
}

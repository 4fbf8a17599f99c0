/** A slider with two ends over the values of an indicator; an end at its stop is open. */
import { words } from "../i18n";
import type { Indicator } from "../api";
import type { Range } from "../cql";
import { formatOf, labelOf, level } from "../dataset";
import { setRange, state } from "../state";

/** Steps of the slider: finer than a pixel of it. */
const STEPS = 1000;

/** The slider alone, as it lies under a histogram of the same width. */
export function RangeSlider({ indicator }: { indicator: Indicator }) {
  const extremes = extremesOf(indicator);
  if (!extremes) return null;
  const [lowest, highest] = extremes;
  const range = state.value.ranges[indicator.name] ?? { min: null, max: null };
  const label = labelOf(indicator);
  const format = formatOf(indicator);
  const step = (highest - lowest) / STEPS;
  const place = (value: number | null, open: number) => Math.round(((value ?? open) - lowest) / step);
  const [from, to] = [place(range.min, lowest), place(range.max, highest)];
  // Rounded as it is written, so that a bound reads as it filters; no coarser than a step, or a key that
  // moves the end by one would not move it.
  const value = (at: number) => (at <= 0 || at >= STEPS ? null : round(lowest + at * step, step));
  const change = (which: "min" | "max") => (event: { currentTarget: HTMLInputElement }) => {
    const at = Number(event.currentTarget.value);
    const bounded = which === "min" ? Math.min(at, to - 1) : Math.max(at, from + 1);
    event.currentTarget.value = String(bounded);
    setRange(indicator.name, { ...range, [which]: value(bounded) });
  };
  const end = (which: "min" | "max", at: number) => (
    <input
      type="range"
      min={0}
      max={STEPS}
      value={at}
      aria-label={which === "min" ? words.value.lowest(label) : words.value.highest(label)}
      aria-valuetext={format.value(lowest + at * step)}
      onInput={change(which)}
    />
  );
  return (
    <div class="range-slider">
      <span class="range-track" />
      <span class="range-kept" style={{ left: `${(from / STEPS) * 100}%`, right: `${100 - (to / STEPS) * 100}%` }} />
      {end("min", from)}
      {end("max", to)}
    </div>
  );
}

/** What the range keeps, in words; `null` when it keeps everything. */
export function rangeText(indicator: Indicator): string | null {
  const range = state.value.ranges[indicator.name];
  const { plain, value } = formatOf(indicator);
  return range ? boundsText(range, plain, value) : null;
}

/** `plain` is without the unit. */
export function boundsText({ min, max }: Range, plain: (x: number) => string = String, value = plain): string {
  if (min === null) return `≤ ${value(max ?? 0)}`;
  if (max === null) return `≥ ${value(min)}`;
  return words.value.between(plain(min), value(max));
}

export function extremesOf(indicator: Indicator): [number, number] | null {
  const { min = null, max = null } = indicator.levels[level.value?.name ?? ""] ?? {};
  return min !== null && max !== null && max > min ? [min, max] : null;
}

/** `x` to the power of ten just below `grain`. */
function round(x: number, grain: number): number {
  const digits = Math.max(0, -Math.floor(Math.log10(grain)));
  return Number(x.toFixed(Math.min(digits, 12)));
}

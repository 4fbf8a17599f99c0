/** The lines of a legend, as the panel lists them and a picture writes them. */
import type { Indicator } from "./api";
import type { NumberClasses, TextClasses } from "./classes";
import { formatOf } from "./dataset";
import { words } from "./i18n";

export interface Line {
  color: string;
  text: string;
  count: number;
}

/** Where its classes end, as one line. */
export function boundsOf({ classes }: NumberClasses, indicator: Indicator): string {
  const format = formatOf(indicator);
  return `≤ ${classes.map(({ upto }) => format.plain(upto)).join(" · ")} ${format.suffix}`;
}

export function linesOf(classes: NumberClasses | TextClasses, indicator: Indicator): Line[] {
  if (classes.kind === "number") {
    const format = formatOf(indicator, [classes.classes[0]?.above ?? 0, ...classes.classes.map(({ upto }) => upto)]);
    return classes.classes.map(({ above, upto, color, count }) => ({
      color,
      text: above === upto ? format.value(upto) : words.value.between(format.plain(above), format.value(upto)),
      count,
    }));
  }
  const lines: Line[] = classes.categories.map(({ value, color, count }) => ({ color, text: value, count }));
  if (classes.other) lines.push({ ...classes.other, text: words.value.other });
  return lines;
}

/** The lines of a legend, as the panel lists them and a picture writes them. */
import type { NumberClasses, TextClasses } from "./classes";
import type { Format } from "./format";
import { words } from "./i18n";

export interface Line {
  color: string;
  text: string;
  count: number;
}

export function linesOf(classes: NumberClasses | TextClasses, format: Format): Line[] {
  if (classes.kind === "number") {
    return classes.classes.map(({ above, upto, color, count }) => ({
      color,
      text: words.value.between(format.plain(above), format.value(upto)),
      count,
    }));
  }
  const lines: Line[] = classes.categories.map(({ value, color, count }) => ({ color, text: value, count }));
  if (classes.other) lines.push({ ...classes.other, text: words.value.other });
  return lines;
}

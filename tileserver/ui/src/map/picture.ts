/** What is on screen as one image: title, maps, legend, source. */
import type { Map as MapLibre } from "maplibre-gl";
import { textIn } from "../api";
import { attribution, description, labelOf } from "../dataset";
import { language, words } from "../i18n";
import { boundsOf, linesOf } from "../lines";
import { classes, comparison, filter, main, other } from "../model";
import { state } from "../state";
import { shownMaps } from "./view";
import { wrapped } from "./wrapped";

const MARGIN = 28;
const TITLE = 30;
const LINE = 22;
/** Of the lines below the legend. */
const NOTE = 17;
const NOTE_FONT = "400 12px";
const FAMILY = '"Inter Variable", system-ui, sans-serif';

/** A line of the legend; of two indicators, a row of their square of colours. */
interface Row {
  colors: string[];
  text: string;
}

interface Block {
  title: string;
  rows: Row[];
}

/** The colour of a line, and of a row's cells, which leave no room between them. */
const SWATCH = 14;
const CELL = LINE;

/** Pixels on screen times `scale`. */
export async function picture(scale: number): Promise<Blob> {
  const images = await Promise.all(shownMaps().map((map) => imageOf(map, scale)));
  const [first] = images;
  if (!first) throw new Error("there is no map to draw");
  const side = comparison.value === "side";
  const mapWidth = ((side ? 2 : 1) * first.width) / scale;
  const mapHeight = first.height / scale;
  const blocks = legendBlocks();
  const lines = Math.max(...blocks.map(({ rows }) => rows.length + 1), 1);
  const width = mapWidth + 2 * MARGIN;
  const top = MARGIN + TITLE + 16;

  const canvas = document.createElement("canvas");
  const notes = notesIn(canvas, mapWidth);
  const height = top + mapHeight + 16 + lines * LINE + 8 + notes.length * NOTE + MARGIN;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(scale, scale);
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  context.fillStyle = color("--paper");
  context.fillRect(0, 0, width, height);
  const write = (text: string, x: number, y: number, font: string, ink: string, room = width - x - MARGIN) => {
    context.font = `${font} ${FAMILY}`;
    context.fillStyle = ink;
    context.fillText(clipped(context, text, room), x, y);
  };

  const title = textIn(description.value?.maille.dataset_title, language.value, "");
  write(title, MARGIN, MARGIN + 22, "650 24px", color("--ink"));
  images.forEach((image, i) => {
    const [w, h] = [image.width / scale, image.height / scale];
    // The second map of a swipe covers what lies right of the divider.
    const cut = i > 0 && !side ? state.value.split * w : 0;
    const x = MARGIN + (side ? i * w : 0) + cut;
    context.drawImage(image, cut * scale, 0, (w - cut) * scale, image.height, x, top, w - cut, h);
  });

  const column = mapWidth / Math.max(blocks.length, 1);
  blocks.forEach(({ title, rows }, i) => {
    const x = MARGIN + i * column;
    let y = top + mapHeight + 16 + LINE - 6;
    write(title, x, y, "600 14px", color("--ink"), column - 16);
    for (const { colors, text } of rows) {
      y += LINE;
      const [size, step] = colors.length > 1 ? [CELL - 1, CELL] : [SWATCH, SWATCH];
      colors.forEach((one, i) => {
        context.fillStyle = one;
        context.fillRect(x + i * step, y - 5 - size / 2, size, size);
      });
      const indent = colors.length * step + 10;
      write(text, x + indent, y, "400 14px", color("--ink"), column - indent - 16);
    }
  });
  notes.forEach((note, i) => {
    write(note, MARGIN, height - MARGIN + 4 - (notes.length - 1 - i) * NOTE, NOTE_FONT, color("--soft"));
  });
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large to draw"))),
      "image/png",
    ),
  );
}

/** The map as it would be drawn at `scale`; read in the frame that drew it, before it is cleared. */
async function imageOf(map: MapLibre, scale: number): Promise<ImageBitmap> {
  const before = map.getPixelRatio();
  map.setPixelRatio(scale);
  await map.once("idle");
  const image = await new Promise<ImageBitmap>((resolve, reject) => {
    map.once("render", () => createImageBitmap(map.getCanvas()).then(resolve, reject));
    map.triggerRepaint();
  });
  map.setPixelRatio(before);
  return image;
}

function legendBlocks(): Block[] {
  const drawn = classes.value;
  if (drawn?.kind === "grid") {
    const [a, b] = [main, other].map(({ indicator }) => indicator.value);
    if (!a || !b) return [];
    const columns = drawn.a.classes.length;
    // The second rises upwards.
    const rows = [...drawn.b.classes.keys()].reverse().map((j) => ({
      colors: drawn.colors.slice(j * columns, (j + 1) * columns),
      text: "",
    }));
    const axes = [
      ["→", a, drawn.a],
      ["↑", b, drawn.b],
    ] as const;
    axes.forEach(([arrow, by, side], i) => {
      const row = rows[i];
      if (row) row.text = `${arrow} ${words.value.says(labelOf(by), boundsOf(side, by))}`;
    });
    return [{ title: `${labelOf(a)} × ${labelOf(b)}`, rows }];
  }
  return (comparison.value ? [main, other] : [main]).flatMap(({ indicator, classes }) => {
    const [by, shown] = [indicator.value, classes.value];
    if (!by || !shown || shown.kind === "grid") return [];
    const rows = linesOf(shown, by).map(({ color, text }) => ({ colors: [color], text }));
    return [{ title: labelOf(by), rows }];
  });
}

/** Which areas are shown, and where the figures come from, in lines of at most `room` pixels. */
function notesIn(canvas: HTMLCanvasElement, room: number): string[] {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.font = `${NOTE_FONT} ${FAMILY}`;
  const notes = [filter.value && words.value.says(words.value.filter, filter.value), sourceLine()];
  return notes.flatMap((note) => (note ? wrapped(note, room, (text) => context.measureText(text).width) : []));
}

function sourceLine(): string {
  const sources = [main, other].flatMap(({ indicator }) => {
    const by = indicator.value;
    return by && (by === main.indicator.value || comparison.value)
      ? [[by.source, by.vintage].filter(Boolean).join(", ")]
      : [];
  });
  return [...new Set([...sources, attribution.value])].filter(Boolean).join(" · ");
}

function clipped(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 0 && context.measureText(`${text.slice(0, end)}…`).width > room) end -= 1;
  return `${text.slice(0, end)}…`;
}

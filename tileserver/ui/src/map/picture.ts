/** What is on screen as one image: title, maps, legend, source. */
import type { Map as MapLibre } from "maplibre-gl";
import { textIn } from "../api";
import { attribution, description, labelOf } from "../dataset";
import type { Figure } from "../figure";
import { language, words } from "../i18n";
import { type Line, linesOf } from "../lines";
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

interface Block {
  title: string;
  lines: Line[];
}

/** Pixels on screen times `scale`. */
export async function picture(scale: number): Promise<Blob> {
  const images = await Promise.all(shownMaps().map((map) => imageOf(map, scale)));
  const [first] = images;
  if (!first) throw new Error("there is no map to draw");
  const side = comparison.value === "side";
  const mapWidth = ((side ? 2 : 1) * first.width) / scale;
  const mapHeight = first.height / scale;
  const blocks = legendBlocks();
  const rows = Math.max(...blocks.map(({ lines }) => lines.length + 1), 1);
  const width = mapWidth + 2 * MARGIN;
  const top = MARGIN + TITLE + 16;

  const canvas = document.createElement("canvas");
  const notes = notesIn(canvas, mapWidth);
  const height = top + mapHeight + 16 + rows * LINE + 8 + notes.length * NOTE + MARGIN;
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
  blocks.forEach(({ title, lines }, i) => {
    const x = MARGIN + i * column;
    let y = top + mapHeight + 16 + LINE - 6;
    write(title, x, y, "600 14px", color("--ink"), column - 16);
    for (const line of lines) {
      y += LINE;
      context.fillStyle = line.color;
      context.fillRect(x, y - 12, 14, 14);
      write(line.text, x + 24, y, "400 14px", color("--ink"), column - 40);
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
    const high = (figure: Figure) =>
      words.value.says(words.value.to, figure.indicator.value ? labelOf(figure.indicator.value) : "");
    const columns = drawn.a.classes.length;
    return [
      {
        title: [main, other]
          .flatMap(({ indicator }) => (indicator.value ? [labelOf(indicator.value)] : []))
          .join(" × "),
        lines: [
          { color: drawn.colors[columns - 1] as string, text: high(main), count: 0 },
          { color: drawn.colors[drawn.colors.length - columns] as string, text: high(other), count: 0 },
          { color: drawn.colors.at(-1) as string, text: `${high(main)} + ${high(other)}`, count: 0 },
        ],
      },
    ];
  }
  return (comparison.value ? [main, other] : [main]).flatMap(({ indicator, classes }) => {
    const [by, shown] = [indicator.value, classes.value];
    return by && shown && shown.kind !== "grid" ? [{ title: labelOf(by), lines: linesOf(shown, by) }] : [];
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

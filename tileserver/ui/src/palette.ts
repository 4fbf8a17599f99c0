/**
 * Colours of classes and categories.
 *
 * Every ramp is monotonic in lightness (diverging ones on each side), so that it survives every kind
 * of colour blindness and a grey print. Steps are taken in OKLab, where equal distances look equal.
 */

export type PaletteKind = "sequential" | "diverging" | "categorical";

export interface Palette {
  id: string;
  kind: PaletteKind;
  stops: readonly string[];
}

export const PALETTES: readonly Palette[] = [
  { id: "blue", kind: "sequential", stops: ["#e9f0f7", "#b7d0e6", "#75a8d3", "#3a78b5", "#1b4c86", "#0b2850"] },
  { id: "teal", kind: "sequential", stops: ["#ecf5ec", "#bfe0cb", "#7cc2b4", "#3c98a4", "#1e688a", "#123c60"] },
  { id: "amber", kind: "sequential", stops: ["#fdf1d8", "#f9d28c", "#eda245", "#cc6a1c", "#8f3d0f", "#531f08"] },
  { id: "berry", kind: "sequential", stops: ["#fbecea", "#f4c3c2", "#e486a3", "#bd458b", "#7e1d74", "#41104a"] },
  { id: "viridis", kind: "sequential", stops: ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"] },
  { id: "grey", kind: "sequential", stops: ["#f0f0ef", "#cfcecc", "#a3a19e", "#73716e", "#474543", "#201f1e"] },
  {
    id: "orange-blue",
    kind: "diverging",
    stops: ["#8a4306", "#d9852f", "#f6d3a8", "#e6e4df", "#bfd8ec", "#4f93c9", "#0f4a85"],
  },
  {
    id: "red-blue",
    kind: "diverging",
    stops: ["#8c1327", "#d2604f", "#f5c3ad", "#e6e4e1", "#bcd6e7", "#4b93c3", "#124a83"],
  },
  {
    id: "purple-green",
    kind: "diverging",
    stops: ["#4a1a63", "#8f63a8", "#d3bcdc", "#e5e3e3", "#bfe0bd", "#58a868", "#0f5a2e"],
  },
  {
    id: "brown-teal",
    kind: "diverging",
    stops: ["#5e3a0a", "#b5802f", "#e9d3a2", "#e5e4de", "#b5ded7", "#439d94", "#0a5049"],
  },
  // After Okabe and Ito (2008), lightness evened out for areas.
  {
    id: "categories",
    kind: "categorical",
    stops: ["#3273b8", "#e6a02e", "#2b9b82", "#c8619a", "#7b66c4", "#8fc1e8", "#b4532a", "#9a9a92"],
  },
];

export function paletteById(id: string | null): Palette | undefined {
  return PALETTES.find((palette) => palette.id === id);
}

/** `count` colours of a sequential ramp, lightest first; on a dark page, darkest first. */
export function sequential(palette: Palette, count: number, dark: boolean, flip: boolean): string[] {
  const ends = dark ? ([0.92, 0.06] as const) : ([0.1, 0.94] as const);
  const [from, to] = flip ? [ends[1], ends[0]] : ends;
  return Array.from({ length: count }, (_, i) =>
    at(palette.stops, count === 1 ? (from + to) / 2 : from + ((to - from) * i) / (count - 1)),
  );
}

/**
 * Colours of classes on both sides of `middle`: the class that holds it is neutral, the others are as
 * strong as their own middle is far away, on the same scale for both sides. `bounds` are the lowest
 * value and the classes' upper bounds.
 */
export function diverging(
  palette: Palette,
  bounds: readonly number[],
  middle: number,
  dark: boolean,
  flip: boolean,
): string[] {
  const stops = dark ? onDark(palette.stops) : palette.stops;
  const offsets = bounds.slice(1).map((upper, i) => {
    const lower = bounds[i] as number;
    return lower < middle && middle < upper ? 0 : (lower + upper) / 2 - middle;
  });
  const reach = Math.max(...offsets.map(Math.abs)) || 1;
  return offsets.map((offset) => at(stops, 0.5 + ((flip ? -0.5 : 0.5) * offset) / reach));
}

/** On a dark page the neutral middle is dark and strength is light, each side keeping its hue. */
function onDark([a, b, c, , d, e, f]: readonly string[]): string[] {
  return [c, b, a, "#2d3036", f, e, d] as string[];
}

/** A colour for each of `count` categories; those beyond the palette share its last, a grey. */
export function categorical(palette: Palette, count: number): string[] {
  const last = palette.stops.length - 1;
  return Array.from({ length: count }, (_, i) => palette.stops[Math.min(i, last)] as string);
}

/** Corners of the two-indicator square: none, first, second and both of them high. */
const CORNERS = {
  light: ["#e6e4ea", "#4fa3c7", "#c95f9b", "#3f3a75"],
  dark: ["#34373f", "#46a6cf", "#c75f98", "#f1e9fa"],
} as const;

/** Colours of `columns` × `rows` classes, row by row: along a row the first indicator rises. */
export function bivariate(columns: number, rows: number, dark: boolean): string[] {
  const [none, first, second, both] = CORNERS[dark ? "dark" : "light"];
  const along = (i: number, count: number) => (count === 1 ? 0.5 : i / (count - 1));
  return Array.from({ length: columns * rows }, (_, cell) => {
    const t = along(cell % columns, columns);
    const low = at([none, first], t);
    const high = at([second, both], t);
    return at([low, high], along(Math.floor(cell / columns), rows));
  });
}

/** Whether white text has more contrast on `color` than the page's ink has (WCAG 2, luminance). */
export function needsLightText(color: string): boolean {
  const [r, g, b] = toLinearRgb(color);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.2;
}

/** The colour at `t` in 0..1 along evenly spaced `stops`. */
function at(stops: readonly string[], t: number): string {
  const place = Math.min(Math.max(t, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(place), stops.length - 2);
  const a = toOklab(stops[i] as string);
  const b = toOklab(stops[i + 1] as string);
  const mix = (x: number, y: number) => x + (y - x) * (place - i);
  return fromOklab([mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2])]);
}

type Triple = [number, number, number];

// Björn Ottosson, "A perceptual color space for image processing" (2020).
function toOklab(hex: string): Triple {
  const [r, g, b] = toLinearRgb(hex);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromOklab([lightness, a, b]: Triple): string {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${linear.map((x) => byte(toGamma(x)).toString(16).padStart(2, "0")).join("")}`;
}

function toLinearRgb(hex: string): Triple {
  return [1, 3, 5].map((i) => toLinear(Number.parseInt(hex.slice(i, i + 2), 16) / 255)) as Triple;
}

function toLinear(x: number): number {
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
}

function toGamma(x: number): number {
  return x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055;
}

function byte(x: number): number {
  return Math.round(Math.min(Math.max(x, 0), 1) * 255);
}

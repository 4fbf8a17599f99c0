/** A zone that the reader draws: its corners while they are set, then the figures of what it covers. */
import { computed, signal } from "@preact/signals";
import { postZone } from "./api";
import { here } from "./dataset";
import { resource } from "./resource";
import { state, update } from "./state";

/** Longitude and latitude in degrees. */
export type Corner = readonly [number, number];

export const MIN_CORNERS = 3;

/** Corners set so far; `null` while nothing is drawn. */
export const drawing = signal<readonly Corner[] | null>(null);

/** What the map outlines: the zone that is being drawn, else the one that is. */
export const outline = computed<readonly Corner[]>(() => drawing.value ?? state.value.zone ?? []);

export function startDrawing(): void {
  drawing.value = [];
  update({ zone: null, area: null });
}

export function addCorner(corner: Corner): void {
  const corners = drawing.peek();
  if (corners) drawing.value = [...corners, corner];
}

export function removeCorner(): void {
  drawing.value = drawing.peek()?.slice(0, -1) ?? null;
}

/** Ends the drawing; too few corners are no zone yet, and it goes on. */
export function finishDrawing(): void {
  const corners = drawing.peek();
  if (!corners || corners.length < MIN_CORNERS) return;
  drawing.value = null;
  update({ zone: corners });
}

export function cancelDrawing(): void {
  drawing.value = null;
}

/** The figures of the zone, from the areas of the level shown. */
export const zoneFigures = resource(
  () => {
    const { zone } = state.value;
    return zone && here.value ? { ...here.value, zone } : null;
  },
  ({ zone, layer, level }, cancelled) => postZone(layer, level, polygonOf(zone), cancelled),
);

/** A ring ends where it starts; the exterior turns to the left (RFC 7946). */
export function polygonOf(corners: readonly Corner[]): GeoJSON.Polygon {
  const next = (i: number) => corners[(i + 1) % corners.length] as Corner;
  const area = corners.reduce((sum, [x, y], i) => sum + x * next(i)[1] - next(i)[0] * y, 0);
  const ring = (area < 0 ? [...corners].reverse() : [...corners]).map(([lon, lat]) => [lon, lat]);
  return { type: "Polygon", coordinates: [[...ring, ring[0] as number[]]] };
}

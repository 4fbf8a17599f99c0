/**
 * Names of areas, each at the most inner point of what is seen of it.
 *
 * Labelled from the tiles directly, an area would be named once in every tile it touches, and once on
 * every island it has. Glyphs are drawn from the page's own font, so no glyph server is asked.
 */
import type { Feature, FeatureCollection, Point, Polygon, Position } from "geojson";
import type { Map as MapLibre, PointLike, StyleSpecification } from "maplibre-gl";
import polylabel from "polylabel";
import type { Classes } from "../classes";
import { inkOnFill, onFill } from "./colors";
import type { WholeMap } from "./whole";

/** The layer of names, and its source. */
export const NAMES = "names";

/** Beyond this many areas on screen no name would fit; looking for room would only cost time. */
const MAX_AREAS = 400;

/** Pixels of width that an area needs for its name to be tried. */
const MIN_WIDTH = 36;

/** In colours that are set later, or in those given. */
export function addLabels(style: StyleSpecification, font: string, ink?: string, ground?: string): void {
  const colors = ink && ground ? { "text-color": ink, "text-halo-color": ground } : {};
  style.sources[NAMES] = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  style.layers.push({
    id: NAMES,
    type: "symbol",
    source: NAMES,
    layout: {
      "text-field": ["get", "name"],
      "text-font": [font],
      "text-size": ["interpolate", ["linear"], ["get", "width"], 40, 10.5, 200, 13],
      "text-max-width": 7,
      "text-padding": 6,
      "text-line-height": 1.15,
      "symbol-sort-key": ["-", ["get", "width"]],
    },
    paint: { ...colors, "text-halo-width": 1.2, "text-halo-blur": 0.6 },
  });
}

/** Text of one colour, where what lies under it is not the areas' own. */
export function colorLabelsAlike(map: WholeMap, ink: string, ground: string): void {
  map.paint(NAMES, "text-color", ink);
  map.paint(NAMES, "text-halo-color", ground);
}

/** Dark text on light areas, light text on dark ones, with a halo of the area's own colour. */
export function colorLabels(map: WholeMap, classes: Classes, missing: string): void {
  map.paint(NAMES, "text-color", inkOnFill(classes, missing));
  map.paint(
    NAMES,
    "text-halo-color",
    onFill(classes, missing, (color) => color),
  );
}

/** Maps that have names on them. */
const named = new WeakSet<MapLibre>();

export function hasNames(map: MapLibre): boolean {
  return named.has(map);
}

/** The names of what is on screen now; `null` if there are none, as before. */
export function labelsNow(map: MapLibre, areas: string): FeatureCollection | null {
  const features = labelsOf(fewAreas(map, areas), degreesPerPixel(map));
  // New data draw the map again, which where there is nothing to name shows nothing new.
  if (features.length === 0 && !named.has(map)) return null;
  if (features.length > 0) named.add(map);
  else named.delete(map);
  return { type: "FeatureCollection", features };
}

/** Areas on screen; none if there are many. */
function fewAreas(map: MapLibre, areas: string): Drawn[] {
  const layers = [areas];
  const { clientWidth: width, clientHeight: height } = map.getCanvas();
  // Reading areas takes time: where a part in the middle has too many, the rest is not read.
  for (const part of [1 / 6, 1 / 3, 2 / 3]) {
    const [x, y] = [(width * (1 - part)) / 2, (height * (1 - part)) / 2];
    const middle: [PointLike, PointLike] = [
      [x, y],
      [width - x, height - y],
    ];
    if (map.queryRenderedFeatures(middle, { layers }).length > MAX_AREAS / 2) return [];
  }
  const rendered = map.queryRenderedFeatures({ layers });
  return rendered.length <= MAX_AREAS ? rendered : [];
}

type Label = Feature<Point> & { properties: { width: number } };

/** What of areas is drawn: an area comes once for every tile that has a piece of it, or several pieces. */
type Drawn = Pick<Feature, "id" | "geometry" | "properties">;

/** One label for each area that has room for it, on its widest piece. */
export function labelsOf(drawn: readonly Drawn[], degreesPerPixel: number): Label[] {
  const widest = new Map<string | number, { polygon: Position[][]; width: number; properties: Drawn["properties"] }>();
  for (const { id, geometry, properties } of drawn) {
    if (id === undefined || !properties?.name) continue;
    for (const polygon of polygonsOf(geometry)) {
      const width = widthOf(polygon[0] ?? []) / degreesPerPixel;
      if (width < MIN_WIDTH || width <= (widest.get(id)?.width ?? 0)) continue;
      widest.set(id, { polygon, width, properties });
    }
  }
  return [...widest.values()].map(({ polygon, width, properties }) => {
    const [lon, lat] = polylabel(polygon as [number, number][][], degreesPerPixel * 4);
    return {
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties: { ...properties, width },
    };
  });
}

function polygonsOf(geometry: GeoJSON.Geometry): Polygon["coordinates"][] {
  if (geometry.type === "Polygon") return [geometry.coordinates];
  return geometry.type === "MultiPolygon" ? geometry.coordinates : [];
}

/** Degrees. */
function widthOf(ring: Position[]): number {
  let west = Number.POSITIVE_INFINITY;
  let east = Number.NEGATIVE_INFINITY;
  for (const [lon] of ring) {
    west = Math.min(west, lon as number);
    east = Math.max(east, lon as number);
  }
  return east - west;
}

function degreesPerPixel(map: MapLibre): number {
  return 360 / (512 * 2 ** map.getZoom());
}

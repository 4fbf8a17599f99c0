/** The outline of a drawn zone over the map, with its corners while they are being set. */
import { effect } from "@preact/signals";
import type { GeoJSONSource, Map as MapLibre, MapMouseEvent, StyleSpecification } from "maplibre-gl";
import { addCorner, type Corner, drawing, finishDrawing, outline, polygonOf } from "../zone";
import type { WholeMap } from "./whole";

const SOURCE = "zone";
const LINE = "zone-line";
const CORNERS = "zone-corners";

/** Decimals of a degree: a metre and a half, and a short address. */
const DECIMALS = 5;

/** Pixels around the first corner within which a click closes the ring. */
const CLOSE = 10;

export function addZone(style: StyleSpecification, ink: string, ground: string): void {
  style.sources[SOURCE] = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  style.layers.push(
    {
      id: LINE,
      type: "line",
      source: SOURCE,
      layout: { "line-join": "round", "line-cap": "round" },
      paint: { "line-color": ink, "line-width": 2.5, "line-dasharray": [2, 1.5] },
    },
    {
      id: CORNERS,
      type: "circle",
      source: SOURCE,
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": 5, "circle-color": ground, "circle-stroke-color": ink, "circle-stroke-width": 2 },
    },
  );
}

export function colorZone(map: WholeMap, ink: string, ground: string): void {
  map.paint(LINE, "line-color", ink);
  map.paint(CORNERS, "circle-color", ground);
  map.paint(CORNERS, "circle-stroke-color", ink);
}

export function followZone(map: MapLibre): () => void {
  let shown = "[]";
  return effect(() => {
    const features = featuresOf(outline.value, drawing.value !== null);
    const text = JSON.stringify(features);
    // New data draw the map again, equal ones too.
    if (text === shown) return;
    shown = text;
    map.getSource<GeoJSONSource>(SOURCE)?.setData({ type: "FeatureCollection", features });
  });
}

/** Pixels within which two clicks are a double click, and set one corner. */
const SAME = 4;

/** Sets a corner where the reader clicks or, with the keyboard, in the middle of the map. */
export function drawAt(map: MapLibre, x: number, y: number): void {
  const corners = drawing.peek() ?? [];
  const isNear = (corner: Corner | undefined, pixels: number) => {
    if (!corner) return false;
    const at = map.project([corner[0], corner[1]]);
    return Math.hypot(at.x - x, at.y - y) < pixels;
  };
  if (corners.length > 2 && isNear(corners[0], CLOSE)) finishDrawing();
  else if (!isNear(corners.at(-1), SAME)) addCorner(cornerAt(map, x, y));
}

/** A double click ends the drawing instead of zooming. */
export function endOnDoubleClick(event: MapMouseEvent): void {
  if (!drawing.peek()) return;
  event.preventDefault();
  finishDrawing();
}

/** Corners of what the map shows. */
export function cornersOfView(map: MapLibre): Corner[] {
  const { clientWidth: width, clientHeight: height } = map.getCanvas();
  return [
    cornerAt(map, 0, height),
    cornerAt(map, width, height),
    cornerAt(map, width, 0),
    cornerAt(map, 0, 0),
  ];
}

function cornerAt(map: MapLibre, x: number, y: number): Corner {
  const { lng, lat } = map.unproject([x, y]);
  return [Number(lng.toFixed(DECIMALS)), Number(lat.toFixed(DECIMALS))];
}

function featuresOf(corners: readonly Corner[], open: boolean): GeoJSON.Feature[] {
  const feature = (geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: "Feature", properties: {}, geometry });
  if (!open) return corners.length > 0 ? [feature(polygonOf(corners))] : [];
  const points = corners.map(([lon, lat]) => feature({ type: "Point", coordinates: [lon, lat] }));
  if (corners.length < 2) return points;
  return [feature({ type: "LineString", coordinates: corners.map(([lon, lat]) => [lon, lat]) }), ...points];
}

/** Contacts as heat over the areas, as circles where the map is near. */
import { effect } from "@preact/signals";
import type { ExpressionSpecification, Map as MapLibre } from "maplibre-gl";
import template from "../../../../styles/density.json";
import type { Density } from "../api";
import { density, densityTiles, set } from "../density";
import { HEAT_COLORS } from "../heat";
import { theme } from "../theme";
import { fillTemplate } from "./template";
import type { WholeMap } from "./whole";

const SOURCE = "contacts";
const HEAT = "heat";
const CELLS = "cells";

/** See `styles/README.md`; the server's styles have the same. */
const DENSEST_CELL = 0.25;
const KERNEL_PEAK = 0.3989422804014327;

/** Draws the set shown below the layer `before`. */
export function followDensity(map: WholeMap, before: string): () => void {
  let drawn: string | null = null;
  let asked = "";
  const remove = () => {
    if (!drawn) return;
    for (const id of [HEAT, CELLS]) map.removeLayer(id);
    map.removeSource(SOURCE);
    drawn = null;
  };
  const stop = effect(() => {
    const [json, tiles, dark] = [density.value, densityTiles.value, theme.value];
    if (!set.value) {
      remove();
      return;
    }
    if (!json || !tiles) return;
    if (drawn !== set.value) {
      remove();
      add(map, before, json, tiles, set.value);
      drawn = set.value;
    } else if (tiles !== asked) map.replaceTiles(SOURCE, tiles, false);
    asked = tiles;
    map.paint(HEAT, "heatmap-intensity", intensity(json));
    map.paint(HEAT, "heatmap-color", ramp(HEAT_COLORS[dark]));
    map.paint(CELLS, "circle-color", HEAT_COLORS[dark][2]);
  });
  return stop;
}

function add(map: MapLibre, before: string, json: Density, tiles: string, layer: string): void {
  const style = fillTemplate(template, {
    tiles: [tiles],
    bounds: json.bounds,
    minzoom: json.minzoom,
    maxzoom: json.maxzoom,
    "source-layer": layer,
  });
  map.addSource(SOURCE, style.sources[SOURCE] as NonNullable<(typeof style.sources)[string]>);
  for (const one of style.layers) if (one.id !== "background") map.addLayer(one, before);
}

/** At each zoom as much as lets the densest cell be told apart. */
function intensity({ maille }: Density): ExpressionSpecification | number {
  const stops = Object.entries(maille.ranges)
    .map(([zoom, [, most]]) => [Number(zoom), DENSEST_CELL / (KERNEL_PEAK * Math.max(most, 1))] as const)
    .sort(([a], [b]) => a - b);
  if (stops.length === 0) return 1;
  return ["interpolate", ["exponential", 4], ["zoom"], ...stops.flat()] as unknown as ExpressionSpecification;
}

function ramp(colors: readonly string[]): ExpressionSpecification {
  const stops = colors.flatMap((color, i) => [[0.08, 0.3, 0.6, 0.85, 1][i], i === 0 ? `${color}8c` : color]);
  const none = `${colors[0]}00`;
  return ["interpolate", ["linear"], ["heatmap-density"], 0, none, ...stops] as unknown as ExpressionSpecification;
}

/** The area under the pointer, outlined with what its fill is drawn from, and the one selected, by its own shape. */
import { effect } from "@preact/signals";
import type { GeoJSONSource, StyleSpecification } from "maplibre-gl";
import type { Item } from "../api";
import type { Classes } from "../classes";
import * as model from "../model";
import { hover } from "../screen";
import { state } from "../state";
import { inkOnFill } from "./colors";
import type { WholeMap } from "./whole";

/** The template's layer of marks, and the one of the area selected with its source. */
const HOVERED = "marked";
const SELECTED = "selected";

export function addMarks(style: StyleSpecification, classes: Classes | null, missing: string, ink: string): void {
  for (const layer of style.layers) {
    if (layer.id !== HOVERED) continue;
    // Of no opacity, it is not drawn: every area has a part in it.
    Object.assign(layer.paint ?? {}, { "fill-opacity": 0, "fill-opacity-transition": { duration: 0 } });
    if (classes) Object.assign(layer.paint ?? {}, { "fill-outline-color": outlineColor(classes, missing) });
  }
  style.sources[SELECTED] = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  style.layers.push({
    id: SELECTED,
    type: "line",
    source: SELECTED,
    layout: { "line-join": "round" },
    paint: { "line-color": ink, "line-width": 2.6 },
  });
}

export function colorMarks(map: WholeMap, classes: Classes, missing: string): void {
  map.paint(HOVERED, "fill-outline-color", outlineColor(classes, missing));
}

export function colorSelected(map: WholeMap, ink: string): void {
  map.paint(SELECTED, "line-color", ink);
}

function outlineColor(classes: Classes, missing: string): unknown {
  const isHovered = ["boolean", ["feature-state", "hovered"], false];
  return ["case", isHovered, inkOnFill(classes, missing), "rgba(0, 0, 0, 0)"];
}

/** Marks what the reader points at in `source`, and what is selected. */
export function followMarks(map: WholeMap, source: string, sourceLayer: string): () => void {
  let hovered: number | null = null;
  let selected: Item | undefined;
  const point = (id: number | null) => {
    if (id === hovered) return;
    if (hovered === null || id === null) map.paint(HOVERED, "fill-opacity", id === null ? 0 : 1);
    if (hovered !== null) map.removeFeatureState({ source, sourceLayer, id: hovered }, "hovered");
    if (id !== null) map.setFeatureState({ source, sourceLayer, id }, { hovered: true });
    hovered = id;
  };
  const stops = [
    effect(() => point(hover.value?.id ?? null)),
    effect(() => {
      const item = state.value.area ? model.item.value.value?.item : undefined;
      // New data draw the map again, equal ones too.
      if (item === selected) return;
      selected = item;
      const features = item?.geometry ? [{ type: "Feature" as const, geometry: item.geometry, properties: {} }] : [];
      map.getSource<GeoJSONSource>(SELECTED)?.setData({ type: "FeatureCollection", features });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Chooses an area by name rather than on the map, and brings the map to it. */
import { getItem } from "../api";
import * as dataset from "../dataset";
import { type Area, update } from "../state";

export async function goTo(area: Area): Promise<void> {
  update({ area });
  const layer = dataset.layer.value;
  const version = dataset.description.value?.maille.version;
  const level = dataset.description.value?.maille.levels.find(({ name }) => name === area.level);
  if (!layer || !version || !level) return;
  const { geometry } = await getItem(layer, area.level, area.key, version, new AbortController().signal);
  const bounds = geometry && boundsOf(geometry.coordinates);
  if (!bounds) return;
  const { current, fitArea } = await import("../map/view");
  if (current.value) fitArea(current.value, bounds, level.zooms);
}

/** West, south, east, north. */
export function boundsOf(polygons: [number, number][][][]): [number, number, number, number] | null {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [shell = []] of polygons) {
    for (const [lon, lat] of shell) {
      west = Math.min(west, lon);
      east = Math.max(east, lon);
      south = Math.min(south, lat);
      north = Math.max(north, lat);
    }
  }
  return west <= east ? [west, south, east, north] : null;
}

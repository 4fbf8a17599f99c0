/** Chooses an area by name rather than on the map, and brings the map to it. */
import { getItem } from "../api";
import * as dataset from "../dataset";
import { type Area, update } from "../state";

type Bounds = [number, number, number, number];

/** `bounds` are those of the area, where they are known. */
export async function goTo(area: Area, bounds?: Bounds): Promise<void> {
  update({ area });
  const level = dataset.description.value?.maille.levels.find(({ name }) => name === area.level);
  const shown = bounds ?? (await boundsOf(area));
  const { current, fitArea } = await import("../map/view");
  if (current.value && level && shown) fitArea(current.value, shown, level.zooms);
}

/** Has keys move the map. */
export function focusMap(): void {
  document.querySelector<HTMLElement>("#map canvas")?.focus();
}

/** West, south, east, north. */
async function boundsOf({ level, key }: Area): Promise<Bounds | null> {
  const layer = dataset.layer.value;
  const version = dataset.description.value?.maille.version;
  if (!layer || !version) return null;
  const { geometry } = await getItem(layer, level, key, version, new AbortController().signal);
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [shell = []] of geometry?.coordinates ?? []) {
    for (const [lon, lat] of shell) {
      west = Math.min(west, lon);
      east = Math.max(east, lon);
      south = Math.min(south, lat);
      north = Math.max(north, lat);
    }
  }
  return west <= east ? [west, south, east, north] : null;
}

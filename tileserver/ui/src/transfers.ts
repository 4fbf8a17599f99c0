/** Which estimate of vote transfers is beside the map, and what it says. */
import { computed } from "@preact/signals";
import { getTransfers } from "./api";
import { description, layer } from "./dataset";
import { resource } from "./resource";
import { state } from "./state";

/** The layer's own. */
export const transfersKnown = computed(() => description.value?.maille.transfers ?? []);

export const transfersShown = computed(
  () => transfersKnown.value.find(({ name }) => name === state.value.transfers) ?? null,
);

export const transfers = resource(
  () => {
    const version = description.value?.maille.version;
    const name = transfersShown.value?.name;
    return name && layer.value && version ? { layer: layer.value, name, version } : null;
  },
  ({ layer, name, version }, cancelled) => getTransfers(layer, name, version, cancelled),
);

/** The indicator that a cell's share makes in each area. */
export function shareColumn(name: string, from: string, to: string): string {
  return `${name}_${from}_${to}_share`;
}

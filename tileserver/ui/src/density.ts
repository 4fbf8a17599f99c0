/** Where contacts are, drawn over the areas: which set, and which of its contacts. */
import { computed } from "@preact/signals";
import { address, type Density, getDensity, textIn } from "./api";
import { conditionOfClasses } from "./cql";
import { catalog, description } from "./dataset";
import { language } from "./i18n";
import { resource } from "./resource";
import { state, update } from "./state";

/** Contact sets that the reader may see. */
export const sets = computed(() => Object.keys(catalog.value.value?.density ?? {}));

/** What a set is called. */
export function titleOfSet(name: string): string {
  return textIn(catalog.value.value?.density[name]?.title, language.value, name);
}

/** The set shown. */
export const set = computed<string | null>(() => sets.value.find((name) => name === state.value.density) ?? null);

/** All that the reader asks of a contact. */
const condition = computed(() => conditionOfClasses(state.value.contactsFilter, state.value.contacts));

export const described = resource(
  () => {
    const version = description.value?.maille.version;
    // Under another key the set may not be there.
    if (catalog.loading.value || !set.value || !version) return null;
    return { set: set.value, filter: condition.value, version };
  },
  async ({ set, filter, version }, cancelled) => ({
    set,
    version,
    filter,
    json: await getDensity(set, filter, version, cancelled),
  }),
);

/** The last answer that fits what is shown; a filter being written keeps the one before. */
export const density = computed<Density | null>(() => {
  const answer = described.value.value;
  return answer && answer.set === set.value ? answer.json : null;
});

/** Tiles of what {@link density} describes. */
export const densityTiles = computed<string | null>(() => {
  const answer = described.value.value;
  if (!answer || answer.set !== set.value) return null;
  const { version, filter } = answer;
  return address(`density/${encodeURIComponent(answer.set)}/{z}/{x}/{y}`, { v: version, filter });
});

/** What contacts can be told apart by. */
export const dimensions = computed(() => {
  const { dimensions = [], cubes = [] } = density.value?.maille ?? {};
  const all = [...dimensions, ...cubes.flat()];
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
});

/** Adds a class of a dimension to those wanted, or takes it away. */
export function toggleClass(dimension: string, value: string): void {
  const { [dimension]: chosen = [], ...others } = state.peek().contacts;
  const next = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
  update({ contacts: next.length > 0 ? { ...others, [dimension]: next } : others });
}

/** The contacts chosen against the electorate, for those who may see contacts. */
import { computed } from "@preact/signals";
import { getProfile, type Indicator } from "./api";
import { here, indicators } from "./dataset";
import { density, described, set } from "./density";
import { filter, indicator } from "./model";
import { resource } from "./resource";
import { session } from "./session";
import { state } from "./state";

/** The id of what opens the pane; the focus comes back to it when the pane is closed. */
export const OPENER = "profile-opener";

/** Indicators of one profile, and areas that it lists. */
const INDICATORS_MAX = 20;
const AREAS = 10;

/** From a release there is none. */
export const profileAllowed = computed(() => set.value !== null && density.value?.maille.tier === "inside");

export const profileShown = computed(() => state.value.profile && profileAllowed.value);

/** What areas are compared by: what the map shows first; counts say how large an area is, not what it is like. */
export const compared = computed<Indicator[]>(() => {
  const rates = indicators.value.filter(({ unit }) => unit !== "count");
  const all = rates.length > 0 ? rates : indicators.value;
  const first = indicator.value?.name;
  return [...all].sort((a, b) => Number(b.name === first) - Number(a.name === first));
});

export const asked = computed(() => compared.value.slice(0, INDICATORS_MAX));

/** What may be the electorate. */
export const counts = computed(() => indicators.value.filter(({ unit }) => unit === "count"));

export const profile = resource(
  () => {
    if (!profileShown.value || !here.value || filter.value === null || asked.value.length === 0) return null;
    const contacts = described.value.value;
    if (contacts === null || contacts.set !== set.value) return null;
    const { electorate } = state.value;
    const known = counts.value.some(({ name }) => name === electorate);
    return {
      session: session.value,
      query: {
        ...here.value,
        contacts: contacts.set,
        "contacts-filter": contacts.filter,
        ...(electorate && known ? { "contacts-denominator": electorate } : {}),
        properties: asked.value.map(({ name }) => name).join(","),
        filter: filter.value,
        limit: AREAS,
      },
    };
  },
  ({ query }, cancelled) => getProfile(query, cancelled),
);

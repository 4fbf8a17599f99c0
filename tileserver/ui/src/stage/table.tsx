/** The areas that pass the filter as a table: for reading, and for those who cannot use the map. */
import { computed, signal } from "@preact/signals";
import { getItems, type Indicator, type Item } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { formatOf, here, indicators, labelOf, level } from "../dataset";
import { filter, indicator, second } from "../model";
import { scoreIndicator, scoreQuery } from "../priority";
import { explain } from "../problem";
import { resource } from "../resource";
import { state, update } from "../state";
import { goTo } from "./goto";

const PAGE = 50;

const pages = signal(1);

/** What is shown comes first. */
const columns = computed<Indicator[]>(() => {
  const all = scoreIndicator.value ? [scoreIndicator.value, ...indicators.value] : [...indicators.value];
  const shown = [second.value?.name, indicator.value?.name];
  return all.sort((a, b) => shown.indexOf(b.name) - shown.indexOf(a.name));
});

/** By what the rows are sorted: chosen, else the indicator shown, largest first. */
export const order = computed(() => {
  const names = ["name", ...columns.value.map(({ name }) => name)];
  const { sort } = state.value;
  return sort && names.includes(sort.replace(/^-/, "")) ? sort : `-${indicator.value?.name ?? "name"}`;
});

const rows = resource(
  () => {
    if (!state.value.table || !here.value || filter.value === null) return null;
    const query = { ...here.value, ...scoreQuery.value, filter: filter.value };
    return { ...query, sortby: order.value, limit: PAGE * pages.value };
  },
  (query, cancelled) => getItems(query, cancelled),
);

export function Table() {
  if (!state.value.table) return null;
  const error = rows.error.value;
  const answer = error ? null : rows.value.value;
  return (
    <section class="table" aria-label={words.value.table} aria-busy={rows.loading.value}>
      {/* Focusable, because it scrolls. */}
      <div class="table-scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                {words.value.rankHeader}
              </th>
              <Header name="name" label={words.value.nameHeader} />
              {columns.value.map((one) => (
                <Header key={one.name} name={one.name} label={labelOf(one)} number={one.kind === "number"} />
              ))}
            </tr>
          </thead>
          <tbody>
            {answer?.features.map((item, i) => (
              <Row key={item.id} item={item} place={i + 1} />
            ))}
          </tbody>
        </table>
        {answer && answer.features.length < answer.numberMatched && (
          <button type="button" class="quiet more-rows" onClick={() => (pages.value += 1)}>
            {words.value.showMore}
          </button>
        )}
        {error && (
          <p class="problem none" role="alert">
            {explain(error)}
          </p>
        )}
        {answer?.numberMatched === 0 && <p class="muted none">{words.value.nothing}</p>}
      </div>
    </section>
  );
}

function Header({ name, label, number }: { name: string; label: string; number?: boolean }) {
  const sorted = order.value.replace(/^-/, "") === name;
  const down = order.value.startsWith("-");
  // Numbers start with the largest, names with A.
  const next = sorted ? (down ? name : `-${name}`) : number ? `-${name}` : name;
  return (
    <th scope="col" class={number ? "number" : ""} aria-sort={sorted ? (down ? "descending" : "ascending") : "none"}>
      <button
        type="button"
        onClick={() => {
          pages.value = 1;
          update({ sort: next });
        }}
      >
        <span class="label">{label}</span>
        {sorted && <Icon name={down ? "down" : "up"} />}
      </button>
    </th>
  );
}

function Row({ item, place }: { item: Item; place: number }) {
  const { properties } = item;
  const { area } = state.value;
  const at = level.value?.name ?? "";
  const chosen = area?.key === properties.key && area.level === at;
  return (
    <tr class={chosen ? "chosen" : ""}>
      <td class="number muted">{place}</td>
      <th scope="row">
        <button type="button" onClick={() => void goTo({ level: at, key: properties.key })}>
          {properties.name}
        </button>
      </th>
      {columns.value.map((one) => (
        <Cell key={one.name} indicator={one} value={properties[one.name] ?? null} />
      ))}
    </tr>
  );
}

function Cell({ indicator, value }: { indicator: Indicator; value: string | number | null }) {
  if (value === null) return <td class="muted">–</td>;
  if (typeof value === "string") return <td>{value}</td>;
  return <td class="number">{formatOf(indicator).value(value)}</td>;
}

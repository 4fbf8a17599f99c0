/** The card of the area chosen: every indicator of it, and where each comes from. */
import { type Described, type Indicator, type Item, type Series, textIn } from "../api";
import { language, words } from "../i18n";
import { Icon } from "../icons";
import { description, formatOf, labelOf, titleOf } from "../dataset";
import { indicator, item, missing, second } from "../model";
import { explain } from "../problem";
import { state, update } from "../state";
import { useClosing } from "./closing";
import { focusMap } from "./goto";
import { Sparkline } from "./sparkline";

/** Says the area chosen to those who do not see the card. */
export function Announcement() {
  const answer = state.value.area && item.value.value;
  const by = indicator.value;
  const value = answer && by && told(by, answer.item);
  const { name = "" } = answer?.item.properties ?? {};
  return (
    <p class="hidden" role="status">
      {value ? words.value.says(name, value) : name}
    </p>
  );
}

/** The value shown on the map; nothing where an area does not carry it, as a score. */
function told(by: Indicator, { properties }: Item): string | null {
  const value = properties[by.name];
  if (value === undefined) return null;
  const text = typeof value === "number" ? formatOf(by).value(value) : (value ?? words.value.noData);
  return `${labelOf(by)}, ${text}`;
}

/** Says why there is no card of an area that was asked for. */
export function NoArea() {
  const error = state.value.area && item.error.value;
  const said = error ? explain(error) : missing.value !== null && words.value.noArea(missing.value);
  if (!said) return null;
  return (
    <div class="no-area">
      <p class="problem" role="alert">
        {said}
      </p>
      <button
        type="button"
        class="quiet"
        aria-label={words.value.close}
        title={words.value.close}
        onClick={() => {
          missing.value = null;
          focusMap();
          close();
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

export function AreaCard() {
  useClosing(state.value.area !== null, close);

  const answer = item.value.value;
  if (!state.value.area || !answer || item.error.value) return null;
  const { properties } = answer.item;
  const level = description.value?.maille.levels.find(({ name }) => name === answer.level);
  const held = (description.value?.maille.indicators ?? []).filter(({ name }) => properties[name] !== undefined);
  // What the map shows comes first: there may be many.
  const shown = [...held.filter(isChosen), ...held.filter((one) => !isChosen(one))];
  return (
    <section class="card" aria-label={properties.name}>
      <header>
        <p class="eyebrow">
          {level ? titleOf(level) : answer.level} · {properties.key}
        </p>
        <h2>{properties.name}</h2>
        <button type="button" class="quiet" aria-label={words.value.close} title={words.value.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {/* Focusable, because it may scroll. */}
      <dl tabIndex={0}>
        {shown.map((one) => (
          <Row
            key={one.name}
            indicator={one}
            value={properties[one.name] ?? null}
            range={one.levels[answer.level]}
            described={answer.item.indicators.find(({ name }) => name === one.name)}
            parent={answer.item.parent?.name ?? null}
            series={answer.item.series.find(({ points }) => points.some(({ indicator }) => indicator === one.name))}
          />
        ))}
      </dl>
      <Provenance indicators={shown} />
    </section>
  );
}

function Row(props: {
  indicator: Indicator;
  value: string | number | null;
  range: { min: number | null; max: number | null } | undefined;
  described: Described | undefined;
  parent: string | null;
  series: Series | undefined;
}) {
  const { value, range } = props;
  const chosen = isChosen(props.indicator);
  const text =
    value === null ? words.value.noData : typeof value === "number" ? formatOf(props.indicator).value(value) : value;
  const { min = null, max = null } = range ?? {};
  const place =
    typeof value === "number" && min !== null && max !== null && max > min ? (value - min) / (max - min) : null;
  return (
    <div class={chosen ? "row chosen" : "row"}>
      <dt>
        {labelOf(props.indicator)}
      </dt>
      <dd class={value === null ? "muted" : "figure"}>{text}</dd>
      {place !== null && (
        <span class="track" aria-hidden="true">
          <span class="track-mark" style={{ left: `${(place * 100).toFixed(1)}%` }} />
        </span>
      )}
      {props.described && <Context of={props.indicator} described={props.described} parent={props.parent} />}
      {props.series && <Sparkline series={props.series} of={props.indicator} />}
    </div>
  );
}

function isChosen({ name }: Indicator): boolean {
  return [indicator.value, second.value].some((one) => one?.name === name);
}

/** Its place among the others, and the same figure of what the area belongs to. */
function Context({ of, described, parent }: { of: Indicator; described: Described; parent: string | null }) {
  const { value } = formatOf(of);
  const text = (figure: number | string) => (typeof figure === "number" ? value(figure) : figure);
  const parts = [
    described.rank !== null && described.of !== null && words.value.rank(count(described.rank), count(described.of)),
    parent !== null && described.parent !== null && words.value.says(parent, text(described.parent)),
    described.layer !== null && words.value.says(words.value.whole, text(described.layer)),
  ].filter(Boolean);
  return parts.length > 0 ? <dd class="context">{parts.join(" · ")}</dd> : null;
}

function count(n: number): string {
  return new Intl.NumberFormat(language.value).format(n);
}

/** Vintages of a source that are named each; of more, the first and the last. */
const VINTAGES_NAMED = 2;

/** One line for each source and licence there is among `indicators`. */
function Provenance({ indicators }: { indicators: Indicator[] }) {
  const vintages = new Map<string, Set<string>>();
  for (const { source, vintage, licence } of indicators) {
    const key = JSON.stringify([source, licence]);
    const known = vintages.get(key) ?? vintages.set(key, new Set()).get(key);
    if (vintage) known?.add(vintage);
  }
  const lines = [...vintages].map(([key, all]) => {
    const [source, licence] = JSON.parse(key) as [string | null, string | null];
    const sorted = [...all].sort();
    const dates = sorted.length > VINTAGES_NAMED ? `${sorted[0]} – ${sorted.at(-1)}` : sorted.join(", ");
    return [source, dates, licence].filter(Boolean).join(" · ");
  });
  return (
    <footer>
      {lines.filter(Boolean).map((line) => (
        <p key={line}>{line}</p>
      ))}
      <p class="muted">{textIn(description.value?.maille.dataset_title, language.value, "")}</p>
    </footer>
  );
}

function close(): void {
  update({ area: null });
}

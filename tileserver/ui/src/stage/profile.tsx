/** The contacts' profile beside the map: bars to both sides of the electorate, and where the contacts are. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Indicator, Profile, ProfileOf } from "../api";
import { type Bar, bars } from "../bars";
import { formatOf, indicatorByName, labelOf, level } from "../dataset";
import { set } from "../density";
import { language, words } from "../i18n";
import { Icon } from "../icons";
import { asked, compared, counts, OPENER, profile, profileShown } from "../profile";
import { explain } from "../problem";
import { state, update } from "../state";
import { goTo } from "./goto";
import { Pane } from "./pane";

/** What bars show. */
const MEASURES = ["index", "stdDiff"] as const;
const measure = signal<(typeof MEASURES)[number]>("index");

/** The middle of the bars, and the least distance from it that reaches an edge. */
const SCALES = { index: [100, 20], stdDiff: [0, 0.4] } as const;

export function ProfilePane() {
  if (!profileShown.value) return null;
  const answer = profile.value.value;
  const error = profile.error.value;
  return (
    <Pane
      title={words.value.profile}
      eyebrow={
        <>
          {set.value}
          <span class="tag">{words.value.estimate}</span>
        </>
      }
      busy={profile.loading.value}
      opener={OPENER}
      onClose={() => update({ profile: false })}
    >
      <ElectoratePicker />
      {error && (
        <p class="problem" role="alert">
          {explain(error)}
        </p>
      )}
      {!error && answer && <Found of={answer} />}
    </Pane>
  );
}

/** Where the level has no weight, or another count is the right one. */
function ElectoratePicker() {
  if (counts.value.length === 0) return null;
  return (
    <div class="field">
      <label for="electorate">{words.value.electorate}</label>
      <div class="select">
        <select
          id="electorate"
          value={state.value.electorate ?? ""}
          onChange={({ currentTarget }) => update({ electorate: currentTarget.value || null })}
        >
          <option value="">{words.value.electorateOwn}</option>
          {counts.value.map((one) => (
            <option key={one.name} value={one.name}>
              {labelOf(one)}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </div>
    </div>
  );
}

function Found({ of }: { of: Profile }) {
  const all = compared.value.length;
  return (
    <>
      <p role="status">
        {words.value.profileFrom(number(contactsOf(of)), number(of.areas), number(of.electors))}
      </p>
      <p class="caution">{words.value.profileCaution}</p>
      <fieldset class="segments">
        <legend class="hidden">{words.value.measure}</legend>
        {MEASURES.map((one) => (
          <label key={one}>
            <input type="radio" name="profile-measure" checked={measure.value === one} onChange={() => (measure.value = one)} />
            <span>{words.value[one]}</span>
          </label>
        ))}
      </fieldset>
      <Chart indicators={of.indicators} />
      {all > asked.value.length && (
        <p class="caution">{words.value.profileSome(number(asked.value.length), number(all))}</p>
      )}
      <Areas
        title={words.value.strongest}
        areas={of.quotients.map(({ key, name, quotient }) => ({ key, name, told: words.value.quotient(number(quotient, 2)) }))}
      />
      {of.lookalikes ? (
        <Areas title={words.value.lookalikes} areas={of.lookalikes.areas}>
          <p class="caution">
            {words.value.lookalikesHint(number(of.lookalikes.seeds), `${number(100 * of.lookalikes.auc)}\u202f%`)}
          </p>
        </Areas>
      ) : (
        <p class="caution">{words.value.lookalikesNone}</p>
      )}
      {of.logistic ? <Weights of={of.logistic} /> : <p class="caution">{words.value.logisticNone}</p>}
    </>
  );
}

/** Contacts in the areas that pass the filter: those of the indicator that most of them have. */
function contactsOf({ indicators, contacts }: Profile): number {
  const counted = indicators.flatMap(({ contacts }) => contacts ?? []);
  return counted.length > 0 ? Math.max(...counted) : contacts.in_areas;
}

interface Line {
  key: string;
  label: string;
  told: string;
  index: number | null;
  stdDiff: number | null;
  noteworthy: boolean;
  /** Of an indicator of text: one of its values. */
  value: boolean;
}

function linesOf(of: ProfileOf): Line[] {
  const known = indicatorByName(of.name);
  const label = known ? labelOf(known) : of.name;
  const [mean, base] = [of.mean_contacts ?? null, of.mean_electors ?? null];
  const told = known && mean !== null && base !== null ? means(known, mean, base) : "";
  // A ratio of means says nothing of what may be below zero.
  const signed = (known?.levels[level.value?.name ?? ""]?.min ?? 0) < 0;
  const index = signed ? null : (of.index ?? null);
  const line = { label, told, index, stdDiff: of.std_diff ?? null, value: false };
  const values = (of.classes ?? []).map((one) => ({
    key: `${of.name} ${one.value}`,
    label: one.value,
    told: words.value.profileMeans(percent(one.share_contacts), percent(one.share_electors)),
    index: one.index,
    stdDiff: null,
    noteworthy: false,
    value: true,
  }));
  return [{ ...line, key: of.name, noteworthy: of.noteworthy ?? false }, ...values];
}

function means(indicator: Indicator, mean: number, base: number): string {
  const format = formatOf(indicator);
  return words.value.profileMeans(format.value(mean), format.value(base));
}

function Chart({ indicators }: { indicators: ProfileOf[] }) {
  const lines = indicators.flatMap(linesOf);
  const [middle, least] = SCALES[measure.value];
  const drawn = bars(
    lines.map((line) => line[measure.value]),
    middle,
    least,
  );
  const hidden = indicators.reduce((sum, { classes_hidden: n }) => sum + (n ?? 0), 0);
  const least11 = indicators.find(({ class_min }) => class_min !== undefined)?.class_min;
  const hint = measure.value === "index" ? words.value.indexHint : words.value.stdDiffHint;
  return (
    <>
      <table class="bars">
        <caption>
          {words.value.says(words.value[measure.value], hint)}
        </caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">{words.value.indicator}</span>
            </th>
            <th scope="col">{words.value.index}</th>
            <th scope="col">{words.value.stdDiff}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, i) => (
            <ChartLine key={line.key} line={line} bar={drawn[i] ?? null} />
          ))}
        </tbody>
      </table>
      {hidden > 0 && least11 !== undefined && (
        <p class="caution">{words.value.classesHidden(number(hidden), number(least11))}</p>
      )}
    </>
  );
}

function ChartLine({ line, bar }: { line: Line; bar: Bar | null }) {
  const shape = [line.noteworthy && "noteworthy", line.value && "value"].filter(Boolean).join(" ");
  return (
    <tr class={shape}>
      <th scope="row">
        {line.label}
        {line.told && <span class="told">{line.told}</span>}
        {bar && (
          <span class="bar" aria-hidden="true">
            <i style={{ left: `${bar.start}%`, width: `${bar.width}%` }} />
          </span>
        )}
      </th>
      <td>{line.index === null ? <Missing /> : number(line.index)}</td>
      <td>
        {line.stdDiff === null ? <Missing /> : signed(line.stdDiff)}
        {line.noteworthy && <span class="hidden">, {words.value.noteworthy}</span>}
      </td>
    </tr>
  );
}

function Missing() {
  return <span class="muted">–</span>;
}

interface AreasProps {
  title: string;
  areas: { key: string; name: string; told?: string }[];
  children?: ComponentChildren;
}

function Areas({ title, areas, children }: AreasProps) {
  const at = level.value?.name ?? "";
  return (
    <section>
      <h3>{title}</h3>
      {children}
      <ol class="areas">
        {areas.map(({ key, name, told }) => (
          <li key={key}>
            <button type="button" class="link" onClick={() => void goTo({ level: at, key })}>
              {name}
            </button>
            {told && <span class="muted"> {told}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Weights({ of }: { of: NonNullable<Profile["logistic"]> }) {
  return (
    <details>
      <summary>{words.value.logistic}</summary>
      <p class="caution">{words.value.logisticHint}</p>
      <table class="bars">
        <caption class="hidden">{words.value.logistic}</caption>
        <tbody>
          {of.weights.map(({ name, weight, error }) => {
            const known = indicatorByName(name);
            return (
              <tr key={name}>
                <th scope="row">{known ? labelOf(known) : name}</th>
                <td>
                  {signed(weight)} ± {number(error, 2)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}

function number(x: number, digits = 0): string {
  return new Intl.NumberFormat(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(x);
}

function signed(x: number): string {
  const text = new Intl.NumberFormat(language.value, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
    signDisplay: "exceptZero",
  }).format(x);
  return text.replace("-", "−");
}

function percent(share: number): string {
  return `${number(100 * share, 1)}\u202f%`;
}

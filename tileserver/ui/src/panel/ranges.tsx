/** Filters by sliders: one line for each indicator that has one, and a way to add another. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Indicator } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { description, indicators, labelOf } from "../dataset";
import { comparison, indicator, second } from "../model";
import { setRange, state } from "../state";
import { passFocus } from "./focus";
import { boundsText, extremesOf, RangeSlider, rangeText } from "./range";

/** Added, and not moved yet: they narrow nothing, so the state does not know them. */
const added = signal<readonly string[]>([]);

export function Ranges() {
  const { ranges } = state.value;
  const listed = (name: string) => Object.hasOwn(ranges, name) || added.value.includes(name);
  // An indicator with a histogram has its slider under it.
  const drawn = comparison.value === "colours" ? [] : [indicator.value, comparison.value && second.value];
  const apart = (one: Indicator) => !drawn.includes(one);
  const sliding = indicators.value.filter((one) => one.kind === "number" && extremesOf(one));
  const candidates = sliding.filter(apart);
  const shown = candidates.filter(({ name }) => listed(name));
  const others = candidates.filter(({ name }) => !listed(name));
  // Of another level or of nothing known: there is no slider, but they narrow all the same.
  const foreign = Object.entries(ranges).filter(([name]) => !sliding.some((one) => one.name === name));
  const remove = (name: string) => {
    added.value = added.value.filter((one) => one !== name);
    setRange(name, { min: null, max: null });
  };
  return (
    <>
      {shown.map((one) => (
        <Line key={one.name} label={labelOf(one)} text={rangeText(one)} onRemove={() => remove(one.name)}>
          <RangeSlider indicator={one} />
        </Line>
      ))}
      {foreign.map(([name, range]) => (
        <Line key={name} label={labelOfName(name)} text={boundsText(range)} onRemove={() => remove(name)} />
      ))}
      {others.length > 0 && (
        <div class="select add-range">
          <select
            aria-label={words.value.addRange}
            value=""
            onChange={(event) => {
              added.value = [...added.value, event.currentTarget.value];
              event.currentTarget.value = "";
            }}
          >
            <option value="">{words.value.addRange}…</option>
            {others.map((one) => (
              <option key={one.name} value={one.name}>
                {labelOf(one)}
              </option>
            ))}
          </select>
          <Icon name="plus" />
        </div>
      )}
    </>
  );
}

interface LineProps {
  label: string;
  text: string | null;
  onRemove: () => void;
  children?: ComponentChildren;
}

function Line({ label, text, onRemove, children }: LineProps) {
  return (
    <div class="range-line">
      <p>
        <span>{label}</span>
        <span class="figure">{text}</span>
        <button
          type="button"
          class="quiet"
          aria-label={words.value.remove(label)}
          onClick={({ currentTarget }) => {
            passFocus(currentTarget, ".range-line");
            onRemove();
          }}
        >
          <Icon name="close" />
        </button>
      </p>
      {children}
    </div>
  );
}

function labelOfName(name: string): string {
  const known = description.value?.maille.indicators.find((one) => one.name === name);
  return known ? labelOf(known) : name;
}

/** Filters by sliders: one line for each indicator that has one, and a way to add another. */
import { signal } from "@preact/signals";
import type { Indicator } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { indicators, labelOf } from "../dataset";
import { comparison, indicator, second } from "../model";
import { setRange, state } from "../state";
import { extremesOf, RangeSlider, rangeText } from "./range";

/** Added, and not moved yet: they narrow nothing, so the state does not know them. */
const added = signal<readonly string[]>([]);

export function Ranges() {
  const listed = (name: string) => name in state.value.ranges || added.value.includes(name);
  // An indicator with a histogram has its slider under it.
  const drawn = comparison.value === "colours" ? [] : [indicator.value, comparison.value && second.value];
  const apart = (one: Indicator) => !drawn.includes(one);
  const candidates = indicators.value.filter((one) => one.kind === "number" && extremesOf(one) && apart(one));
  const shown = candidates.filter(({ name }) => listed(name));
  const others = candidates.filter(({ name }) => !listed(name));
  const remove = (name: string) => {
    added.value = added.value.filter((one) => one !== name);
    setRange(name, { min: null, max: null });
  };
  return (
    <>
      {shown.map((one) => (
        <div class="range-line" key={one.name}>
          <p>
            <span>{labelOf(one)}</span>
            <span class="figure">{rangeText(one)}</span>
            <button
              type="button"
              class="quiet"
              aria-label={words.value.remove(labelOf(one))}
              onClick={() => remove(one.name)}
            >
              <Icon name="close" />
            </button>
          </p>
          <RangeSlider indicator={one} />
        </div>
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

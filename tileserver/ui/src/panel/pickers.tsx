/** What to look at: layer, indicator, level. */
import type { Indicator } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { description, indicators, labelOf, layer, layers, level, titleOf, titleOfLayer } from "../dataset";
import { comparison, indicator, second, twoNumbers } from "../model";
import { scoreIndicator } from "../priority";
import { COMPARISONS, state, update } from "../state";

export function LayerPicker() {
  if (layers.value.length < 2) return null;
  return (
    <Select
      id="layer"
      label={words.value.layer}
      value={layer.value ?? ""}
      options={layers.value.map((name) => ({ value: name, text: titleOfLayer(name) }))}
      onChange={(value) =>
        update({
          layer: value,
          indicator: null,
          second: null,
          ranges: {},
          criteria: [],
          middle: null,
          area: null,
          transfers: null,
          profile: false,
          electorate: null,
          view: null,
          filter: "",
        })
      }
    />
  );
}

export function IndicatorPicker() {
  if (indicators.value.length === 0) return null;
  return (
    <Select
      id="indicator"
      label={words.value.indicator}
      value={indicator.value?.name ?? ""}
      options={measures().map((one) => ({ value: one.name, text: labelOf(one) }))}
      onChange={choose}
      prominent
    />
  );
}

/** What it is compared with takes the place of the one before, and the turn of a palette is of another unit. */
function choose(name: string): void {
  const before = indicator.value?.name ?? null;
  const other = state.value.second === name ? before : state.value.second;
  update({ indicator: name, second: other, middle: null });
}

/** What can be shown: the score first, where there are criteria for one. */
function measures(): Indicator[] {
  return scoreIndicator.value ? [scoreIndicator.value, ...indicators.value] : indicators.value;
}

/** Beside the indicator, another one, in one of three ways. */
export function ComparisonPicker() {
  const others = measures().filter((one) => one.name !== indicator.value?.name);
  if (others.length === 0) return null;
  const chosen = comparison.value;
  return (
    <div class="comparison">
      <Select
        id="second"
        label={words.value.compare}
        value={second.value?.name ?? ""}
        options={[
          { value: "", text: words.value.nothingElse },
          ...others.map((one) => ({ value: one.name, text: labelOf(one) })),
        ]}
        onChange={(value) => update({ second: value || null })}
      />
      {second.value && (
        <fieldset class="segments">
          <legend class="hidden">{words.value.compare}</legend>
          {COMPARISONS.map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="comparison"
                checked={chosen === one}
                disabled={one === "colours" && !twoNumbers.value}
                onChange={() => update({ comparison: one })}
              />
              <span>{words.value.comparisons[one]}</span>
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

/** Each zoom shows one level: choosing one moves the map to where it shows. */
export function LevelPicker() {
  const levels = description.value?.maille.levels ?? [];
  if (levels.length < 2) return null;
  return (
    <fieldset class="segments">
      <legend>{words.value.level}</legend>
      {[...levels].reverse().map((one) => (
        <label key={one.name}>
          <input
            type="radio"
            name="level"
            checked={level.value?.name === one.name}
            onChange={() => void import("../map/view").then(({ zoomInto }) => zoomInto(one.zooms))}
          />
          <span>{titleOf(one)}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface SelectProps {
  id: string;
  label: string;
  value: string;
  options: { value: string; text: string }[];
  onChange: (value: string) => void;
  prominent?: boolean;
}

export function Select({ id, label, value, options, onChange, prominent }: SelectProps) {
  return (
    <div class={prominent ? "field prominent" : "field"}>
      <label for={id}>{label}</label>
      <div class="select">
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </div>
    </div>
  );
}

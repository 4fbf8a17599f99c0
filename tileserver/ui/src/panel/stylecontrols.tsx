/** How values become colours: method, number of classes, palette. */
import type { Indicator } from "../api";
import { kindsFor, middleOf, paletteFor } from "../classes";
import { formatOf } from "../dataset";
import { words } from "../i18n";
import { Icon } from "../icons";
import { comparison, indicator, main } from "../model";
import { PALETTES, type Palette, sequential, diverging } from "../palette";
import { MAX_CLASSES, type Method, METHODS, MIN_CLASSES, state, update } from "../state";
import { theme } from "../theme";
import { Select } from "./pickers";

export function StyleControls() {
  const by = indicator.value;
  if (by?.kind !== "number") return null;
  const { classes, flip, method } = state.value;
  const twoColours = comparison.value === "colours";
  const palettes = PALETTES.filter(({ kind }) => kindsFor(by).includes(kind));
  const chosen = paletteFor(by, main.stats.value.value, state.value.palette);
  return (
    <section class="group" aria-label={words.value.style}>
      <div class="pair">
        <Select
          id="method"
          label={words.value.method}
          value={method}
          options={METHODS.map((value) => ({ value, text: words.value.methods[value] }))}
          onChange={(value) => update({ method: value as Method })}
        />
        {!twoColours && <Stepper value={classes} onChange={(value) => update({ classes: value })} />}
      </div>
      {!twoColours && (
        <fieldset class="palettes">
          <legend>{words.value.palette}</legend>
          <div class="swatches">
            {palettes.map((palette) => (
              <label key={palette.id} title={words.value.palettes[palette.id] ?? palette.id}>
                <input
                  type="radio"
                  name="palette"
                  checked={palette.id === chosen.id}
                  onChange={() => update({ palette: palette.id })}
                />
                <span class="ramp" style={{ background: gradient(palette, flip) }} />
                <span class="hidden">{words.value.palettes[palette.id] ?? palette.id}</span>
              </label>
            ))}
            <button
              type="button"
              class="quiet"
              aria-pressed={flip}
              title={words.value.flip}
              onClick={() => update({ flip: !flip })}
            >
              <Icon name="flip" />
              <span class="hidden">{words.value.flip}</span>
            </button>
          </div>
          {chosen.kind === "diverging" && <Middle indicator={by} />}
        </fieldset>
      )}
    </section>
  );
}

/** Where the palette turns: empty is where it does by itself. */
function Middle({ indicator: by }: { indicator: Indicator }) {
  const { plain, suffix } = formatOf(by);
  const stats = main.stats.value.value;
  const { middle } = state.value;
  const scale = by.unit === "share" ? 100 : 1;
  return (
    <div class="field middle">
      <label for="middle">{suffix ? `${words.value.middle} (${suffix})` : words.value.middle}</label>
      <input
        id="middle"
        type="number"
        step="any"
        placeholder={stats ? plain(middleOf(stats)) : ""}
        value={middle === null ? "" : tidy(middle * scale)}
        onChange={({ currentTarget: { value } }) => update({ middle: value === "" ? null : tidy(Number(value) / scale) })}
      />
    </div>
  );
}

/** Without what percent leave of a binary fraction. */
function tidy(x: number): number {
  return Number(x.toPrecision(12));
}

function Stepper({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  return (
    <div class="field stepper">
      <span id="classes">{words.value.classes}</span>
      <div role="group" aria-labelledby="classes">
        <button
          type="button"
          aria-label={words.value.fewer}
          disabled={value <= MIN_CLASSES}
          onClick={() => onChange(value - 1)}
        >
          <Icon name="minus" />
        </button>
        <output>{value}</output>
        <button
          type="button"
          aria-label={words.value.more}
          disabled={value >= MAX_CLASSES}
          onClick={() => onChange(value + 1)}
        >
          <Icon name="plus" />
        </button>
      </div>
    </div>
  );
}

function gradient(palette: Palette, flip: boolean): string {
  const dark = theme.value === "dark";
  const colors =
    palette.kind === "diverging"
      ? diverging(palette, [0, 1, 2, 3, 4, 5], 2.5, dark, flip)
      : sequential(palette, 5, dark, flip);
  const bands = colors.map((color, i) => `${color} ${i * 20}% ${(i + 1) * 20}%`);
  return `linear-gradient(90deg, ${bands.join(", ")})`;
}

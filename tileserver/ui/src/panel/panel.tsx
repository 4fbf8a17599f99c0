/** The panel: what is shown, what its colours mean, and what to change. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { textIn } from "../api";
import { language, words } from "../i18n";
import { explain } from "../problem";
import { Icon, Mark } from "../icons";
import { catalog, description, layer, layers, level, tileJson } from "../dataset";
import { type Language, update } from "../state";
import { theme } from "../theme";
import { AccessBox } from "./accessbox";
import { DensityBox } from "./densitybox";
import { FilterBox } from "./filterbox";
import { Legend } from "./legend";
import { ComparisonPicker, IndicatorPicker, LayerPicker, LevelPicker } from "./pickers";
import { PriorityBox } from "./priority";
import { Sources } from "./sources";
import { StyleControls } from "./stylecontrols";
import { TransfersBox } from "./transfersbox";
import { UseBox } from "./usebox";

/** On a phone the panel is a sheet that opens; elsewhere this is without effect. */
const open = signal(false);

export function Panel() {
  return (
    <aside class={open.value ? "panel open" : "panel"} aria-label={words.value.panel}>
      <Masthead />
      <Title />
      <div class="pickers">
        <LayerPicker />
        <IndicatorPicker />
        <ComparisonPicker />
        <LevelPicker />
      </div>
      <Legend />
      <button type="button" class="expand" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        {open.value ? words.value.collapse : words.value.expand}
        <Icon name="down" />
      </button>
      <div class="more">
        <PriorityBox />
        <TransfersBox />
        <StyleControls />
        <FilterBox />
        <DensityBox />
        <UseBox />
        <AccessBox />
        <Sources />
      </div>
    </aside>
  );
}

function Masthead() {
  const other: Language = language.value === "fr" ? "en" : "fr";
  const dark = theme.value === "dark";
  const switchTo = dark ? words.value.light : words.value.dark;
  return (
    <div class="masthead">
      <span class="wordmark">
        <Mark />
        Maille
      </span>
      <button type="button" class="quiet" lang={other} onClick={() => update({ language: other })}>
        {other === "fr" ? "Français" : "English"}
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={words.value.says(words.value.theme, switchTo)}
        title={switchTo}
        onClick={() => update({ theme: dark ? "light" : "dark" })}
      >
        <Icon name={dark ? "sun" : "moon"} />
      </button>
    </div>
  );
}

function Title() {
  const json = description.value;
  const error = tileJson.error.value ?? catalog.error.value;
  // A look for a new version may fail; what is known stays.
  if (error && !json) return <Notice>{explain(error)}</Notice>;
  if (catalog.value.value && layers.value.length === 0) return <Notice>{words.value.empty}</Notice>;
  if (!json) return <h1 class="pending">{words.value.loading}…</h1>;
  const title = textIn(json.maille.title, language.value, layer.value ?? "");
  const dataset = textIn(json.maille.dataset_title, language.value, title);
  const rows = new Intl.NumberFormat(language.value).format(level.value?.rows ?? 0);
  return (
    <div class="title">
      <h1>{dataset}</h1>
      <p class="lede">
        {layers.value.length > 1 && title !== dataset ? `${title} · ` : ""}
        {level.value ? words.value.areas(rows) : "\u00a0"}
      </p>
    </div>
  );
}

function Notice({ children }: { children: ComponentChildren }) {
  return (
    <p class="problem" role="alert">
      {children}
    </p>
  );
}

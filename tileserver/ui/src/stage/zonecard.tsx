/** The figures of a drawn zone: of what it covers, recomputed from counts. */
import { formatOf, indicators, labelOf } from "../dataset";
import { language, words } from "../i18n";
import { Icon } from "../icons";
import { indicator, item, second } from "../model";
import { explain } from "../problem";
import { state, update } from "../state";
import { zoneFigures } from "../zone";
import { useClosing } from "./closing";

export function ZoneCard() {
  const answer = zoneFigures.value.value;
  const error = zoneFigures.error.value;
  // An area's card lies over it, where there is one.
  const open = state.value.zone !== null && (state.value.area === null || item.error.value !== null);
  useClosing(open, close);
  if (!open || (!answer && !error)) return null;
  const number = new Intl.NumberFormat(language.value);
  const percent = new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: 1 });
  const chosen = [indicator.value?.name, second.value?.name];
  const rows = indicators.value.flatMap((one) => {
    const figure = answer?.indicators.find(({ name }) => name === one.name);
    return figure && one.kind === "number" ? [{ one, figure }] : [];
  });
  // What the map shows comes first, as on an area's card.
  rows.sort((a, b) => Number(chosen.includes(b.one.name)) - Number(chosen.includes(a.one.name)));
  return (
    <section class="card zone" aria-label={words.value.zone} aria-busy={zoneFigures.loading.value}>
      <header>
        <p class="eyebrow" role="status">
          {answer && words.value.zoneAreas(number.format(answer.numberAreas))}
        </p>
        <h2>{words.value.zone}</h2>
        <button
          type="button"
          class="quiet"
          aria-label={words.value.close}
          title={words.value.close}
          onClick={close}
        >
          <Icon name="close" />
        </button>
      </header>
      {error && (
        <p class="problem" role="alert">
          {explain(error)}
        </p>
      )}
      {!error && answer && (
        <>
          {/* Focusable, because it may scroll. */}
          <dl tabIndex={0}>
            {rows.map(({ one, figure }) => (
              <div key={one.name} class={chosen.includes(one.name) ? "row chosen" : "row"}>
                <dt>
                  {labelOf(one)}
                  {figure.estimate && !one.estimate && <span class="tag">{words.value.estimate}</span>}
                </dt>
                <dd class={figure.value === null ? "muted" : "figure"}>
                  {figure.value === null ? words.value.noData : formatOf(one).value(figure.value)}
                </dd>
              </div>
            ))}
          </dl>
          <footer>
            <p>{words.value.covered(percent.format(answer.coverage))}</p>
            {rows.some(({ figure }) => figure.estimate) && <p>{words.value.estimated}</p>}
          </footer>
        </>
      )}
    </section>
  );
}

function close(): void {
  update({ zone: null });
}

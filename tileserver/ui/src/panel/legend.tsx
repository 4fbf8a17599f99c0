/** The legend: how values spread, which colour is which class, and how many areas it holds. */
import type { Stats } from "../api";
import { colorOf, type NumberClasses } from "../classes";
import { formatOf, labelOf, level } from "../dataset";
import type { Figure } from "../figure";
import { boundsOf, linesOf } from "../lines";
import type { Format } from "../format";
import { language, words } from "../i18n";
import { explain } from "../problem";
import { classes, comparison, filter, indicator, main, other, refused, second } from "../model";
import { SCORE } from "../score";
import { emphasis } from "../screen";
import { RangeSlider } from "./range";

export function Legend() {
  if (comparison.value === "colours") return <GridLegend />;
  return (
    <>
      <FigureLegend figure={main} titled={comparison.value !== null} />
      {comparison.value && <FigureLegend figure={other} titled />}
    </>
  );
}

function FigureLegend({ figure, titled }: { figure: Figure; titled: boolean }) {
  const by = figure.indicator.value;
  const shown = figure.classes.value;
  const all = figure.stats.value.value;
  if (figure.stats.error.value) {
    return (
      <section class="legend">
        <p class="problem" role="alert">
          {explain(figure.stats.error.value)}
        </p>
      </section>
    );
  }
  if (!by || !shown || !all || shown.kind === "grid") return <section class="legend pending" aria-busy="true" />;
  const format = formatOf(by);
  const under = figure.under.value?.stats;
  const filtered = filter.value && under?.property === all.property ? under : null;
  return (
    <section class="legend" aria-label={words.value.says(words.value.legend, labelOf(by))}>
      {titled && <h2>{labelOf(by)}</h2>}
      {shown.kind === "number" && (
        <>
          <Figures stats={filtered ?? all} format={format} />
          <Histogram stats={all} classes={shown} format={format} />
          {by.name !== SCORE && <RangeSlider indicator={by} />}
        </>
      )}
      <ul class="classes" onMouseLeave={() => (emphasis.value = null)}>
        {linesOf(shown, by).map((line, i) => (
          <li key={line.text} onMouseEnter={() => (emphasis.value = i)}>
            <span class="swatch" style={{ background: line.color }} />
            <span class="range">{line.text}</span>
            <span class="count">{count(line.count)}</span>
          </li>
        ))}
        {all.missing > 0 && (
          <li class="muted">
            <span class="swatch" style={{ background: "var(--missing)" }} />
            <span class="range">{words.value.noData}</span>
            <span class="count">{count((filtered ?? all).missing)}</span>
          </li>
        )}
      </ul>
      <Matched stats={filtered} />
      {by.source && <p class="source">{[by.source, by.vintage].filter(Boolean).join(", ")}</p>}
    </section>
  );
}

/** Two indicators in one square of colours: the first rises to the right, the second upwards. */
function GridLegend() {
  const grid = classes.value;
  const [a, b] = [indicator.value, second.value];
  if (grid?.kind !== "grid" || !a || !b) return <section class="legend pending" aria-busy="true" />;
  const under = main.under.value?.stats;
  const rows = [...grid.b.classes.keys()].reverse();
  return (
    <section class="legend" aria-label={words.value.says(words.value.legend, `${labelOf(a)}, ${labelOf(b)}`)}>
      <div class="grid-legend">
        <p class="axis-b">{labelOf(b)} →</p>
        <div
          class="squares"
          style={{ gridTemplateColumns: `repeat(${grid.a.classes.length}, 1fr)` }}
          onMouseLeave={() => (emphasis.value = null)}
        >
          {rows.flatMap((j) =>
            grid.a.classes.map((_, i) => {
              const cell = i + j * grid.a.classes.length;
              return (
                <span
                  key={cell}
                  style={{ background: grid.colors[cell] }}
                  onMouseEnter={() => (emphasis.value = cell)}
                />
              );
            }),
          )}
        </div>
        <p class="axis-a">{labelOf(a)} →</p>
      </div>
      <dl class="grid-bounds">
        {(
          [
            [a, grid.a],
            [b, grid.b],
          ] as const
        ).map(([by, side]) => (
          <div key={by.name}>
            <dt>{labelOf(by)}</dt>
            <dd class="figure">{boundsOf(side, by)}</dd>
          </div>
        ))}
      </dl>
      <Matched stats={filter.value && under ? under : null} />
    </section>
  );
}

/** Has its room, and is there for screen readers, before there is a filter: what lies below it stays where it is. */
function Matched({ stats }: { stats: Stats | null }) {
  return (
    <p class={refused.value ? "matched problem" : "matched"} role="status">
      {refused.value
        ? explain(refused.value)
        : stats && words.value.matched(count(stats.count + stats.missing), count(level.value?.rows ?? 0))}
    </p>
  );
}

function Figures({ stats, format }: { stats: Stats; format: Format }) {
  const figures: [string, number | null | undefined][] = [
    [words.value.from, stats.min],
    [words.value.median, stats.median],
    [words.value.to, stats.max],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value === undefined || value === null ? "–" : format.value(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

const WIDTH = 320;
const HEIGHT = 64;

/** Bars of equal width, in the colours of the classes they fall in, above the classes' bounds. */
function Histogram({ stats, classes, format }: { stats: Stats; classes: NumberClasses; format: Format }) {
  const { histogram } = stats;
  const { min = null, max = null, counts = [] } = histogram ?? {};
  if (min === null || max === null || max <= min) return null;
  const tallest = Math.max(...counts, 1);
  const step = WIDTH / counts.length;
  const x = (value: number) => ((value - min) / (max - min)) * WIDTH;
  return (
    <svg class="histogram" viewBox={`0 0 ${WIDTH} ${HEIGHT + 7}`} preserveAspectRatio="none" aria-hidden="true">
      {counts.map((n, i) => {
        const height = n === 0 ? 0 : Math.max((n / tallest) * HEIGHT, 1.5);
        const middle = min + ((i + 0.5) * (max - min)) / counts.length;
        return (
          <rect
            key={i}
            x={i * step + 0.5}
            y={HEIGHT - height}
            width={Math.max(step - 1, 0.5)}
            height={height}
            fill={colorOf(classes, { [classes.property]: middle }) ?? "none"}
          >
            <title>{format.value(middle)}</title>
          </rect>
        );
      })}
      {classes.classes.map(({ above, upto, color }) => (
        <rect key={upto} x={x(above)} y={HEIGHT + 2} width={Math.max(x(upto) - x(above), 0)} height={5} fill={color} />
      ))}
    </svg>
  );
}

function count(n: number): string {
  return new Intl.NumberFormat(language.value).format(n);
}

/** Votes as bands from the options of a first ballot to those of a second. */
import type { Signal } from "@preact/signals";
import { apart, type Band, type Bar, type Cell, flows, type Row } from "../flows";
import { words } from "../i18n";
import { categorical, paletteById, type Palette } from "../palette";

const WIDTH = 480;
/** For an option's name and votes, on each side. */
const MARGIN = 124;
const BAR = 9;
const GAP = 10;
/** From one option's label to the next. */
const LABEL = 29;
const HEIGHT_MIN = 240;

/** Letters of an option that fit into the margin. */
const LETTERS = 17;

/** Flows that are said in words. */
const TOLD = 5;

interface FlowDiagramProps {
  rows: Row[];
  to: string[];
  optionText: (option: string) => string;
  votesText: (votes: number) => string;
  /** The cell that stands out. */
  pointed: Signal<Cell | null>;
}

export function FlowDiagram({ rows, to, optionText, votesText, pointed }: FlowDiagramProps) {
  const height = Math.max(HEIGHT_MIN, Math.max(rows.length, to.length) * (LABEL + 4));
  const { from, to: right, bands } = flows(rows, to, height, GAP);
  const colors = categorical(paletteById("categories") as Palette, rows.length);
  const colorOf = (option: string) =>
    option === "entries" ? "var(--missing)" : (colors[rows.findIndex((row) => row.option === option)] ?? "none");
  const told = ({ from, to, votes }: Cell) => words.value.flowTold(optionText(from), optionText(to), votesText(votes));
  const largest = bands
    .map(({ cell }) => cell)
    .sort((a, b) => b.votes - a.votes)
    .slice(0, TOLD);
  const side = { height, text: optionText, votes: votesText };
  const isPointed = ({ from, to }: Cell) => pointed.value?.from === from && pointed.value.to === to;
  return (
    <figure class="flows">
      <figcaption>
        {words.value.flows}. {words.value.flowsSure}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${height + 8}`}
        role="img"
        aria-label={words.value.flowsTold(largest.map(told).join("; "))}
        class={pointed.value ? "pointing" : ""}
        onMouseLeave={() => (pointed.value = null)}
      >
        <g transform="translate(0 4)">
          {bands.map((band) => (
            <g
              key={`${band.cell.from} ${band.cell.to}`}
              class={isPointed(band.cell) ? "band pointed" : "band"}
              fill={colorOf(band.cell.from)}
              onMouseEnter={() => (pointed.value = band.cell)}
            >
              <title>{told(band.cell)}</title>
              <path d={path(band, band.height)} />
              {band.sure > 0 && <path class="sure" d={path(band, band.sure)} />}
            </g>
          ))}
          <Side {...side} bars={from} x={MARGIN - BAR} label={MARGIN - BAR - 8} anchor="end" colorOf={colorOf} />
          <Side
            {...side}
            bars={right}
            x={WIDTH - MARGIN}
            label={WIDTH - MARGIN + BAR + 8}
            anchor="start"
            colorOf={() => "var(--soft)"}
          />
        </g>
      </svg>
    </figure>
  );
}

interface SideProps {
  bars: Bar[];
  x: number;
  label: number;
  height: number;
  anchor: "start" | "end";
  colorOf: (option: string) => string;
  text: (option: string) => string;
  votes: (votes: number) => string;
}

function Side({ bars, x, label, height, anchor, colorOf, text, votes }: SideProps) {
  const middles = bars.map(({ y, height }) => y + height / 2 - LABEL / 2);
  const labels = apart(middles, LABEL, height - LABEL);
  return (
    <>
      {bars.map(({ option, votes: of, y, height }, i) => (
        <g key={option}>
          <rect x={x} y={y} width={BAR} height={Math.max(height, 1)} rx={1.5} fill={colorOf(option)} />
          <text x={label} y={(labels[i] as number) + 12} text-anchor={anchor} class="option">
            {clipped(text(option))}
            <title>{text(option)}</title>
          </text>
          <text x={label} y={(labels[i] as number) + 25} text-anchor={anchor} class="votes">
            {votes(of)}
          </text>
        </g>
      ))}
    </>
  );
}

function clipped(text: string): string {
  return text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text;
}

/** A band of `height`, centred on the band's own. */
function path({ y: [left, right], height: whole }: Band, height: number): string {
  const [x0, x1] = [MARGIN, WIDTH - MARGIN];
  const middle = (x0 + x1) / 2;
  const inset = (whole - height) / 2;
  const [a, b] = [left + inset, right + inset];
  const at = (x: number, y: number) => `${x} ${y.toFixed(2)}`;
  const over = `M${at(x0, a)}C${at(middle, a)} ${at(middle, b)} ${at(x1, b)}`;
  const under = `L${at(x1, b + height)}C${at(middle, b + height)} ${at(middle, a + height)} ${at(x0, a + height)}Z`;
  return over + under;
}

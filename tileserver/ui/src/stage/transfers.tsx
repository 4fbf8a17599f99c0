/** Vote transfers beside the map: bands, and a table that says the same with its doubts. */
import { signal } from "@preact/signals";
import { textIn, type Transfers } from "../api";
import { description, indicatorByName, titleOf } from "../dataset";
import { type Cell, type Row, rowsOf, totalsOf } from "../flows";
import { language, words } from "../i18n";
import { indicator } from "../model";
import { OPENER } from "../panel/transfersbox";
import { explain } from "../problem";
import { update } from "../state";
import { shareColumn, transfers, transfersShown } from "../transfers";
import { FlowDiagram } from "./flowdiagram";
import { Pane } from "./pane";

/** What cells are told in. */
const UNITS = ["shares", "votes"] as const;
const unit = signal<(typeof UNITS)[number]>("shares");

/** The cell that is pointed at, as `from` and `to`. */
const pointed = signal<Cell | null>(null);

export function TransfersPane() {
  const shown = transfersShown.value;
  if (!shown) return null;
  const answer = transfers.value.value;
  const error = transfers.error.value;
  return (
    <Pane
      title={textIn(shown.title, language.value, shown.name)}
      eyebrow={
        <>
          {words.value.transfers}
          <span class="tag">{words.value.estimate}</span>
        </>
      }
      busy={transfers.loading.value}
      opener={OPENER}
      onClose={() => update({ transfers: null })}
    >
      {error && (
        <p class="problem" role="alert">
          {explain(error)}
        </p>
      )}
      {!error && answer?.name === shown.name && <Estimate of={answer} />}
    </Pane>
  );
}

function Estimate({ of }: { of: Transfers }) {
  const rows = rowsOf(of);
  const level = description.value?.maille.levels.find(({ name }) => name === of.level);
  const method = words.value.transfersMethods[of.method] ?? of.method;
  return (
    <>
      <p>{words.value.transfersFrom(number(of.units), level ? titleOf(level) : of.level, percent(of.coverage))}</p>
      <p class="caution">{words.value.transfersCaution}</p>
      <FlowDiagram rows={rows} to={of.to} optionText={optionText} votesText={number} pointed={pointed} />
      <fieldset class="segments">
        <legend class="hidden">{words.value.unit}</legend>
        {UNITS.map((one) => (
          <label key={one}>
            <input type="radio" name="transfers-unit" checked={unit.value === one} onChange={() => (unit.value = one)} />
            <span>{one === "shares" ? words.value.inShares : words.value.inVotes}</span>
          </label>
        ))}
      </fieldset>
      <Matrix of={of} rows={rows} />
      <ul class="notes">
        <li>{words.value.intervalNote}</li>
        <li>{words.value.possibleNote}</li>
        {of.corners.length > 0 && (
          <li>
            <Flag /> {words.value.cornerNote}
          </li>
        )}
        <li>{words.value.heterogeneity(percent(of.heterogeneity))}</li>
        <li>{words.value.transfersMethod(method)}</li>
      </ul>
    </>
  );
}

function Matrix({ of, rows }: { of: Transfers; rows: Row[] }) {
  const totals = totalsOf(rows, of.to);
  return (
    // Focusable, because it scrolls.
    <div class="matrix" tabIndex={0}>
      <table onMouseLeave={() => (pointed.value = null)}>
        <caption class="hidden">
          {textIn(of.title, language.value, of.name)}, {words.value.estimate}
        </caption>
        <thead>
          <tr>
            <td>
              <span aria-hidden="true">
                {words.value.firstBallot} ↓<br />
                {words.value.secondBallot} →
              </span>
            </td>
            {of.to.map((option, at) => (
              <th key={option} scope="col">
                <span class="hidden">{words.value.secondBallot}: </span>
                {optionText(option)}
                <span class="total">{number(totals[at] ?? 0)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ option, votes, cells }) => (
            <tr key={option}>
              <th scope="row">
                <span class="hidden">{words.value.firstBallot}: </span>
                {optionText(option)}
                <span class="total">{number(votes)}</span>
              </th>
              {cells.map((cell) => (
                <MatrixCell key={cell.to} name={of.name} cell={cell} votes={votes} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function MatrixCell({ name, cell, votes }: { name: string; cell: Cell; votes: number }) {
  const shares = unit.value === "shares";
  const column = shareColumn(name, cell.from, cell.to);
  const here = indicatorByName(column);
  const on = indicator.value?.name === column;
  const told = words.value.showCell(`${optionText(cell.from)} → ${optionText(cell.to)}`);
  const part = (x: number, digits = 1) => (shares ? percent(x / votes, digits) : number(x));
  // The unit once: the second of two shares has it.
  const range = ([low, high]: readonly [number, number], digits = 1) =>
    `${shares ? plain(low / votes, digits) : number(low)}–${part(high, digits)}`;
  const figure = (
    <>
      <span aria-hidden="true">≈ </span>
      <span class="hidden">{words.value.about} </span>
      {part(cell.votes)}
    </>
  );
  const strength = cell.share === null ? 0 : Math.round(cell.share * 24);
  return (
    <td
      style={{ "--strength": `${strength}%` }}
      onMouseEnter={() => (pointed.value = cell)}
      onFocusCapture={() => (pointed.value = cell)}
      onBlurCapture={() => (pointed.value = null)}
    >
      {cell.share === null ? (
        "–"
      ) : (
        <>
          <span class="estimate">
            {here ? (
              <button type="button" title={told} aria-pressed={on} onClick={() => update({ indicator: column })}>
                {figure}
                <span class="hidden">, {told}</span>
              </button>
            ) : (
              figure
            )}
            {cell.corner && <Flag told />}
          </span>
          {cell.interval && (
            <span class="interval" title={words.value.interval}>
              <span class="hidden">{words.value.interval}: </span>
              {range(cell.interval)}
            </span>
          )}
          {cell.bounds && <span class="bounds">{words.value.possible(range(cell.bounds, 0))}</span>}
        </>
      )}
    </td>
  );
}

/** Marks what is at a limit of the method. */
function Flag({ told = false }: { told?: boolean }) {
  return (
    <span class="flag" title={told ? words.value.cornerNote : undefined}>
      <span aria-hidden="true">⚑</span>
      {told && <span class="hidden">{words.value.corner}</span>}
    </span>
  );
}

/** Options are named by the project; what nobody named are changes of the register. */
function optionText(option: string): string {
  if (option === "entries") return words.value.entries;
  if (option === "exits") return words.value.exits;
  return option.replaceAll("_", " ");
}

function number(x: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: 0 }).format(x);
}

function plain(share: number, digits = 1): string {
  const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language.value, exactly).format(100 * share);
}

function percent(share: number, digits = 1): string {
  return `${plain(share, digits)}\u202f%`;
}

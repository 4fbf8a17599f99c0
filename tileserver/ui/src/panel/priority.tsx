/** Priority zones: the reader's criteria, and the areas that come first under them. */
import { words } from "../i18n";
import { Icon } from "../icons";
import { indicators, indicatorByName, labelOf } from "../dataset";
import { colorOfCriterion, criteria, scoreQuery, setCriteria } from "../priority";
import { type Criterion, MAX_WEIGHT, MIN_WEIGHT, type Scoring, SCORINGS } from "../score";
import { state, update } from "../state";
import { passFocus } from "./focus";
import { Select } from "./pickers";
import { Ranking } from "./ranking";

/** What a new criterion counts: it can be made to matter less as well as more. */
const USUAL_WEIGHT = 5;

export function PriorityBox() {
  const chosen = state.value.criteria;
  const others = indicators.value.filter(
    ({ kind, name }) => kind === "number" && !chosen.some((one) => one.name === name),
  );
  if (others.length === 0 && chosen.length === 0) return null;
  const add = (name: string) => setCriteria([...chosen, { name, weight: USUAL_WEIGHT, low: false }]);
  return (
    <section class="group priority" aria-labelledby="priority-title">
      <h2 id="priority-title">{words.value.priority}</h2>
      {chosen.length === 0 && <p class="note">{words.value.priorityHint}</p>}
      {criteria.value.map((one) => (
        <Line key={one.name} criterion={one} />
      ))}
      {others.length > 0 && (
        <div class="select add-range">
          <select
            aria-label={words.value.addCriterion}
            value=""
            onChange={(event) => {
              add(event.currentTarget.value);
              event.currentTarget.value = "";
            }}
          >
            <option value="">{words.value.addCriterion}…</option>
            {others.map((one) => (
              <option key={one.name} value={one.name}>
                {labelOf(one)}
              </option>
            ))}
          </select>
          <Icon name="plus" />
        </div>
      )}
      {scoreQuery.value && (
        <>
          <Select
            id="scoring"
            label={words.value.scoring}
            value={state.value.scoring}
            options={SCORINGS.map((value) => ({ value, text: words.value.scorings[value] }))}
            onChange={(value) => update({ scoring: value as Scoring })}
          />
          <Ranking />
        </>
      )}
    </section>
  );
}

function Line({ criterion }: { criterion: Criterion }) {
  const { name, weight, low } = criterion;
  const found = indicatorByName(name);
  const label = found ? labelOf(found) : name;
  const change = (part: Partial<Criterion>) =>
    setCriteria(state.value.criteria.map((one) => (one.name === name ? { ...one, ...part } : one)));
  return (
    <div class="criterion">
      <p>
        <span class="swatch" style={{ background: colorOfCriterion(name) }} />
        <span>{label}</span>
        <button
          type="button"
          class="quiet"
          aria-label={words.value.removeCriterion(label)}
          title={words.value.removeCriterion(label)}
          onClick={({ currentTarget }) => {
            passFocus(currentTarget, ".criterion");
            setCriteria(state.value.criteria.filter((one) => one.name !== name));
          }}
        >
          <Icon name="close" />
        </button>
      </p>
      <div class="weigh">
        <select
          aria-label={words.value.direction(label)}
          value={low ? "low" : "high"}
          onChange={(event) => change({ low: event.currentTarget.value === "low" })}
        >
          <option value="high">{words.value.highFirst}</option>
          <option value="low">{words.value.lowFirst}</option>
        </select>
        <input
          type="range"
          min={MIN_WEIGHT}
          max={MAX_WEIGHT}
          value={weight}
          aria-label={words.value.weight(label)}
          aria-valuetext={words.value.weightOf(weight)}
          onInput={(event) => change({ weight: Number(event.currentTarget.value) })}
        />
        <output>{weight}</output>
      </div>
    </div>
  );
}

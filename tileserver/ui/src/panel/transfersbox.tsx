/** The estimates of vote transfers that there are to show beside the map. */
import { textIn } from "../api";
import { language, words } from "../i18n";
import { state, update } from "../state";
import { transfersKnown } from "../transfers";

/** Opens the pane; the focus comes back to it when the pane is closed. */
export const OPENER = "transfers-opener";

export function TransfersBox() {
  if (transfersKnown.value.length === 0) return null;
  const { transfers: shown } = state.value;
  return (
    <section class="group">
      <h2>
        {words.value.transfers}
        <span class="tag">{words.value.estimate}</span>
      </h2>
      <div class="openers">
        {transfersKnown.value.map(({ name, title }, i) => (
          <button
            key={name}
            id={i === 0 ? OPENER : undefined}
            type="button"
            aria-pressed={shown === name}
            onClick={() => update({ transfers: shown === name ? null : name, profile: false })}
          >
            {textIn(title, language.value, name)}
          </button>
        ))}
      </div>
    </section>
  );
}

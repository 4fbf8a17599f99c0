/** A condition in CQL2. While it is being written the map keeps the last one that made sense. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { explain, Problem } from "../problem";
import { identifier, positionInWritten } from "../cql";
import { words } from "../i18n";
import { indicators, labelOf } from "../dataset";
import { main } from "../model";
import { state, update } from "../state";
import { Ranges } from "./ranges";

/** A pause in the writing after which it is said what is wrong; the condition is tried at every letter. */
const PAUSE = 350;

export function FilterBox() {
  const draft = useSignal(state.peek().filter);
  const writing = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const input = useRef<HTMLTextAreaElement>(null);

  // The address may change the filter too.
  useSignalEffect(() => {
    const { filter } = state.value;
    if (filter.trim() !== draft.peek().trim()) draft.value = filter;
  });

  const pause = () => {
    clearTimeout(timer.current);
    writing.value = false;
  };
  const apply = (text: string) => {
    if (text.trim() !== state.peek().filter.trim()) update({ filter: text.trim() });
  };
  const write = (text: string) => {
    draft.value = text;
    writing.value = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(pause, PAUSE);
    apply(text);
  };
  const insert = (name: string) => {
    const box = input.current;
    if (!box) return;
    box.setRangeText(identifier(name), box.selectionStart, box.selectionEnd, "end");
    box.focus();
    write(box.value);
  };

  const { ranges } = state.value;
  const error = writing.value ? null : main.matched.error.value;
  const at = error instanceof Problem ? error.fault.position : null;
  const position = at === null ? null : positionInWritten(at, draft.value, ranges);
  return (
    <section class="group filter">
      <h2>{words.value.filter}</h2>
      <Ranges />
      <label for="filter">{words.value.condition}</label>
      <div class={error ? "editor wrong" : "editor"}>
        <pre aria-hidden="true">{marked(draft.value, position)}</pre>
        <textarea
          ref={input}
          id="filter"
          rows={2}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          placeholder={example()}
          value={draft.value}
          aria-invalid={error !== null}
          aria-describedby="filter-note"
          onInput={(event) => write(event.currentTarget.value)}
          onBlur={pause}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey) return;
            event.preventDefault();
            pause();
          }}
        />
        {draft.value && (
          <button
            type="button"
            class="quiet clear"
            onClick={() => {
              draft.value = "";
              input.current?.focus();
              pause();
              apply("");
            }}
          >
            {words.value.clear}
          </button>
        )}
      </div>
      <p id="filter-note" class={error ? "note problem" : "note"} role={error ? "alert" : undefined}>
        {error
          ? `${position === null ? "" : `${words.value.at(position + 1)} `}${explain(error)}`
          : words.value.filterHint}
      </p>
      <details>
        <summary>{words.value.insert}</summary>
        <div class="chips">
          {["name", ...indicators.value.map(({ name }) => name)].map((name) => (
            <button key={name} type="button" title={titleOf(name)} onClick={() => insert(name)}>
              {name}
            </button>
          ))}
        </div>
      </details>
    </section>
  );
}

function titleOf(name: string): string {
  const found = indicators.value.find((candidate) => candidate.name === name);
  return found ? labelOf(found) : name;
}

/** A condition that this layer could have. */
function example(): string {
  const [first] = indicators.value.filter(({ kind, unit }) => kind === "number" && unit === "share");
  const number = first ?? indicators.value.find(({ kind }) => kind === "number");
  if (!number) return "name LIKE 'A%'";
  return number.unit === "share" ? `${number.name} > 0.5` : `${number.name} > 100`;
}

/** The text again, with the character at `position` marked: it lies under the one being edited. */
function marked(text: string, position: number | null) {
  if (position === null || text === "") return text;
  const at = Math.min(position, text.length - 1);
  return [text.slice(0, at), <mark key="at">{text.slice(at, at + 1)}</mark>, `${text.slice(at + 1)}\n`];
}

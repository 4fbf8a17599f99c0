/** Which contacts are drawn over the areas. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { density, described, dimensions, set, sets, titleOfSet, toggleClass } from "../density";
import { HEAT_COLORS } from "../heat";
import { language, words } from "../i18n";
import { OPENER, profileAllowed } from "../profile";
import { Icon } from "../icons";
import { explain } from "../problem";
import { state, update } from "../state";
import { theme } from "../theme";

/** A pause in the writing after which it is said what is wrong; the condition is tried at every letter. */
const PAUSE = 350;

export function DensityBox() {
  if (sets.value.length === 0) return null;
  return (
    <section class="group density">
      <h2>{words.value.contacts}</h2>
      <div class="select">
        <select
          aria-label={words.value.contacts}
          value={set.value ?? ""}
          onChange={({ currentTarget }) =>
            update({ density: currentTarget.value || null, contacts: {}, contactsFilter: "" })
          }
        >
          <option value="">{words.value.contactsHidden}</option>
          {sets.value.map((name) => (
            <option key={name} value={name}>
              {titleOfSet(name)}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </div>
      {set.value && <Chosen />}
    </section>
  );
}

function Chosen() {
  const json = density.value;
  const number = (n: number) => new Intl.NumberFormat(language.value).format(n);
  const wrong = described.error.value;
  return (
    <>
      <div class="heat" aria-hidden="true">
        <span>{words.value.few}</span>
        <i style={{ background: `linear-gradient(to right, ${HEAT_COLORS[theme.value].join(", ")})` }} />
        <span>{words.value.many}</span>
      </div>
      {json && (
        <p class="note" role="status">
          {json.maille.tier === "inside"
            ? words.value.exactContacts(number(json.maille.matched))
            : words.value.noisyContacts(number(json.maille.matched), number(json.maille.epsilon ?? 0))}
        </p>
      )}
      {dimensions.value.map(({ name, classes }) => (
        <fieldset key={name} class="dimension">
          <legend>{name}</legend>
          <div class="chips">
            {classes.map((value) => (
              <button
                key={value}
                type="button"
                aria-pressed={state.value.contacts[name]?.includes(value) ?? false}
                onClick={() => toggleClass(name, value)}
              >
                {value}
              </button>
            ))}
          </div>
        </fieldset>
      ))}
      <Condition wrong={wrong} />
      {profileAllowed.value && (
        <div class="openers">
          <button
            id={OPENER}
            type="button"
            aria-pressed={state.value.profile}
            onClick={() => update({ profile: !state.value.profile, transfers: null })}
          >
            {words.value.profile}
          </button>
        </div>
      )}
    </>
  );
}

function Condition({ wrong }: { wrong: Error | null }) {
  const draft = useSignal(state.peek().contactsFilter);
  const writing = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const input = useRef<HTMLTextAreaElement>(null);
  useSignalEffect(() => {
    const { contactsFilter } = state.value;
    if (contactsFilter.trim() !== draft.peek().trim()) draft.value = contactsFilter;
  });
  const pause = () => {
    clearTimeout(timer.current);
    writing.value = false;
  };
  const write = (text: string) => {
    draft.value = text;
    writing.value = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(pause, PAUSE);
    if (text.trim() !== state.peek().contactsFilter.trim()) update({ contactsFilter: text.trim() });
  };
  const said = writing.value ? null : wrong;
  const [first] = dimensions.value;
  const narrowed = draft.value !== "" || Object.keys(state.value.contacts).length > 0;
  return (
    <div class="filter">
      <label for="contacts-filter">{words.value.condition}</label>
      <div class={said ? "editor wrong" : "editor"}>
        <textarea
          ref={input}
          id="contacts-filter"
          rows={2}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          placeholder={first ? `${first.name} = '${first.classes[0] ?? ""}'` : ""}
          value={draft.value}
          aria-invalid={said !== null}
          aria-describedby="contacts-note"
          onInput={({ currentTarget }) => write(currentTarget.value)}
          onBlur={pause}
        />
        {narrowed && (
          <button
            type="button"
            class="quiet clear"
            onClick={() => {
              input.current?.focus();
              pause();
              update({ contacts: {}, contactsFilter: "" });
            }}
          >
            {words.value.clear}
          </button>
        )}
      </div>
      <p id="contacts-note" class={said ? "note problem" : "note"} role={said ? "alert" : undefined}>
        {said ? explain(said) : words.value.contactsHint}
      </p>
    </div>
  );
}

/** Finds areas of every level by name or code, accents and capitals aside. */
import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { type Hit, search } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { description, layer, titleOf } from "../dataset";
import { focusMap, goTo } from "./goto";

const PAUSE = 150;

interface Found {
  /** What was asked; the list stays while more is being written. */
  text: string;
  hits: Hit[];
}

export function Search() {
  const text = useSignal("");
  const found = useSignal<Found | null>(null);
  const active = useSignal(0);
  /** The text that Enter was pressed on before its answer was there. */
  const entered = useSignal<string | null>(null);
  const focused = useSignal(false);
  const list = useId();
  const asked = text.value.trim();

  useEffect(() => {
    const version = description.value?.maille.version;
    if (!asked || !focused.value || !layer.value || !version) {
      found.value = null;
      entered.value = null;
      return;
    }
    const name = layer.value;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      search(name, asked, version, controller.signal).then(
        (hits) => {
          found.value = { text: asked, hits };
          active.value = 0;
          if (entered.value === asked) choose(hits[0]);
        },
        () => undefined, // Overtaken, or the server is away: the list stays as it is.
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [asked, focused.value, layer.value]);

  const close = () => {
    text.value = "";
    found.value = null;
  };
  const choose = (one: Hit | undefined) => {
    entered.value = null;
    if (!one) return;
    close();
    // The letters' place is taken by the map: a phone puts its keyboard away, keys move the map.
    focusMap();
    void goTo({ level: one.level, key: one.key }, one.bounds);
  };
  const hits = found.value?.hits;
  const onKeyDown = (event: KeyboardEvent) => {
    const count = hits?.length ?? 0;
    if (event.key === "ArrowDown" && count > 0) active.value = (active.value + 1) % count;
    else if (event.key === "ArrowUp" && count > 0) active.value = (active.value + count - 1) % count;
    else if (event.key === "Enter") {
      if (found.value?.text === asked) choose(hits?.[active.value]);
      else entered.value = asked;
    }
    else if (event.key === "Escape" && asked) {
      event.stopPropagation();
      close();
    } else return;
    event.preventDefault();
  };

  if (!description.value) return null;
  return (
    <div
      class="search"
      onFocusIn={() => (focused.value = true)}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) focused.value = false;
      }}
    >
      <Icon name="search" />
      <input
        type="search"
        role="combobox"
        list={undefined}
        autocomplete="off"
        placeholder={words.value.search}
        aria-label={words.value.search}
        aria-expanded={hits !== undefined}
        aria-controls={list}
        aria-activedescendant={hits?.length ? `${list}-${active.value}` : undefined}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {hits && (
        // Scrolls, but is no stop of the Tab key: the arrows move in it.
        <ul id={list} role="listbox" tabIndex={-1} aria-label={words.value.search}>
          {hits.map((one, i) => (
            <li
              key={`${one.level}/${one.key}`}
              id={`${list}-${i}`}
              role="option"
              aria-selected={i === active.value}
              onMouseEnter={() => (active.value = i)}
              // Before the input loses the focus, and with it the list.
              onMouseDown={(event) => {
                event.preventDefault();
                choose(one);
              }}
            >
              <span>{one.name}</span>
              <span class="muted">
                {one.parent_name ?? levelTitle(one.level)} · {one.key}
              </span>
            </li>
          ))}
          {hits.length === 0 && (
            <li class="muted" role="option" aria-selected={false} aria-disabled>
              {words.value.noMatch}
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

function levelTitle(name: string): string {
  const level = description.value?.maille.levels.find((one) => one.name === name);
  return level ? titleOf(level) : name;
}

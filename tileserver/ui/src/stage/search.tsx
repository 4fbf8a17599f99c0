/** Finds areas of every level by name or code, accents and capitals aside. */
import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { type Hit, search } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { description, layer, titleOf } from "../dataset";
import { focusMap, goTo } from "./goto";

const PAUSE = 150;

export function Search() {
  const text = useSignal("");
  const found = useSignal<Hit[] | null>(null);
  const active = useSignal(0);
  const list = useId();
  const asked = text.value.trim();

  useEffect(() => {
    const version = description.value?.maille.version;
    if (!asked || !layer.value || !version) {
      found.value = null;
      return;
    }
    const name = layer.value;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      search(name, asked, version, controller.signal).then(
        (answer) => {
          found.value = answer;
          active.value = 0;
        },
        () => undefined, // Overtaken, or the server is away: the list stays as it is.
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [asked, layer.value]);

  const close = () => {
    text.value = "";
    found.value = null;
  };
  const choose = (one: Hit | undefined) => {
    if (!one) return;
    close();
    // The letters' place is taken by the map: a phone puts its keyboard away, keys move the map.
    focusMap();
    void goTo({ level: one.level, key: one.key }, one.bounds);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const count = found.value?.length ?? 0;
    if (event.key === "ArrowDown" && count > 0) active.value = (active.value + 1) % count;
    else if (event.key === "ArrowUp" && count > 0) active.value = (active.value + count - 1) % count;
    else if (event.key === "Enter") choose(found.value?.[active.value]);
    else if (event.key === "Escape" && asked) {
      event.stopPropagation();
      close();
    } else return;
    event.preventDefault();
  };

  if (!description.value) return null;
  return (
    <div class="search">
      <Icon name="search" />
      <input
        type="search"
        role="combobox"
        list={undefined}
        autocomplete="off"
        placeholder={words.value.search}
        aria-label={words.value.search}
        aria-expanded={found.value !== null}
        aria-controls={list}
        aria-activedescendant={found.value?.length ? `${list}-${active.value}` : undefined}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {found.value && (
        <ul id={list} role="listbox" aria-label={words.value.search}>
          {found.value.map((one, i) => (
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
          {found.value.length === 0 && (
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

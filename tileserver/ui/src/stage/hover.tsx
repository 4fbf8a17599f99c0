/** The card beside the pointer: which area, which value. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../i18n";
import { classes, formatOf, indicator, labelOf } from "../model";
import { colorOf } from "../classes";
import { hover } from "../screen";

const GAP = 16;

export function HoverCard() {
  const card = useRef<HTMLDivElement>(null);
  const at = hover.value;
  const by = indicator.value;

  // Beside the pointer, on the side where there is room.
  useLayoutEffect(() => {
    const box = card.current;
    const room = box?.parentElement;
    if (!box || !room || !at) return;
    const left = at.x + GAP + box.offsetWidth > room.clientWidth ? at.x - GAP - box.offsetWidth : at.x + GAP;
    const top = Math.min(Math.max(at.y - box.offsetHeight / 2, 8), room.clientHeight - box.offsetHeight - 8);
    box.style.transform = `translate(${Math.round(Math.max(left, 8))}px, ${Math.round(top)}px)`;
  });

  if (!at || !by) return null;
  const raw = at.properties[by.name];
  const missing = raw === undefined || raw === null;
  const text = missing ? words.value.noData : typeof raw === "number" ? formatOf(by).value(raw) : String(raw);
  return (
    <div class="hover" ref={card} aria-hidden="true">
      <p class="hover-name">{at.name}</p>
      <p class="hover-value">
        <span class="swatch" style={{ background: (classes.value && colorOf(classes.value, raw)) ?? "var(--missing)" }} />
        <span class={missing ? "muted" : "figure"}>{text}</span>
      </p>
      <p class="hover-label">{labelOf(by)}</p>
    </div>
  );
}

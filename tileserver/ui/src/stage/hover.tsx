/** The card beside the pointer: which area, which value. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../i18n";
import type { Indicator } from "../api";
import { colorOf } from "../classes";
import { formatOf, labelOf } from "../dataset";
import { classes, comparison, indicator, main, other, second } from "../model";
import { SCORE } from "../score";
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
  return (
    <div class="hover" ref={card} aria-hidden="true">
      <p class="hover-name">{at.name}</p>
      {[by, second.value].map((one) => one && <Value key={one.name} indicator={one} properties={at.properties} />)}
    </div>
  );
}

function Value({ indicator: one, properties }: { indicator: Indicator; properties: Record<string, unknown> }) {
  const raw = properties[one.name] ?? null;
  const text = raw === null ? words.value.noData : typeof raw === "number" ? formatOf(one).value(raw) : String(raw);
  const drawn = comparison.value === "colours" ? classes : one === second.value ? other.classes : main.classes;
  const color = (drawn.value && colorOf(drawn.value, properties)) ?? "var(--missing)";
  return (
    <>
      <p class="hover-value">
        <span class="swatch" style={{ background: color }} />
        <span class={raw === null ? "muted" : "figure"}>{text}</span>
      </p>
      <p class="hover-label">
        {labelOf(one)}
        {one.name === SCORE && typeof properties.rank === "number" && ` · ${words.value.rankHeader} ${properties.rank}`}
      </p>
    </>
  );
}

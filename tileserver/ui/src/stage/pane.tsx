/** A column beside the map, for what needs more room than a card. */
import type { ComponentChildren } from "preact";
import { words } from "../i18n";
import { Icon } from "../icons";

interface PaneProps {
  title: string;
  eyebrow: ComponentChildren;
  busy: boolean;
  /** The id of what opened it; the focus goes back there. */
  opener: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Pane({ title, eyebrow, busy, opener, onClose, children }: PaneProps) {
  const close = () => {
    onClose();
    document.getElementById(opener)?.focus();
  };
  return (
    <section
      class="pane"
      aria-label={title}
      aria-busy={busy}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      <header>
        <p class="eyebrow">{eyebrow}</p>
        <h2>{title}</h2>
        <button type="button" class="quiet" aria-label={words.value.close} title={words.value.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {/* Focusable, because it scrolls. */}
      <div class="pane-scroll" tabIndex={0}>
        {children}
      </div>
    </section>
  );
}

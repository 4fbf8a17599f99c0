/** What a card does when it closes: by Escape too, and without losing the focus. */
import { useEffect } from "preact/hooks";
import { focusMap } from "./goto";

/** What had the focus last. */
let last: Element | null = null;
addEventListener("focusin", ({ target }) => {
  last = target as Element;
});

/** While `open`, Escape closes; the map has the focus if what had it is gone afterwards. */
export function useClosing(open: boolean, close: () => void): void {
  useEffect(() => {
    if (!open) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
      if (document.activeElement === document.body && last && !last.isConnected) focusMap();
    };
  }, [open]);
}

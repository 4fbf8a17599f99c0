/** Light or dark: chosen, else as the browser prefers. */
import { computed, signal } from "@preact/signals";
import { state, type Theme } from "./state";

const darkBrowser = matchMedia("(prefers-color-scheme: dark)");
const browserTheme = signal<Theme>(darkBrowser.matches ? "dark" : "light");
darkBrowser.addEventListener("change", (event) => {
  browserTheme.value = event.matches ? "dark" : "light";
});

export const theme = computed<Theme>(() => state.value.theme ?? browserTheme.value);

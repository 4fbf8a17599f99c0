/** Starts the explorer. */
import "@fontsource-variable/inter/wght.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { textIn } from "./api";
import { App } from "./app";
import { language } from "./i18n";
import { description } from "./dataset";
import { bindToAddress } from "./state";
import { theme } from "./theme";

bindToAddress();

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset.theme = theme.value;
  document.title = textIn(description.value?.maille.dataset_title, language.value, "Maille");
});

render(<App />, document.getElementById("app") as HTMLElement);

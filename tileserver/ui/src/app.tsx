/** The page: a panel of settings and legend beside the map. */
import { Panel } from "./panel/panel";
import { focusMap } from "./stage/goto";
import { Stage } from "./stage/stage";
import { words } from "./i18n";

export function App() {
  return (
    <div class="page">
      <a class="skip" href="#map" onClick={skip}>
        {words.value.skip}
      </a>
      <Panel />
      <Stage />
    </div>
  );
}

/** The fragment holds the page's state, so the link moves the focus itself. */
function skip(event: Event): void {
  event.preventDefault();
  focusMap();
}

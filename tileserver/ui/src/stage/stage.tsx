/** The map with what floats over it. */
import { signal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { words } from "../i18n";
import { Icon } from "../icons";
import { attribution, description, layer, zoom } from "../model";
import { busy } from "../screen";
import { state, update } from "../state";
import { AreaCard } from "./area";
import { HoverCard } from "./hover";
import { Search } from "./search";
import { Table } from "./table";

/** Loaded beside the rest of the page: it is most of its weight. */
const map = import("../map/view");

/** Set when the browser cannot draw. */
const failed = signal(false);

export function Stage() {
  return (
    <main class={state.value.table ? "stage with-table" : "stage"} id="map" aria-label={words.value.map} aria-busy={busy.value}>
      <Canvas />
      {failed.value && <p class="notice">{words.value.noWebGl}</p>}
      <HoverCard />
      <Search />
      <Controls />
      <AreaCard />
      <Table />
      {attribution.value && <p class="attribution">{attribution.value}</p>}
    </main>
  );
}

function Canvas() {
  const container = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    const name = layer.value;
    const describe = description.value;
    if (!name || !describe || !container.current) return;
    let remove: (() => void) | undefined;
    let left = false;
    void map.then(({ showMap }) => {
      if (left || !container.current) return;
      try {
        remove = showMap(container.current, name, describe);
      } catch {
        // The figures do not need the map: show those of its widest view.
        failed.value = true;
        busy.value = false;
        zoom.value = describe.minzoom;
      }
    });
    return () => {
      left = true;
      remove?.();
    };
  });
  return <div class="canvas" ref={container} />;
}

function Controls() {
  const act = (what: "zoomIn" | "zoomOut" | "fit") => () =>
    void map.then(({ current, fitAll }) => {
      const shown = current.value;
      if (!shown) return;
      if (what === "fit") fitAll(shown);
      else shown[what]({ duration: 250 });
    });
  return (
    <div class="controls">
      <button type="button" title={words.value.zoomIn} aria-label={words.value.zoomIn} onClick={act("zoomIn")}>
        <Icon name="plus" />
      </button>
      <button type="button" title={words.value.zoomOut} aria-label={words.value.zoomOut} onClick={act("zoomOut")}>
        <Icon name="minus" />
      </button>
      <button type="button" title={words.value.fit} aria-label={words.value.fit} onClick={act("fit")}>
        <Icon name="fit" />
      </button>
      <button
        type="button"
        title={state.value.table ? words.value.hideTable : words.value.table}
        aria-label={words.value.table}
        aria-pressed={state.value.table}
        onClick={() => update({ table: !state.value.table })}
      >
        <Icon name="table" />
      </button>
    </div>
  );
}

/** The map with what floats over it. */
import { computed, signal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { TileJson } from "../api";
import { words } from "../i18n";
import { Icon } from "../icons";
import { attribution, description, layer, zoom } from "../dataset";
import type { Role } from "../map/view";
import { classes, comparison, other } from "../model";
import { profileShown } from "../profile";
import { busy } from "../screen";
import { transfersShown } from "../transfers";
import { state, update } from "../state";
import { Announcement, AreaCard, NoArea } from "./area";
import { cancelDrawing, drawing, startDrawing } from "../zone";
import { DrawBar } from "./drawbar";
import { HoverCard } from "./hover";
import { ProfilePane } from "./profile";
import { Search } from "./search";
import { Table } from "./table";
import { TransfersPane } from "./transfers";
import { ZoneCard } from "./zonecard";

/** Loaded beside the rest of the page: it is most of its weight. */
const map = import("../map/view");

/** Set when the browser cannot draw. */
const failed = signal(false);

export function Stage() {
  const two = comparison.value === "swipe" || comparison.value === "side";
  const { split, table } = state.value;
  const beside = transfersShown.value !== null || profileShown.value;
  const parts = ["stage", table && "with-table", beside && "with-pane", two && comparison.value];
  const shape = parts.filter(Boolean).join(" ");
  return (
    <main class={shape} id="map" aria-label={words.value.map} aria-busy={busy.value}>
      <div class="maps" style={{ "--split": `${split * 100}%` }}>
        <Canvas classes={classes} leads />
        {two && <Canvas classes={other.classes} />}
        {comparison.value === "swipe" && <Divider />}
        {failed.value && <p class="notice">{words.value.noWebGl}</p>}
        <Controls />
        {attribution.value && <p class="attribution">{attribution.value}</p>}
      </div>
      <HoverCard />
      <Search />
      <Announcement />
      <NoArea />
      <AreaCard />
      <ZoneCard />
      <DrawBar />
      <Table />
      {transfersShown.value ? <TransfersPane /> : <ProfilePane />}
    </main>
  );
}

/** Whether the layer's description is there. */
const described = computed(() => description.value !== null);

function Canvas({ classes, leads = false }: Pick<Role, "classes"> & { leads?: boolean }) {
  const container = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    const name = layer.value;
    if (!name || !described.value || !container.current) return;
    // A new version changes the tiles, not the map.
    const describe = description.peek() as TileJson;
    let remove: (() => void) | undefined;
    let left = false;
    void map.then(({ showMap }) => {
      if (left || !container.current) return;
      try {
        remove = showMap(container.current, { layer: name, describe, classes, leads });
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
  return <div class={leads ? "canvas" : "canvas second"} ref={container} />;
}

/** Between the two maps of a swipe: what lies left of it is the first. */
function Divider() {
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    move((event.clientX - box.left) / box.width);
  };
  const move = (split: number) => update({ split: Math.min(Math.max(Number(split.toFixed(3)), 0), 1) });
  const step: Record<string, number> = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 };
  const { split } = state.value;
  return (
    <div
      class="divider"
      role="slider"
      tabIndex={0}
      aria-label={words.value.divider}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(split * 100)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={({ key }) => move(split + (step[key] ?? 0))}
    />
  );
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
        title={words.value.draw}
        aria-label={words.value.draw}
        aria-pressed={drawing.value !== null}
        onClick={() => (drawing.value ? cancelDrawing() : startDrawing())}
      >
        <Icon name="draw" />
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

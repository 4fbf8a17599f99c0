/** Addresses under which other programs read what is on screen. */
import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { address, embedCode, fileAddress, getFile, styleAddress, textIn } from "../api";
import { language, words } from "../i18n";
import { Icon } from "../icons";
import { catalog, layer, level } from "../dataset";
import { comparison, filter, indicator, second, tiles } from "../model";
import { scoreQuery } from "../priority";
import { SCORE } from "../score";
import { key } from "../session";
import { order } from "../stage/table";
import { state } from "../state";

export function UseBox() {
  if (!layer.value || !tiles.value) return null;
  return (
    <details class="group use">
      <summary>{words.value.use}</summary>
      <Downloads />
      <Address label={words.value.styleUrl} value={shownStyle()} />
      <Address label={words.value.tileUrl} value={tiles.value} />
      <Address label={words.value.tileJson} value={address(encodeURIComponent(layer.value))} />
      <Embeds />
    </details>
  );
}

/** The map on screen, as another client would draw it. */
function shownStyle(): string {
  const { method, classes, palette, flip, middle } = state.value;
  const under = { layer: layer.value ?? "", filter: filter.value ?? "" };
  const [a, b] = [indicator.value, second.value];
  if (a?.name === SCORE || b?.name === SCORE) return styleAddress("priority", { ...under, ...scoreQuery.value });
  if (comparison.value === "colours") return styleAddress("bivariate", { ...under, x: a?.name, y: b?.name, method });
  const cut = a?.kind === "number" ? { method, k: classes } : {};
  const look = { palette: palette ?? undefined, flip: flip ? "true" : undefined, middle: middle ?? undefined };
  return styleAddress("choropleth", { ...under, property: a?.name, ...cut, ...look });
}

/** Published maps, for pages of other sites. */
function Embeds() {
  return (
    <>
      {Object.entries(catalog.value.value?.maps ?? {}).map(([id, { title, embed }]) => {
        const text = textIn(title, language.value, id);
        return <Address key={id} label={words.value.embed(text)} value={embedCode(text, embed)} />;
      })}
    </>
  );
}

/** Twice the screen's pixels: sharp in print and on any screen. */
const SCALE = 2;

async function savePicture(): Promise<void> {
  const { picture } = await import("../map/picture");
  save(await picture(SCALE), `${layer.value}-${state.value.indicator ?? "map"}.png`);
}

/** A link sends no key: what only a key shows is fetched first. */
function saveWithKey(event: MouseEvent & { currentTarget: HTMLAnchorElement }): void {
  if (!key.value) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  const extension = new URL(href).pathname.split(".").pop();
  void getFile(href).then((file) => save(file, `${layer.value}.${extension}`));
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The rows under the filter, and what the map looks like. */
function Downloads() {
  if (!layer.value || !level.value) return null;
  const rows = { layer: layer.value, level: level.value.name, filter: filter.value ?? "", ...scoreQuery.value };
  // As the table has them, or the ranking.
  const sortby = state.value.table ? order.value : scoreQuery.value ? `-${SCORE}` : undefined;
  const file = (kind: Parameters<typeof fileAddress>[0]) => fileAddress(kind, sortby ? { ...rows, sortby } : rows);
  return (
    <p class="downloads">
      <span>{words.value.download}</span>
      <a href={file("csv")} download onClick={saveWithKey}>
        {words.value.csv}
      </a>
      <a href={file("spreadsheet")} download onClick={saveWithKey}>
        {words.value.spreadsheet}
      </a>
      <a href={file("geojson")} download onClick={saveWithKey}>
        {words.value.geojson}
      </a>
      <button type="button" class="link" onClick={() => void savePicture()}>
        {words.value.png}
      </button>
    </p>
  );
}

function Address({ label, value }: { label: string; value: string }) {
  const told = useSignal<"copied" | "copyByHand" | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const copy = async () => {
    told.value = (await copied(value, input.current)) ? "copied" : "copyByHand";
    setTimeout(() => (told.value = null), 1500);
  };
  return (
    <div class="address">
      <label for={id}>{label}</label>
      <div>
        <input ref={input} id={id} readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="quiet" title={words.value.copy} onClick={() => void copy()}>
          <Icon name={told.value === "copied" ? "check" : "copy"} />
          {told.value === "copyByHand" && words.value.copyByHand}
          <span class="hidden">{told.value === "copied" ? words.value.copied : words.value.copy}</span>
        </button>
      </div>
    </div>
  );
}

/** Without HTTPS browsers have no clipboard to write to: what is selected can be copied all the same. */
async function copied(text: string, field: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return document.execCommand("copy");
  }
}

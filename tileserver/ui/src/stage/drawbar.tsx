/** While a zone is drawn: what to do, and the buttons that do it without a pointer. */
import { useEffect } from "preact/hooks";
import { words } from "../i18n";
import { update } from "../state";
import { cancelDrawing, drawing, finishDrawing, MIN_CORNERS, removeCorner } from "../zone";
import { useClosing } from "./closing";

export function DrawBar() {
  const corners = drawing.value;
  const active = corners !== null;
  useClosing(active, cancelDrawing);
  useEffect(() => {
    if (!active) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Backspace" && !(event.target instanceof HTMLInputElement)) removeCorner();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [active]);
  if (!corners) return null;
  return (
    <div class="drawbar" role="region" aria-label={words.value.draw}>
      <p role="status">
        {corners.length === 0 ? (
          <Text long={words.value.drawHint} short={words.value.drawHintShort} />
        ) : (
          <Text long={words.value.corners(corners.length)} short={words.value.cornersShort(corners.length)} />
        )}
      </p>
      <button type="button" onClick={() => void takeView()}>
        <Text long={words.value.useView} short={words.value.useViewShort} />
      </button>
      <button type="button" disabled={corners.length === 0} onClick={removeCorner}>
        <Text long={words.value.undo} short={words.value.undoShort} />
      </button>
      <button type="button" disabled={corners.length < MIN_CORNERS} onClick={finishDrawing}>
        {words.value.finish}
      </button>
      <button type="button" onClick={cancelDrawing}>
        {words.value.cancel}
      </button>
    </div>
  );
}

/** On a phone the map has little room to spare. */
function Text({ long, short }: { long: string; short: string }) {
  return (
    <>
      <span class="long">{long}</span>
      <span class="short">{short}</span>
    </>
  );
}

/** The zone is the box that the map shows. */
async function takeView(): Promise<void> {
  const [{ current }, { cornersOfView }] = await Promise.all([import("../map/view"), import("../map/zone")]);
  if (!current.value) return;
  cancelDrawing();
  update({ zone: cornersOfView(current.value) });
}

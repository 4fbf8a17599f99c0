/** Fills the style templates of `styles/`; their README says which slot means what. */
import type { StyleSpecification } from "maplibre-gl";

/** Slot name to the value that goes wherever the template says. */
export type Slots = Record<string, unknown>;

/** A copy of `template` with each slot's value at every JSON pointer the template lists for it. */
export function fillTemplate(template: object, slots: Slots): StyleSpecification {
  const style = structuredClone(template) as StyleSpecification & {
    metadata: { "maille:slots": Record<string, string[]> };
  };
  const pointers = style.metadata["maille:slots"];
  for (const [slot, value] of Object.entries(slots)) {
    const places = pointers[slot];
    if (!places) throw new Error(`the style ${style.name} has no slot ${slot}`);
    for (const pointer of places) put(style, pointer, value);
  }
  return style;
}

function put(style: object, pointer: string, value: unknown): void {
  const path = pointer.split("/").slice(1);
  const last = path.pop() as string;
  let node = style as Record<string, unknown>;
  for (const step of path) node = node[step] as Record<string, unknown>;
  node[last] = value;
}

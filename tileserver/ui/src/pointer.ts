/** Where the reader points: on the map and in the legend. */
import { signal } from "@preact/signals";

export interface Hover {
  id: number;
  name: string;
  properties: Record<string, unknown>;
  /** Pixels from the map's top left corner. */
  x: number;
  y: number;
}

/** The area under the pointer. */
export const hover = signal<Hover | null>(null);

/** The class that the legend points at; the others step back. */
export const emphasis = signal<number | null>(null);

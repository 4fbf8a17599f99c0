/** What happens on screen: where the reader points, and whether the map is still being drawn. */
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

/** Whether tiles are on their way or being drawn. */
export const busy = signal(true);

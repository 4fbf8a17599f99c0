/** Tiles from one file that any web server gives out in ranges. */
import { addProtocol } from "maplibre-gl";
import { Protocol } from "pmtiles";

export function readArchives(): void {
  addProtocol("pmtiles", new Protocol().tile);
}

/**
 * A map whose tiles are replaced one set after the other, and shown when a set is whole.
 *
 * MapLibre draws a frame for every tile that comes, of which the first show two filters side by side; and
 * it does not give up a tile that is under way when another is asked for in its place, so that the older
 * of the two may come last and stay. Once symbols have changed it draws every frame twice, for those that
 * fade in: here none do.
 */
import { type GeoJSONSource, Map as MapLibre, type MapOptions, type Tile, type VectorTileSource } from "maplibre-gl";

/** Milliseconds that a map waits for tiles before it shows what there is: not for ever for one that does not come. */
const PATIENCE = 10_000;

interface Replacement {
  tiles: string;
  whole: boolean;
}

/** What an error says of a tile. */
interface Failure {
  error: { status?: number };
  sourceId?: string;
  tile?: Tile;
}

type Paint = [layer: string, property: string, value: unknown];

export class WholeMap extends MapLibre {
  /** Tiles to ask for when those under way have been drawn, by source. */
  private readonly wanted = new Map<string, Replacement>();
  /** Sources with tiles under way, and whether their requests have begun. */
  private readonly coming = new Map<string, boolean>();
  /** What was painted before requests began, which would undo them. */
  private painted: Paint[] = [];
  /** Sources with tiles that failed because the server was away or at fault. */
  private readonly broken = new Set<string>();
  private held = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** Called when a set is whole, before it is shown: features that it replaces are shown with the set. */
  completing: () => void = () => {};

  constructor(options: Omit<MapOptions, "fadeDuration">) {
    super({ ...options, fadeDuration: 0 });
    this.on("sourcedata", ({ sourceId, sourceDataType }) => {
      if (sourceDataType === "content") this.begin(sourceId);
      this.look();
    });
    for (const event of ["sourcedataabort", "idle"] as const) this.on(event, () => this.look());
    this.on("error", (event) => {
      const { error, sourceId, tile } = event as typeof event & Failure;
      if (sourceId && tile) this.free(sourceId, tile);
      if (sourceId && (error.status ?? 500) >= 500) this.broken.add(sourceId);
      // Who listens to errors keeps them from the console.
      console.error(error);
      this.look();
    });
    // A reader who moves the map wants to see it move.
    this.on("movestart", () => this.release());
    this.on("render", () => {
      // Without fading every frame places all symbols, those that have just come too.
      this._placementDirty = false;
      this.ask();
    });
  }

  /**
   * Has `source` show other tiles. Under way they change nothing on screen if `whole`, which is for tiles
   * that are drawn as those before them: of other colours the workers hear with a frame.
   */
  replaceTiles(source: string, tiles: string, whole: boolean): void {
    this.wanted.set(source, { tiles, whole });
    this.ask();
  }

  /**
   * Has `source` show other features. Nothing is drawn until its worker has read them: the library would
   * draw a frame when it is told of them, and others while they come.
   */
  replaceFeatures(source: string, data: GeoJSON.FeatureCollection): void {
    this.coming.set(source, false);
    if (!this.isMoving()) this.hold();
    this.getSource<GeoJSONSource>(source)?.setData(data);
  }

  /**
   * Reads and draws the tiles of `source` once more, as another filter will have it do: nothing changes but what
   * the browser has compiled by then. Returns whether it did.
   */
  rehearse(source: string): boolean {
    if (this.coming.size > 0 || this.wanted.size > 0 || this.isMoving() || !this.isSourceLoaded(source)) return false;
    this.style.tileManagers[source]?.reload();
    if (!this.isSourceLoaded(source)) {
      this.coming.set(source, true);
      this.hold();
    }
    return true;
  }

  /**
   * Asks again for all tiles of a source. Where a tile is read for its colours while its successor comes, the library
   * may keep the features of one and the bytes of the other, and fails when it is asked what is there.
   */
  readAgain(source: string): void {
    this.style.tileManagers[source]?.reload(true);
  }

  /** Asks again for tiles that failed for no fault of theirs. */
  askAgain(): void {
    for (const source of this.broken) this.style.tileManagers[source]?.reload(true);
    this.broken.clear();
  }

  /** Whether there are tiles to come for which no request is under way. */
  get waits(): boolean {
    return this.wanted.size > 0;
  }

  override triggerRepaint(): void {
    if (!this.held) super.triggerRepaint();
  }

  /** Sets a paint property; one that has the value already costs no frame. */
  paint(...paint: Paint): void {
    if (this.held && [...this.coming.values()].includes(false)) {
      this.painted.push(paint);
      return;
    }
    // The library has a type for each property.
    const [layer, property, value] = paint as [string, never, never];
    const same = JSON.stringify(this.getPaintProperty(layer, property)) === JSON.stringify(value);
    if (!same) this.setPaintProperty(layer, property, value);
  }

  override remove(): void {
    clearTimeout(this.patience);
    super.remove();
  }

  /**
   * Has a tile that failed be loaded when it is asked for next. The library has it wait for the load that failed,
   * for ever: it knows such a tile by the worker that it was given.
   */
  private free(source: string, tile: Tile): void {
    const waiting = tile.reloadPromise;
    Object.assign(tile, { actor: undefined, reloadPromise: null });
    if (waiting) this.getSource(source)?.loadTile(tile).then(waiting.resolve, waiting.reject);
  }

  private ask(): void {
    for (const [id, { tiles, whole }] of this.wanted) {
      // Those that a move of the map asked for may come last too.
      if (this.coming.has(id) || !this.isSourceLoaded(id)) continue;
      this.wanted.delete(id);
      this.coming.set(id, false);
      if (whole && this.isStyleLoaded() && !this.isMoving()) this.hold();
      this.getSource<VectorTileSource>(id)?.setTiles([tiles]);
    }
  }

  private begin(id: string): void {
    if (!this.coming.has(id)) return;
    this.coming.set(id, true);
    const painted = this.painted;
    this.painted = [];
    for (const paint of painted) this.paint(...paint);
  }

  private look(): void {
    if (this.coming.size === 0) return;
    for (const [id, begun] of this.coming) {
      if (!this.getSource(id) || (begun && this.isSourceLoaded(id))) this.coming.delete(id);
    }
    if (this.coming.size > 0) return;
    if (this.held) this.completing();
    // What is wanted next waits for the frame: who drags a slider sees the map follow.
    if (this.coming.size === 0) this.release();
  }

  private hold(): void {
    this.held = true;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.release(), PATIENCE);
  }

  private release(): void {
    clearTimeout(this.patience);
    if (!this.held) return;
    this.held = false;
    this.triggerRepaint();
  }
}

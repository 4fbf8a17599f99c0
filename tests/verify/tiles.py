#!/usr/bin/env python3
"""Checks with a second decoder and GEOS what served tiles show: gaps, overlaps, lost and invalid units.

    python3 tests/verify/tiles.py DATASET [--bin target/release] [--zooms 6,8,10] [--tiles 40]

Serves a built dataset and looks at each layer's tiles: all of a zoom where they are at most --tiles, else a
seeded sample of those that hold something. A gap is a hole between the units of a tile that their source, the
.fgb, covers; a unit is lost when the source meets the tile's inside by more than a cell and the tile has no
feature of it. Prints a table; exits 1 when a unit is lost, a shape is invalid, a ring is open or wound wrongly,
or gaps are more than 1e-3 of the area: slivers that the source has between neighbours widen on coarse grids. Needs shapely 2, geopandas, mapbox_vector_tile.
"""

import argparse
import math
import random
import sys
from pathlib import Path

import geopandas
import mapbox_vector_tile
import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).parent))
import served  # noqa: E402
import trials  # noqa: E402

WORLD = 2 * math.pi * 6378137
EXTENT = 4096
GAP_MAX = 1e-3


def tiles_of(bounds, z):
    west, south, east, north = bounds
    x0, y0 = served.tile_of(west, min(north, 85), z)
    x1, y1 = served.tile_of(east, max(south, -85), z)
    return [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]


def box_of(z, x, y):
    size = WORLD / 2 ** z
    return x * size - WORLD / 2, WORLD / 2 - (y + 1) * size, (x + 1) * size - WORLD / 2, WORLD / 2 - y * size


def polygons(feature):
    """The parts of a feature as GEOS has them, without mending."""
    geometry = feature["geometry"]
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return parts


def double_area(ring):
    x, y = np.asarray(ring, dtype=np.int64).T
    return int(np.sum(np.roll(x, 1) * y - x * np.roll(y, 1)))


def faults_of_rings(parts):
    """Rings that are open, without area, or wound the wrong way; y points down."""
    faults = 0
    for rings in parts:
        for at, ring in enumerate(rings):
            area = double_area(ring)
            faults += ring[0] != ring[-1] or len(ring) < 4 or area == 0 or (area > 0) != (at == 0)
    return faults


def look(server, layer, level, source, z, x, y, sums):
    bytes_ = server.get(f"/{layer}/{z}/{x}/{y}")
    decoded = mapbox_vector_tile.decode(bytes_, default_options={"y_coord_down": True}) if bytes_ else {}
    features = next(iter(decoded.values()))["features"] if decoded else []
    box = box_of(z, x, y)
    cell = (box[2] - box[0]) / EXTENT
    near = source.iloc[source.sindex.query(shapely.box(*box), predicate="intersects")]
    inside = shapely.intersection(near.geometry.to_numpy(), shapely.box(*box))
    expected = set(near["key"][shapely.area(inside) > cell * cell])
    shown = {f["properties"]["id"] for f in features}
    sums["tiles"] += 1
    sums["features"] += len(features)
    sums["lost"] += len(expected - shown)
    shapes = []
    for feature in features:
        parts = polygons(feature)
        sums["rings"] += faults_of_rings(parts)
        sums["vertices"] += sum(len(ring) for rings in parts for ring in rings)
        shape = shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in parts])
        sums["invalid"] += not shape.is_valid
        shapes.append(shape)
    if not shapes:
        return
    frame = shapely.box(0, 0, EXTENT, EXTENT)
    shapes = shapely.intersection(shapely.make_valid(np.array(shapes, dtype=object)), frame)
    union = shapely.union_all(shapes)
    covered = shapely.transform(shapely.union_all(inside),
                                lambda c: np.column_stack(((c[:, 0] - box[0]) / cell, (box[3] - c[:, 1]) / cell)))
    sums["area"] += union.area
    sums["overlap"] += shapely.area(shapes).sum() - union.area
    sums["source_overlap"] += (shapely.area(inside).sum() / cell / cell) - covered.area
    for part in getattr(union, "geoms", [union]):
        for ring in getattr(part, "interiors", []):
            hole = shapely.Polygon(ring)
            if shapely.intersection(hole, covered).area > 0.5 * hole.area:
                sums["gaps"] += hole.area


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--bin", type=Path, default=trials.ROOT / "target" / "release")
    parser.add_argument("--zooms", default="6,8,9,10,12,14")
    parser.add_argument("--tiles", type=int, default=40)
    args = parser.parse_args()
    manifest, version = trials.published(args.dataset)
    server = served.Server(str(args.bin / "tileserver"), args.dataset)
    failed = False
    try:
        print("layer level zoom tiles features vertices lost invalid rings gaps overlap source's")
        for layer in manifest["layers"]:
            for level in layer["levels"]:
                zooms = [z for z in map(int, args.zooms.split(",")) if level["zooms"][0] <= z <= level["zooms"][1]]
                source = geopandas.read_file(version / level["fgb"], columns=["key"]) if zooms else None
                for z in zooms:
                    failed |= check(server, layer["name"], level, source, z, args.tiles)
    finally:
        server.process.terminate()
    return int(failed)


def check(server, layer, level, source, z, most):
    addresses = tiles_of(level["bounds"], z)
    random.Random(z).shuffle(addresses)
    sums = dict.fromkeys(("tiles", "features", "vertices", "lost", "invalid", "rings"), 0)
    sums |= dict.fromkeys(("area", "gaps", "overlap", "source_overlap"), 0.0)
    for x, y in addresses:
        if sums["tiles"] >= most:
            break
        if len(source.sindex.query(shapely.box(*box_of(z, x, y)))):
            look(server, layer, level, source, z, x, y, sums)
    area = sums["area"] or 1
    shares = [sums[s] / area for s in ("gaps", "overlap", "source_overlap")]
    counts = [sums[s] for s in ("tiles", "features", "vertices", "lost", "invalid", "rings")]
    print(layer, level["name"], z, *counts, *(f"{s:.1e}" for s in shares), flush=True)
    return bool(sums["lost"] or sums["invalid"] or sums["rings"] or shares[0] > GAP_MAX)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Checks with GEOS what tiles show of a coverage: gaps, overlaps, lost and invalid units by zoom.

    cargo run --release -p precompute --example coverage -- SOURCE OUT [EPSG:…]
    python tests/verify/borders.py OUT

Needs shapely 2. A gap is a hole between units that the source covers; holes that the source has,
and inlets that close, are none. A unit smaller than a cell is listed as lost: tiles show it as one
cell. `unflagged` counts units that are invalid at a zoom without `repair_zooms` saying so. Exits 1
when there is one, when units overlap by more than 0.2 % of the area beyond what the source has
from zoom 8 on, or when a gap is left there.
"""

import json
import sys
from pathlib import Path

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

SOURCE = 18
OVERLAP_MAX = 0.002
GAP_MAX = 1e-5


def ring(points):
    points = np.asarray(points, dtype=np.int64)
    return points[np.any(points != np.roll(points, 1, axis=0), axis=1)] if len(points) else points


def double_area(points):
    x, y = points[:, 0], points[:, 1]
    return int(np.sum(np.roll(x, 1) * y - x * np.roll(y, 1)))


def unit(coordinates):
    """As the tile engine sees it: no repeated vertex, no ring without area."""
    polygons = []
    for rings in coordinates:
        rings = [ring(points) for points in rings]
        rings = [points if len(points) > 2 and double_area(points) else None for points in rings]
        if rings[0] is not None:
            polygons.append(Polygon(rings[0], [r for r in rings[1:] if r is not None]))
    return MultiPolygon(polygons) if polygons else None


def load(path):
    units, flags = [], []
    with path.open() as lines:
        for line in lines:
            feature = json.loads(line)
            units.append(unit(feature["geometry"]["coordinates"]))
            flags.append(feature["properties"]["flagged"])
    return np.array(units, dtype=object), np.array(flags)


def holes(union):
    parts = getattr(union, "geoms", [union])
    return [Polygon(r) for p in parts if p.geom_type == "Polygon" for r in p.interiors]


def overlap(units, union):
    return (shapely.area(units).sum() - union.area) / union.area


def main(directory):
    source, _ = load(directory / f"zoom-{SOURCE}.geojsonl")
    invalid = int((~shapely.is_valid(source)).sum())
    covered = shapely.union_all(source)
    overlap_source = overlap(source, covered)
    print(f"source: {len(source)} units, {invalid} invalid, overlap {overlap_source:.2e}, "
          f"{len(holes(covered))} holes of {sum(h.area for h in holes(covered)) / covered.area:.2e}")
    failed = invalid > 0
    for path in sorted(directory.glob("zoom-*.geojsonl"), key=lambda p: int(p.stem[5:])):
        zoom = int(path.stem[5:])
        if zoom == SOURCE:
            continue
        units, flags = load(path)
        shown = np.array([u is not None for u in units])
        valid = shapely.is_valid(units) | ~shown
        unflagged = int((~valid & ~flags).sum())
        units = shapely.make_valid(units[shown])
        union = shapely.union_all(units)
        scale = 2.0 ** (SOURCE - zoom)
        here = shapely.transform(covered, lambda c: c / scale)
        found = np.array(holes(union), dtype=object)
        gaps = shapely.area(found[shapely.area(shapely.intersection(found, here)) > 0.5 * shapely.area(found)]) \
            if len(found) else np.array([])
        beyond = overlap(units, union) - overlap_source
        gap = gaps.sum() / union.area
        vertices = int(shapely.get_num_coordinates(units).sum())
        print(f"zoom {zoom:2}: {vertices} vertices, lost {int((~shown).sum())}, invalid {int((~valid).sum())}, "
              f"unflagged {unflagged}, gaps {len(gaps)} of {gap:.1e}, overlap {beyond:+.1e}", flush=True)
        failed |= unflagged > 0 or (zoom >= 8 and (beyond > OVERLAP_MAX or gap > GAP_MAX))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

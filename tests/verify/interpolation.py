#!/usr/bin/env python3
"""Checks figures of other areas against sf's formulas and tobler, to nine digits.

    python3 tests/verify/interpolation.py --data DIR [--precompute target/release/precompute]

Builds tests/projects/paris-interpolated.toml, with the areas that figures come from as layers of their
own. So both sides of every figure are published, on the world grid, with slivers between neighbours
closed, and these shapes are what is compared. The formulas of R's sf::st_interpolate_aw (extensive
sum(v * a_overlap / a_source), intensive sum(v * a_overlap) / sum(a_overlap)) are written out here in
numpy over intersections of GEOS; R itself does not run. tobler runs on the same shapes in an
equal-area projection, where its conventions agree: extensive with allocate_total=False, where targets
do not overlap (ours share what both have), intensive where sources cover all of a target, because it
divides by the whole of it; it keeps areas in 32 bits, so that seven digits are compared. At last the
shapes as their files have them, in Lambert-93, tell how much closing slivers moves.
Needs geopandas, tobler, shapely 2.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from tobler.area_weighted import area_interpolate

PROJECT = Path(__file__).resolve().parents[1] / "projects" / "paris-interpolated.toml"
SOURCES = """
[[layer]]
name = "blocks"
  [[layer.level]]
  name = "block"
  polygons = { path = "${MAILLE_DATA}/fr-iris-2020/CONTOURS-IRIS-2020-L93-shp.zip", where = "INSEE_COM like '75%'" }
  key = "CODE_IRIS"
  zooms = [0, 14]
  [[layer.indicators]]
  from = "(select * from cars where IRIS like '75%')"
  key = "IRIS"
    [layer.indicators.columns]
    perc_voit = { sql = "max(perc_voit)", unit = "share" }

[[layer]]
name = "stations"
  [[layer.level]]
  name = "station"
  polygons = { path = "${MAILLE_DATA}/fr-bureaux-vote/contours/paris-bureaux-2026.geojson" }
  key = "code_bv"
  zooms = [0, 14]
  [[layer.indicators]]
  from = "station"
  key = "key"
    [layer.indicators.columns]
    n_hlm = { sql = "sum(n_hlm)", unit = "count" }
    inscrits = { sql = "sum(inscrits)", unit = "count" }
    abstentions = { sql = "sum(abstentions)", unit = "count" }
    revenu_median = { sql = "max(revenu_median)", unit = "eur" }
"""

TOLERANCE = 1e-9
TOLERANCE_TOBLER = 5e-7
# The edge of the Web Mercator square in metres, and in cells of the world grid.
EDGE, CELLS = 2 * np.pi * 6_378_137.0, 2**30
RADIUS = CELLS / (2 * np.pi)
# A cell near Paris, from which others are counted: GEOS has more digits for smaller numbers.
ORIGIN = np.array([543_850_000.0, 369_300_000.0])
# Places and weights of Gauss's rule on (-1, 1).
GAUSS = np.polynomial.legendre.leggauss(6)
PUBLISHED = {}


def build(precompute, data, out):
    project = Path(out) / "project.toml"
    project.write_text(PROJECT.read_text() + SOURCES)
    command = [precompute, "build", str(project), "--out", f"{out}/dataset", "--json", "--min-match", "0.9"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MAILLE_DATA": data})
    if done.returncode:
        sys.exit(done.stderr)
    version = Path(out) / "dataset" / "versions" / (Path(out) / "dataset" / "CURRENT").read_text().strip()
    for layer, level in [("paris", "sector"), ("blocks", "block"), ("stations", "station")]:
        PUBLISHED[level] = on_grid(gpd.read_file(version / layer / f"{level}.fgb"))
    return json.loads(done.stdout)


def on_grid(table):
    """Whole cells east and south of the origin, as they are stored."""
    def cells(metres):
        at = np.column_stack([metres[:, 0] + EDGE / 2, EDGE / 2 - metres[:, 1]]) * (CELLS / EDGE)
        whole = np.rint(at)
        assert np.abs(at - whole).max() < 1e-3, "not on the world grid"
        return whole - ORIGIN
    shapes = shapely.transform(shapely.force_2d(table.geometry.values), cells)
    invalid = ~shapely.is_valid(shapes)
    if invalid.any():
        print(f"{invalid.sum()} shapes touch themselves: made valid for GEOS")
        shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure")
    return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=shapes).sort_values("key", ignore_index=True)


def ground(shapes):
    """Surface on the ground, in cells² at the equator: Green's theorem, cos² of the latitude under it."""
    polygons, of_shape = shapely.get_parts(shapes, return_index=True)
    keep = shapely.get_type_id(polygons) == 3
    rings, of_polygon = shapely.get_rings(shapely.normalize(polygons[keep]), return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    same = of_ring[1:] == of_ring[:-1]
    start, end = points[:-1][same], points[1:][same]
    ring = of_ring[:-1][same]
    # From the ring's own corner: less to cancel.
    origin = shapely.bounds(rings)[ring, 0]
    middle, half = (start + end) / 2, (end - start) / 2
    area = np.zeros(len(start))
    for place, weight in zip(*GAUSS):
        x, y = middle[:, 0] + place * half[:, 0] - origin, middle[:, 1] + place * half[:, 1]
        area += weight * x * half[:, 1] / np.cosh((CELLS / 2 - ORIGIN[1] - y) / RADIUS) ** 2
    by_ring = np.abs(np.bincount(ring, area, minlength=len(rings)))
    is_hole = np.r_[False, of_polygon[1:] == of_polygon[:-1]]
    by_polygon = np.bincount(of_polygon, np.where(is_hole, -by_ring, by_ring), minlength=keep.sum())
    return np.bincount(of_shape[keep], by_polygon, minlength=len(shapes))


class Parts:
    """The part of each source in each target, both known."""

    def __init__(self, source, target, area):
        tree = shapely.STRtree(target.geometry.values)
        self.source, self.target = tree.query(source.geometry.values, predicate="intersects")
        both = shapely.intersection(source.geometry.values[self.source], target.geometry.values[self.target])
        self.area = area(both)
        self.of_source, self.of_target = area(source.geometry.values), area(target.geometry.values)
        self.targets = len(target)
        # Where targets overlap they share a source: it has no more than its parts.
        together = np.bincount(self.source, self.area, len(source))
        is_shared = together > self.of_source * (1 + 1e-11)
        self.alone = np.bincount(self.target[is_shared[self.source]], minlength=self.targets) == 0
        self.of_source = np.maximum(self.of_source, together)

    def sums(self, weights, value):
        known = ~np.isnan(value[self.source])
        return np.bincount(self.target[known], (weights * value[self.source])[known], self.targets)

    def extensive(self, value):
        """sf: sum(v * a_overlap / a_source)."""
        return self.sums(self.area / self.of_source[self.source], value)

    def intensive(self, value, base=None):
        """sf: sum(v * a_overlap) / sum(a_overlap); or weighed by what a base counts in the parts."""
        weights = self.area
        if base is not None:
            weights = self.area / self.of_source[self.source] * np.nan_to_num(base)[self.source]
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.sums(weights, value) / self.sums(weights, np.where(np.isnan(value), np.nan, 1.0))

    def coverage(self, value):
        return self.sums(self.area, np.where(np.isnan(value), np.nan, 1.0)) / self.of_target


def compare(name, found, expected, shown, tolerance=TOLERANCE, unlike_max=0):
    """Both are missing alike, and figures differ by `tolerance` of their size, or of a twentieth of the mean."""
    found, expected = np.asarray(found, float), np.where(shown, expected, np.nan)
    unlike = np.isnan(found) != np.isnan(expected)
    both = ~np.isnan(found) & ~np.isnan(expected)
    size = np.maximum(np.abs(expected[both]), 5e-2 * np.nanmean(np.abs(expected)))
    error = np.abs(found - expected)[both] / size
    print(f"{name:36} {both.sum():4} areas, greatest difference {error.max():.1e}, "
          f"median {np.median(error):.1e}, missing unlike {unlike.sum()}")
    if error.max() > tolerance or unlike.sum() > unlike_max:
        worst = np.flatnonzero(both)[np.argsort(error)[-3:]]
        sys.exit(f"{name}: differs, most at rows {worst}: {found[worst]} against {expected[worst]}")


def equal_area(table):
    """Lambert's cylindrical projection; edges cut short, because straight ones become curves."""
    def project(cells):
        y = (CELLS / 2 - ORIGIN[1] - cells[:, 1]) / RADIUS
        return np.column_stack([cells[:, 0], RADIUS * np.tanh(y)])
    shapes = shapely.transform(shapely.segmentize(table.geometry.values, 50.0), project)
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index))


def check_totals(report):
    for layer in report["layers"]:
        for join in layer["joins"]:
            for total in (join.get("interpolation") or {}).get("sums", []):
                rest = total["total"] - total["placed"] - total["uncovered"]
                print(f"{total['column']:36} total {total['total']:.6f} = placed {total['placed']:.6f} "
                      f"+ uncovered {total['uncovered']:.6f}; rest {rest:.1e}")
                if abs(rest) > TOLERANCE * abs(total["total"]):
                    sys.exit("a total is not kept")


def check_formulas(target, stations, blocks):
    table = target
    parts = Parts(stations, target, ground)
    of = {name: stations[name].to_numpy(float) for name in ("n_hlm", "inscrits", "abstentions", "revenu_median")}
    for column, value in {"social_homes": "n_hlm", "registered_2026": "inscrits"}.items():
        shown = parts.coverage(of[value]) >= 0.5
        compare(column, table[column], parts.extensive(of[value]), shown)
    whole = parts.coverage(np.ones(len(stations)))
    compare("coverage_2026", table["coverage_2026"], whole, whole > -1)
    shown = parts.coverage(of["revenu_median"]) >= 0.5
    compare("income", table["income"], parts.intensive(of["revenu_median"], of["inscrits"]), shown)
    shown = parts.coverage(of["abstentions"]) >= 0.5
    rate = parts.extensive(of["abstentions"]) / parts.extensive(of["inscrits"])
    compare("abstention_2026", table["abstention_2026"], rate, shown)
    shown = np.minimum(parts.coverage(of["n_hlm"]), parts.coverage(of["inscrits"])) >= 0.5
    rate = 1000 * parts.extensive(of["n_hlm"]) / parts.extensive(of["inscrits"])
    compare("social_homes_per_1000", table["social_homes_per_1000"], rate, shown)
    share = blocks["perc_voit"].to_numpy(float)
    blocks = Parts(blocks, target, ground)
    # Where sources overlap, what they cover twice is covered once.
    whole = np.minimum(blocks.coverage(np.ones(len(share))), 1.0)
    compare("coverage_blocks", table["coverage_blocks"], whole, whole > -1)
    compare("no_car_by_surface", table["no_car_by_surface"], blocks.intensive(share), blocks.coverage(share) >= 0.5)
    return parts.alone, np.abs(blocks.coverage(share) - 1) < 1e-11


def check_tobler(target, stations, blocks, alone, whole):
    target, stations, blocks = (equal_area(table) for table in (target, stations, blocks))
    known = stations[stations.n_hlm.notna()].reset_index(drop=True)
    peer = area_interpolate(known, target, extensive_variables=["n_hlm"], allocate_total=False)
    shown = alone & target["social_homes"].notna()
    found = np.where(alone, target["social_homes"], np.nan)
    compare("social_homes, tobler", found, peer.n_hlm.to_numpy(), shown, TOLERANCE_TOBLER)
    known = blocks[blocks.perc_voit.notna()].reset_index(drop=True)
    peer = area_interpolate(known, target, intensive_variables=["perc_voit"])
    found = np.where(whole, target["no_car_by_surface"], np.nan)
    compare("no_car_by_surface, tobler", found, peer.perc_voit.to_numpy(), whole, TOLERANCE_TOBLER)


def check_addresses(data, target, blocks):
    """The mean of the blocks' figures over the addresses of a unit, each on the nearest corner of cells."""
    places = pd.read_csv(data / "points-fr" / "adresses-75.csv.gz", sep=";", usecols=["lon", "lat"])
    x = (places.lon / 360 + 0.5) * CELLS
    y = CELLS / 2 - np.arctanh(np.sin(np.radians(places.lat))) * RADIUS
    points = shapely.points(np.rint(x) - ORIGIN[0], np.rint(y) - ORIGIN[1])
    held = []
    for areas in (blocks, target):
        at, area = shapely.STRtree(areas.geometry.values).query(points, predicate="intersects")
        holder = np.full(len(points), -1)
        holder[at[::-1]] = area[::-1]
        several = np.bincount(at, minlength=len(points)) > 1
        held.append((holder, several))
    (block, in_blocks), (unit, in_units) = held
    share = blocks["perc_voit"].to_numpy(float)
    value = np.where(block >= 0, share[block], np.nan)
    known = (unit >= 0) & ~np.isnan(value)
    count = np.bincount(unit[known], minlength=len(target))
    of = np.bincount(unit[unit >= 0], minlength=len(target))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(unit[known], value[known], len(target)) / count
        shown = count >= 0.5 * of
    # An address on a border may be of either side: such units are not judged to the last digit.
    doubtful = np.unique(unit[(in_blocks | in_units) & (unit >= 0)])
    near = np.isin(np.arange(len(target)), doubtful)
    print(f"{(in_blocks | in_units).sum()} of {len(points)} addresses on a border, in {near.sum()} units")
    judged = target["no_car"].where(~near)
    compare("no_car, by addresses", judged, mean, shown & ~near)


def tell_slivers(data, target):
    """How far figures are from those of the shapes in their files: what closing slivers moves."""
    contours = data / "fr-bureaux-vote" / "contours"
    own = gpd.read_file(contours / "paris-secteurs-2017.geojson").to_crs(2154)
    own["key"] = ("75056_" + own.arrondissement.astype(str).str.zfill(2)
                  + own.num_bv.astype(int).astype(str).str.zfill(2))
    own["geometry"] = own.geometry.make_valid()
    own = own.dissolve("key").reset_index().sort_values("key", ignore_index=True)
    stations = gpd.read_file(contours / "paris-bureaux-2026.geojson").to_crs(2154)
    stations["geometry"] = stations.geometry.make_valid()
    def metres(cells):
        at = (cells + ORIGIN) * (EDGE / CELLS)
        return np.column_stack([at[:, 0] - EDGE / 2, EDGE / 2 - at[:, 1]])
    published = gpd.GeoSeries(shapely.transform(target.geometry.values, metres), crs=3857).to_crs(2154)
    value = stations.n_hlm.to_numpy(float)
    found = target["social_homes"].to_numpy(float)
    for whose, areas in {"published": target.set_geometry(published), "the file's": own}.items():
        expected = Parts(stations, areas, shapely.area).extensive(value)
        error = np.abs(found - expected)[~np.isnan(found)] / np.nanmax(expected)
        print(f"social_homes by the file's sources, {whose} targets: differs by {error.max():.1e} of the most "
              f"at most, median {np.median(error):.1e}: borders drawn apart")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--precompute", default="target/release/precompute")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    with tempfile.TemporaryDirectory() as out:
        report = build(args.precompute, args.data, out)
    check_totals(report)
    target, blocks, stations = (PUBLISHED[level] for level in ("sector", "block", "station"))
    alone, whole = check_formulas(target, stations, blocks)
    check_tobler(target, stations, blocks, alone, whole)
    check_addresses(Path(args.data), target, blocks)
    tell_slivers(Path(args.data), target)


if __name__ == "__main__":
    main()

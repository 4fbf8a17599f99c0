#!/usr/bin/env python3
"""Checks tests/projects/paris-interpolated.toml against geopandas and tobler.

    python3 tests/verify/interpolation.py --data DIR [--precompute target/release/precompute]

The same figures by two other implementations, in Lambert-93: overlays of geopandas by the formulas of
sf's st_interpolate_aw, and tobler's area_interpolate (allocate_total=False; tobler divides intensive
figures by the whole target, so those are compared where sources cover all of it). Addresses are located
by geopandas. Needs geopandas and tobler.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from tobler.area_weighted import area_interpolate

PROJECT = Path(__file__).resolve().parents[1] / "projects" / "paris-interpolated.toml"


def build(precompute, data, out):
    command = ["/usr/bin/time", "-f", "MEASURED %U %S %M", precompute, "build", str(PROJECT), "--out", out,
               "--json", "--min-match", "0.9"]
    done = subprocess.run(command, capture_output=True, text=True, env={"MAILLE_DATA": data, "PATH": "/usr/bin:/bin"})
    if done.returncode:
        sys.exit(done.stderr)
    user, system, peak = map(float, re.search(r"MEASURED (\S+) (\S+) (\S+)", done.stderr).groups())
    print(f"built in {user + system:.1f} s CPU, peak {peak / 1024:.0f} MB")
    version = Path(out) / "versions" / (Path(out) / "CURRENT").read_text().strip()
    table = gpd.read_file(version / "paris" / "sector.fgb").sort_values("key").reset_index(drop=True)
    table["geometry"] = shapely.make_valid(shapely.force_2d(table.geometry.values))
    return json.loads(done.stdout), table.set_crs(3857, allow_override=True)


def by_parts(source, target, value, base=None):
    """Sums over parts: extensive, and the mean over the covered part; coverage."""
    known = source[source[value].notna()].copy()
    known["area"] = known.area
    parts = gpd.overlay(known, target, how="intersection", keep_geom_type=True)
    share = parts.area / parts["area"]
    weight = parts.area if base is None else share * parts[base]
    grouped = pd.DataFrame({
        "key": parts.key, "extensive": share * parts[value], "weighted": weight * parts[value],
        "weight": weight, "covered": parts.area}).groupby("key").sum()
    found = grouped.reindex(target.key)
    coverage = found.covered.to_numpy() / target.area.to_numpy()
    return found.extensive.to_numpy(), (found.weighted / found.weight).to_numpy(), np.nan_to_num(coverage)


def compare(name, found, expected, shown, tolerance):
    """Both are missing alike, and differ by little."""
    found, expected = np.asarray(found, float), np.where(shown, expected, np.nan)
    unlike = np.isnan(found) != np.isnan(expected)
    scale = np.nanmax(np.abs(expected))
    both = ~np.isnan(found) & ~np.isnan(expected)
    error = np.abs(found - expected)[both] / scale
    print(f"{name:28} {both.sum():4} areas, greatest difference {error.max():.1e} of {scale:.6g}, "
          f"median {np.median(error):.1e}, missing unlike {unlike.sum()}")
    if error.max() > tolerance or unlike.sum() > 2:
        sys.exit(f"{name}: differs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--precompute", default="target/release/precompute")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        report, table = build(args.precompute, args.data, out)
    for join in report["layers"][0]["joins"]:
        for total in join["interpolation"]["sums"]:
            rest = total["total"] - total["placed"] - total["uncovered"]
            print(f"{total['column']:24} {total['sql']:20} total {total['total']:.3f} = placed "
                  f"{total['placed']:.3f} + uncovered {total['uncovered']:.3f}; rest {rest:.1e}")
            if abs(rest) > 1e-9 * total["total"]:
                sys.exit("a total is not kept")
    data = Path(args.data)
    contours = data / "fr-bureaux-vote" / "contours"
    # Units as they are published: their neighbours' borders are brought together.
    target = table[["key", "geometry"]].to_crs(2154)

    stations = gpd.read_file(contours / "paris-bureaux-2026.geojson").to_crs(2154)
    for column, value in {"social_homes": "n_hlm", "registered_2026": "inscrits"}.items():
        extensive, _, coverage = by_parts(stations, target, value)
        compare(column, table[column], extensive, coverage >= 0.5, 2e-4)
    _, income, coverage = by_parts(stations, target, "revenu_median", "inscrits")
    compare("income", table["income"], income, coverage >= 0.5, 2e-4)
    top, _, coverage = by_parts(stations, target, "abstentions")
    bottom, _, _ = by_parts(stations, target, "inscrits")
    compare("abstention_2026", table["abstention_2026"], top / bottom, coverage >= 0.5, 2e-4)
    known = stations[stations.n_hlm.notna()]
    peer = area_interpolate(known, target, extensive_variables=["n_hlm"], allocate_total=False)
    compare("social_homes, tobler", table["social_homes"], peer.n_hlm.to_numpy(), ~table["social_homes"].isna(), 2e-4)

    cars = pd.read_csv(data / "fr-iris-2020" / "iris_part_sans_voiture_2020.csv.gz", dtype={"IRIS": str})
    blocks = gpd.read_file(f"zip://{data}/fr-iris-2020/CONTOURS-IRIS-2020-L93-shp.zip")
    blocks = blocks[blocks.INSEE_COM.str.startswith("75")].merge(cars, left_on="CODE_IRIS", right_on="IRIS", how="left")
    _, mean, coverage = by_parts(blocks, target, "perc_voit")
    compare("no_car_by_surface", table["no_car_by_surface"], mean, coverage >= 0.5, 2e-4)
    whole = coverage > 0.99999
    peer = area_interpolate(blocks[blocks.perc_voit.notna()], target, intensive_variables=["perc_voit"])
    compare("no_car_by_surface, tobler", np.where(whole, table["no_car_by_surface"], np.nan),
            peer.perc_voit.to_numpy(), whole, 2e-4)

    places = pd.read_csv(data / "points-fr" / "adresses-75.csv.gz", sep=";", usecols=["lon", "lat"])
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(places.lon, places.lat), crs=4326).to_crs(2154)
    held = gpd.sjoin(places, target, predicate="within").rename(columns={"index_right": "unit"})
    held = gpd.sjoin(held[["geometry", "unit"]], blocks[["perc_voit", "geometry"]], how="left", predicate="within")
    held = held[~held.index.duplicated()]
    known = held[held.perc_voit.notna()]
    units = range(len(target))
    all_of = held.groupby("unit").size().reindex(units).to_numpy(float)
    known_of = np.nan_to_num(known.groupby("unit").size().reindex(units).to_numpy(float))
    mean = known.groupby("unit").perc_voit.mean().reindex(units).to_numpy()
    # Where census blocks overlap, either may hold an address: some areas differ by one.
    compare("no_car, by addresses", table["no_car"], mean, known_of >= 0.5 * all_of, 2e-2)


if __name__ == "__main__":
    main()

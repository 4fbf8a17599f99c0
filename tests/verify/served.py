#!/usr/bin/env python3
"""Checks that every way to ask for a figure gives the same one, and that it is right.

    python3 tests/verify/served.py --data DIR [--bin target/release] [TRIAL…]

Builds the trials like trials.py, serves them, and for 500 random areas compares, digit by digit, the card,
the tile, CSV, GeoJSON and the spreadsheet's CSV with the figures that DuckDB finds in the source files.
Ranks, percentiles, the parent's and the layer's figure of each card are computed anew from those too, and
the classes of /stats are held against mapclassify's over 200 random sets of areas. Needs what trials.py
needs, mapclassify and mapbox_vector_tile.
"""

import argparse
import csv
import io
import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import warnings
from pathlib import Path

import duckdb
import mapbox_vector_tile
import mapclassify
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
import trials  # noqa: E402

AREAS = 500
SETS = 200


class Server:
    """The real program on a free port."""

    def __init__(self, binary, dataset):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen([binary, "--dataset", str(dataset), "--listen", f"127.0.0.1:{self.port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.get("/ready")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        sys.exit("the server does not become ready")

    def get(self, path, **query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        url = f"http://127.0.0.1:{self.port}{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()

    def json(self, path, **query):
        return json.loads(self.get(path, **query))


def tile_of(lon, lat, z):
    n = 2 ** z
    x = int((lon + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
    return x, y


def first_position(geometry):
    coordinates = geometry["coordinates"]
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return coordinates


def check_areas(server, trial, layer, level, figures, parents, whole):
    """500 areas of a level; `figures` are DuckDB's by key."""
    names = list(figures.columns)
    keys = sorted(figures.index)
    sample = random.Random(11).sample(keys, min(AREAS, len(keys)))
    lists = {}
    for dialect in ("", "spreadsheet"):
        more = {"dialect": dialect} if dialect else {}
        text = server.get(f"/{layer}/items.csv", level=level["name"], properties=",".join(names), limit=len(keys) + 10, **more)
        lists[dialect] = rows_of_csv(text.decode("utf-8-sig"), ";" if dialect else ",", "," if dialect else ".")
    features = server.json(f"/{layer}/items.geojson", level=level["name"], properties=",".join(names), limit=len(keys) + 10)
    lists["geojson"] = {f["properties"]["key"]: f["properties"] for f in features["features"]}
    ranks = {name: figures[name].rank(ascending=False, method="min") for name in names if pd.api.types.is_numeric_dtype(figures[name])}
    zoom = level["zooms"][1]
    compared = 0
    for key in sample:
        card = server.json(f"/{layer}/items/{urllib.parse.quote(key)}", level=level["name"])
        described = {i["name"]: i for i in card["indicators"]}
        tile = server_tile(server, layer, card, zoom, names)
        shown = tile.get(key)
        if shown is None:
            sys.exit(f"{trial}: {key} is not in its tile of zoom {zoom}")
        for name in names:
            expected = figures.at[key, name]
            places = {"card": described[name]["value"], "feature": card["properties"].get(name), "tile": shown.get(name),
                      **{f"list {kind}": rows[key].get(name) for kind, rows in lists.items()}}
            for place, found in places.items():
                if not trials.same(found, expected):
                    sys.exit(f"{trial}: {key} {name} in {place}: {found!r}, expected {expected!r}")
            values = {repr(v) for v in places.values() if v is not None and not isinstance(v, str)}
            if len({float(v) for v in values}) > 1:
                sys.exit(f"{trial}: {key} {name} differs in its digits: {places}")
            if name in ranks and not pd.isna(expected):
                rank, of = described[name]["rank"], described[name]["of"]
                column = figures[name].dropna()
                below, equal = (column < expected).sum(), (column == expected).sum()
                percentile = 100 * (below + (equal - 1) / 2) / (len(column) - 1)
                if (rank, of) != (ranks[name][key], len(column)) or abs(described[name]["percentile"] - percentile) > 1e-9:
                    # Figures that differ in the last digit may change places.
                    near = (abs(column - expected) <= 1e-12 * abs(expected)).sum() - 1
                    if abs(rank - ranks[name][key]) > near:
                        sys.exit(f"{trial}: {key} {name} ranks {rank} of {of}, expected {ranks[name][key]} of {len(column)}")
            if parents is not None and card["parent"] is not None:
                above = parents.at[card["parent"]["key"], name] if card["parent"]["key"] in parents.index else None
                if not trials.same(described[name]["parent"], above):
                    sys.exit(f"{trial}: {key} {name} of its parent: {described[name]['parent']!r}, expected {above!r}")
            if described[name]["layer"] is not None and not trials.same(described[name]["layer"], whole[name]):
                sys.exit(f"{trial}: {name} of the layer: {described[name]['layer']!r}, expected {whole[name]!r}")
            compared += len(places)
    print(f"{trial}: {len(sample)} areas of {level['name']}: card, tile and exports equal DuckDB, {compared} figures")


def rows_of_csv(text, delimiter, decimal):
    rows = {}
    for row in csv.DictReader((line for line in io.StringIO(text) if not line.startswith("#")), delimiter=delimiter):
        rows[row["key"]] = {name: number(cell, decimal) for name, cell in row.items()}
    return rows


def number(cell, decimal):
    if cell == "":
        return None
    try:
        return float(cell.replace(decimal, "."))
    except ValueError:
        return cell


def server_tile(server, layer, card, zoom, names):
    """The properties of all areas of a tile that the area is in, by key."""
    x, y = tile_of(*first_position(card["geometry"])[:2], zoom)
    bytes_ = server.get(f"/{layer}/{zoom}/{x}/{y}", properties=",".join(names))
    found = {}
    for features in mapbox_vector_tile.decode(bytes_).values():
        found.update({f["properties"]["id"]: f["properties"] for f in features["features"]})
    return found


def check_breaks(server, trial, layer, level, figures):
    """Classes are never worse than mapclassify's by sum of squares, and equal where the answer is one."""
    numbers = [name for name in figures.columns if pd.api.types.is_numeric_dtype(figures[name])]
    draw = random.Random(5)
    better = 0
    for _ in range(SETS):
        name, over = draw.choice(numbers), draw.choice(numbers)
        low, high = sorted(draw.sample(sorted(figures[over].dropna().unique()), 2))
        k = draw.randint(3, 8)
        rows = figures[(figures[over] >= low) & (figures[over] <= high)]
        values = rows[name].dropna().to_numpy()
        if len(np.unique(values)) <= k or len(values) > 3000:
            continue
        text = f"{over} BETWEEN {low!r} AND {high!r}".replace("np.float64(", "").replace(")", "")
        ask = {"property": name, "k": k, "filter": text, "level": level["name"]}
        for method, reference in (("jenks", mapclassify.FisherJenks), ("quantile", mapclassify.Quantiles),
                                  ("equal", mapclassify.EqualInterval)):
            answer = server.json(f"/{layer}/stats", method=method, **ask)
            if abs(answer["count"] - len(values)) > 2:
                sys.exit(f"{trial}: {text}: {answer['count']} values, expected {len(values)}")
            if answer["count"] != len(values):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = reference(values, k=k)
            ours = squares(values, answer["breaks"]["upper"])
            if method == "jenks" and ours > squares(values, theirs.bins) * (1 + 1e-9):
                sys.exit(f"{trial}: jenks of {name} where {text}, k={k}: {ours} is worse than {squares(values, theirs.bins)}")
            if method == "equal" and not np.allclose(answer["breaks"]["upper"], theirs.bins, rtol=1e-9):
                sys.exit(f"{trial}: equal classes of {name} where {text}: {answer['breaks']['upper']}, {theirs.bins}")
            better += 1
        summary = {"sum": values.sum(), "min": values.min(), "max": values.max(), "mean": values.mean(), "median": np.median(values)}
        for figure, expected in summary.items():
            if abs(answer[figure] - expected) > 1e-9 * max(1, abs(expected)):
                sys.exit(f"{trial}: {figure} of {name} where {text}: {answer[figure]}, expected {expected}")
    print(f"{trial}: {better} classifications of {level['name']} held against mapclassify")


def squares(values, upper):
    classes = np.searchsorted(np.asarray(upper), values, side="left").clip(max=len(upper) - 1)
    return sum(((values[classes == c] - values[classes == c].mean()) ** 2).sum() for c in np.unique(classes))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("MAILLE_DATA", trials.ROOT.parent / "shared" / "data"))
    parser.add_argument("--bin", type=Path, default=trials.ROOT / "target" / "release")
    parser.add_argument("trials", nargs="*", default=["paris", "france-communes"])
    args = parser.parse_args()
    os.environ["MAILLE_DATA"] = str(args.data)
    with tempfile.TemporaryDirectory() as folder:
        for trial in args.trials:
            out = Path(folder) / trial
            trials.build(trial, str(args.bin / "precompute"), out)
            manifest, version = trials.published(out)
            project = tomllib.loads((trials.PROJECTS / f"{trial}.toml").read_text())
            db = duckdb.connect()
            trials.divide_by_zero_is_missing(db)
            for table in project.get("table", []):
                trials.load_table(db, table, trials.PROJECTS)
            server = Server(str(args.bin / "tileserver"), out)
            try:
                check(server, trial, project, manifest, version, db)
            finally:
                server.process.terminate()


def check(server, trial, project, manifest, version, db):
    for layer in project["layer"]:
        meta = next(m for m in manifest["layers"] if m["name"] == layer["name"])
        frames = {level["name"]: trials.arrow(version / level["arrow"]) for level in meta["levels"]}
        for level in layer["level"]:
            if "polygons" in level and any(level["name"] in b["from"].split() for b in layer["indicators"]):
                trials.register_polygons(db, level)
        shown = {i["name"] for i in meta["indicators"] if not i.get("hidden")}
        by_level = {level["name"]: pd.DataFrame(index=frames[level["name"]]["key"]) for level in layer["level"]}
        whole = {level["name"]: {} for level in layer["level"]}
        names = [level["name"] for level in layer["level"]]
        for block in layer["indicators"]:
            own = names.index(block.get("level", names[0]))
            for name, figures in trials.expected(db, layer, block, own, frames).items():
                columns = [c for c in figures.columns if c in shown]
                by_level[name] = by_level[name].join(figures[columns])
                whole[name] |= figures.attrs["whole"]
        for at, level in enumerate(layer["level"]):
            above = by_level[names[at + 1]] if at + 1 < len(names) else None
            check_areas(server, trial, layer["name"], level, by_level[level["name"]], above, whole[level["name"]])
        check_breaks(server, trial, layer["name"], layer["level"][0], by_level[names[0]])


if __name__ == "__main__":
    main()

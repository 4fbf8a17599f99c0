#!/usr/bin/env python3
"""Builds the project files of tests/projects and checks every figure by other means.

    python3 tests/verify/trials.py --data DIR [--precompute target/release/precompute] [TRIAL…]

What precompute publishes is compared with tables read by pandas and DuckDB, joined by the few lines
of Python below: every indicator of 200 random areas of each level (all of them with --all) to 1e-12,
totals of départements with those the Ministry publishes, its wide file with the Parquet of the same
round, GDAL's view of each .fgb with the .arrow beside it. Prints CPU time and peak memory of each
build. Needs pandas, pyarrow, duckdb; ogr2ogr and /usr/bin/time when they are there.
"""

import argparse
import csv
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = ROOT / "tests" / "projects"
SAMPLE = 200
TOLERANCE = 1e-12
MIN_MATCH = {"pennsylvania": "0.85", "iris": "0.9"}
OVERSEAS = {"A": "971", "B": "972", "C": "973", "D": "974", "M": "976", "N": "988", "P": "987", "S": "975", "W": "986"}


# ── building ─────────────────────────────────────────────────────────────────────────────────────

def build(trial, binary, out):
    """Runs the build and returns its report, CPU seconds and peak memory in MB."""
    command = [binary, "build", str(PROJECTS / f"{trial}.toml"), "--out", str(out), "--json",
               "--min-match", MIN_MATCH.get(trial, "0.98")]
    measure = shutil.which("time") or "/usr/bin/time"
    if Path(measure).exists():
        command = [measure, "-f", "MEASURED %U %S %M %e", *command]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{trial}: exit {done.returncode}\n{done.stderr[-4000:]}")
    measured = re.search(r"MEASURED (\S+) (\S+) (\S+) (\S+)", done.stderr)
    user, system, peak, wall = map(float, measured.groups()) if measured else [math.nan] * 4
    print(f"{trial}: built in {user + system:.1f} s CPU, {wall:.1f} s, peak {peak / 1024:.0f} MB")
    return json.loads(done.stdout)


def published(out):
    """The manifest of the current version, and its directory."""
    version = out / "versions" / (out / "CURRENT").read_text().strip()
    return json.loads((version / "manifest.json").read_text()), version


def arrow(path):
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all().to_pandas()


# ── the same tables, read by others ──────────────────────────────────────────────────────────────

def expand(path, base):
    text = os.path.expandvars(str(path))
    return text if os.path.isabs(text) else str(base / text)


def divide_by_zero_is_missing(db):
    """DuckDB's versions name it differently."""
    for setting in ("ieee_floating_point_ops", "error_on_division_by_zero"):
        try:
            db.execute(f"set {setting} = false")
        except duckdb.Error:
            continue


def load_table(db, table, base):
    path = expand(table["path"], base)
    if table.get("format") == "interieur":
        stations, candidates = read_wide(path)
        db.register("_s", stations)
        db.register("_c", candidates)
        db.execute(f"create table {table['name']} as select * from _s")
        db.execute(f"create table {table['name']}_candidats as select * from _c")
    elif path.endswith(".parquet"):
        db.execute(f"create table {table['name']} as select * from read_parquet('{path}')")
    else:
        frame = pd.read_csv(
            path, sep=table.get("delimiter", ","), decimal=table.get("decimal", "."),
            na_values=table.get("missing", []), keep_default_na=False,
            dtype={c: str for c in table.get("text", [])}, encoding="utf-8-sig", low_memory=False,
        )
        for column in frame.columns:
            if not pd.api.types.is_numeric_dtype(frame[column]) and column not in table.get("text", []):
                cells = frame[column].astype(object).where(frame[column] != "", None)
                dotted = cells.map(lambda cell: cell.replace(table.get("decimal", "."), ".") if isinstance(cell, str) else cell)
                numbers = pd.to_numeric(dotted, errors="coerce")
                if numbers.notna().sum() == cells.notna().sum():
                    frame[column] = numbers
        frame = frame.loc[:, [not str(c).startswith("Unnamed") and str(c) != "" for c in frame.columns]]
        db.register("_t", frame)
        db.execute(f"create table {table['name']} as select * from _t")


def read_wide(path):
    """The Ministry's wide file of 2022, block by block of seven columns a candidate."""
    archive, member = path.split(".zip/")
    with zipfile.ZipFile(archive + ".zip") as z:
        lines = z.read(member).decode("latin-1").splitlines()
    stations, candidates = [], []
    for row in csv.reader(lines[1:], delimiter=";"):
        code = f"{row[0]}{row[4]}_{row[6]}"
        stations.append([code, int(row[7]), int(row[10]), int(row[12]), int(row[15]), int(row[18]), int(row[8])])
        for at in range(21, len(row), 7):
            if row[at + 2]:
                candidates.append([code, row[at + 2], int(row[at + 4])])
    return (pd.DataFrame(stations, columns=["code", "inscrits", "votants", "blancs", "nuls", "exprimes", "abstentions"]),
            pd.DataFrame(candidates, columns=["code", "nom", "voix"]))


# ── the same join, in a few lines ────────────────────────────────────────────────────────────────

def communes():
    merged, moved = {}, {}
    for line in (ROOT / "precompute" / "data" / "communes.txt").read_text().splitlines():
        kind, *codes = line.split(" ")
        if kind == "merged":
            merged.update({old: codes[0] for old in codes[1:]})
        elif kind == "moved":
            moved[codes[0]] = codes[1]
    return merged, moved


MERGED, MOVED = communes()


def overseas(code):
    found = re.fullmatch(r"Z([A-Z])(\d)(\d\d)", code)
    if not found:
        return code
    letter, first, rest = found.groups()
    department = {"7": "977", "8": "978"}.get(first) if letter == "X" else OVERSEAS.get(letter)
    return f"{department}{rest}" if department else code


def unit_of(key, units, rules):
    """The unit a table's key speaks of, or the key as the rules leave it."""
    if key is None or key in units:
        return key, key in units
    head, separator, tail = key.partition("_")
    if "overseas" in rules:
        key = overseas(head) + separator + tail
        if key in units:
            return key, True
    if "merged-communes" in rules and not tail:
        if MERGED.get(key) in units:
            return MERGED[key], True
        former = MOVED.get(key)
        group = [old for old, new in MERGED.items() if new == key]
        if former in units and not any(old in units for old in group if old != former):
            return former, True
    return key, False


def expected(db, layer, block, own, frames):
    """Figures of the block by level, from the rows: {level: DataFrame by key}; `attrs["whole"]` is of all units together."""
    columns = {name: c["sql"] for name, c in block["columns"].items()}
    keys = [k for (k,) in db.execute(
        f"select distinct cast(({block['key']}) as varchar) from {block['from']}").fetchall()]
    levels = layer["level"][own:]
    units = {level["name"]: set(frames[level["name"]]["key"]) for level in levels}
    parents = {level["name"]: dict(zip(frames[level["name"]]["key"], frames[level["name"]]["parent"]))
               for level in levels}
    rows = []
    for key in keys:
        left, is_unit = unit_of(key, units[levels[0]["name"]], block.get("rules", []))
        row = [key]
        for at, level in enumerate(levels):
            row.append(left if is_unit else None)
            if at + 1 == len(levels) or left is None:
                row.extend([None] * (len(levels) - at - 1))
                break
            above = levels[at + 1]["name"]
            parent = parents[level["name"]].get(left) if is_unit else key_parent(db, level, left)
            if not is_unit and left.startswith("ZZ"):
                parent = None
            left, is_unit = unit_of(parent, units[above], block.get("rules", [])) if parent else (None, False)
        rows.append(row)
    names = [f"u{i}" for i in range(len(levels))]
    db.register("_map", pd.DataFrame(rows, columns=["k", *names]))
    figures = {}
    select = ", ".join(f'{sql} as "{name}"' for name, sql in columns.items())
    for name, level in zip(names, levels):
        rows = (f"(select cast(({block['key']}) as varchar) as _k, * from {block['from']}) "
                f"join _map on k = _k where {name} is not null")
        figures[level["name"]] = db.execute(f"select {name} as key, {select} from {rows} group by {name}").df().set_index("key")
        figures[level["name"]].attrs["whole"] = db.execute(f"select {select} from {rows}").df().iloc[0].to_dict()
    db.unregister("_map")
    return figures


PARENTS = {}


def key_parent(db, level, key):
    """`parent` of a key that is no unit; nothing where it needs more than the key."""
    sql = level.get("parent")
    if sql is None:
        return None
    known = (sql, key)
    if known not in PARENTS:
        try:
            PARENTS[known] = db.execute(f"select ({sql}) from (select ? as key)", [key]).fetchall()[0][0]
        except duckdb.Error:
            PARENTS[known] = None
    return PARENTS[known]


# ── comparing ────────────────────────────────────────────────────────────────────────────────────

def same(a, b):
    missing_a, missing_b = pd.isna(a), pd.isna(b)
    if missing_a or missing_b:
        return bool(missing_a and missing_b)
    if isinstance(a, str) or isinstance(b, str):
        return str(a) == str(b)
    return abs(a - b) <= TOLERANCE * max(abs(a), abs(b))


def check_figures(trial, project, manifest, version, db, everything):
    compared = 0
    for layer in project["layer"]:
        meta = next(m for m in manifest["layers"] if m["name"] == layer["name"])
        frames = {level["name"]: arrow(version / level["arrow"]) for level in meta["levels"]}
        for level in layer["level"]:
            if "polygons" in level and any(level["name"] in re.findall(r"[\w-]+", b["from"]) for b in layer["indicators"]):
                register_polygons(db, level)
        for block in layer["indicators"]:
            names = [level["name"] for level in layer["level"]]
            own = names.index(block.get("level", names[0]))
            for name, figures in expected(db, layer, block, own, frames).items():
                frame = frames[name].set_index("key")
                keys = list(frame.index)
                sample = keys if everything else random.Random(7).sample(keys, min(SAMPLE, len(keys)))
                for key in sample:
                    for column in block["columns"]:
                        ours = frame.at[key, column]
                        theirs = figures.at[key, column] if key in figures.index else None
                        if not same(ours, theirs):
                            sys.exit(f"{trial}: {name} {key} {column}: {ours!r}, expected {theirs!r}")
                        compared += 1
    print(f"{trial}: {compared} figures equal to {TOLERANCE}")


def register_polygons(db, level):
    import geopandas
    path = expand(level["polygons"]["path"], PROJECTS)
    frame = geopandas.read_file(f"zip://{path}" if path.endswith(".zip") else path, ignore_geometry=True)
    db.register("_p", frame)
    name = '"' + level["name"] + '"'
    db.execute(f"create or replace table {name} as select ({level['key']}) as key, * from _p")


def check_gdal(trial, manifest, version):
    """GDAL opens each .fgb and finds the rows, in order, with the figures of the .arrow."""
    if not shutil.which("ogr2ogr"):
        return print(f"{trial}: GDAL is not installed, its view is not compared")
    for layer in manifest["layers"]:
        for level in layer["levels"]:
            frame = arrow(version / level["arrow"])
            with tempfile.TemporaryDirectory() as folder:
                target = Path(folder) / "attributes.csv"
                subprocess.run(["ogr2ogr", "-f", "CSV", str(target), str(version / level["fgb"])], check=True)
                theirs = pd.read_csv(target, dtype={c: str for c in ("key", "name", "parent")}, keep_default_na=False, na_values=[""])
            assert len(theirs) == len(frame) == level["rows"], (trial, level["name"], len(theirs))
            public = [i["name"] for i in layer["indicators"] if not i.get("hidden") and i["name"] in frame]
            for column in ["key", "name", "id", "parent", *public]:
                for ours, gdal in zip(frame[column], theirs[column]):
                    close = same(ours, gdal) or (not isinstance(ours, str) and not pd.isna(gdal) and abs(ours - gdal) <= 1e-14 * abs(ours))
                    if not close and not (ours == "" and pd.isna(gdal)):
                        sys.exit(f"{trial}: GDAL reads {column} {gdal!r}, the columns hold {ours!r}")
    print(f"{trial}: GDAL reads the same rows and figures")


# Communes of 2018 that lie in one département while a round counts them, or what merged into them, in the
# other: Freigné and Le Fresne-sur-Loire, Pont-Farcy, Cormicy. The two départements are compared together.
CROSSED = {key: pair for pair in ("44+49", "14+50", "02+51") for key in pair.split("+")}


def check_departments(manifest, version, db):
    """Départements sum up to what the Ministry publishes for them."""
    frame = arrow(version / manifest["layers"][0]["levels"][1]["arrow"]).set_index("key")
    code = {"ZA": "971", "ZB": "972", "ZC": "973", "ZD": "974", "ZM": "976"}
    for column in [c for c in frame.columns if c.endswith("_registered")]:
        table = column.removesuffix("registered") + "t"
        official = dict(db.execute(f"select code, inscrits from {table} where maille = 'departements'").fetchall())
        if "97" in official:
            # In 2024 the source lumps the overseas départements together.
            continue_at = [k for k in frame.index if k.startswith("97")]
            known = db.execute(f"select sum(inscrits) from {table} where maille = 'communes' and code[:3] in ('971', '972', '973', '974', '976')").fetchall()[0][0]
            assert frame.loc[continue_at, column].sum() == known, column
        totals = {}
        for key, registered in official.items():
            key = code.get(key, key)
            if key in frame.index:
                group = CROSSED.get(key, key)
                ours, theirs = totals.get(group, (0, 0))
                totals[group] = (ours + frame.at[key, column], theirs + registered)
        for group, (ours, theirs) in totals.items():
            assert ours == theirs, (column, group, ours, theirs)
    print("france-communes: départements equal the official totals of every round")


def check_unexplained(trial, report):
    for layer in report["layers"]:
        for join in layer["joins"]:
            count = join["orphan_reasons"].get("unexplained", 0)
            assert count == 0, (trial, join["from"], [o for o in join["orphans"] if o["reason"] == "unexplained"][:20])
    print(f"{trial}: no orphan is unexplained")


def check_ministry(manifest, version, data):
    """The wide file gives what the Parquet of the same round gives, to the vote."""
    frame = arrow(version / manifest["layers"][0]["levels"][0]["arrow"]).set_index("key")
    base = f"{data}/fr-bureaux-vote/resultats/presid-2022-t2_bureaux"
    stations = pd.read_parquet(f"{base}_territoires.parquet").set_index("code")
    votes = pd.read_parquet(f"{base}_candidats.parquet").pivot(index="code", columns="label", values="voix")
    for ours, theirs in (("registered", "inscrits"), ("voters", "votants"), ("blank", "blancs"), ("spoilt", "nuls"), ("valid", "exprimes")):
        assert (frame[ours] == stations.loc[frame.index, theirs]).all(), ours
    for ours, theirs in (("macron", "MACRON"), ("le_pen", "LE PEN")):
        assert (frame[ours] == votes.loc[frame.index, theirs]).all(), ours
    print(f"france-bureaux: {len(frame)} stations of the Ministry's wide file equal the Parquet to the vote")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("MAILLE_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--precompute", default=ROOT / "target" / "release" / "precompute")
    parser.add_argument("--all", action="store_true", help="compare every area instead of a sample")
    parser.add_argument("trials", nargs="*", default=["paris", "france-communes", "france-bureaux", "iris", "minnesota", "pennsylvania"])
    args = parser.parse_args()
    os.environ["MAILLE_DATA"] = str(args.data)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if "pennsylvania" in args.trials:
            with tarfile.open(f"{args.data}/us-pa-vtd/pa-vtd-2010-par-comte-geojson.tar.xz") as archive:
                archive.extractall(folder, filter="data")
            os.environ["MAILLE_PENNSYLVANIA"] = str(folder / "pa")
        for trial in args.trials:
            report = build(trial, str(args.precompute), folder / trial)
            manifest, version = published(folder / trial)
            project = tomllib.loads((PROJECTS / f"{trial}.toml").read_text())
            db = duckdb.connect()
            divide_by_zero_is_missing(db)
            for table in project.get("table", []):
                load_table(db, table, PROJECTS)
            check_figures(trial, project, manifest, version, db, args.all)
            check_gdal(trial, manifest, version)
            if trial in ("paris", "france-communes", "minnesota"):
                check_unexplained(trial, report)
            if trial == "france-communes":
                check_departments(manifest, version, db)
            if trial == "france-bureaux":
                check_ministry(manifest, version, args.data)
            shutil.rmtree(folder / trial)


if __name__ == "__main__":
    main()

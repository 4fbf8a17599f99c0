#!/usr/bin/env python3
"""Vote transfers between the rounds of 2022 over all polling stations of France.

    python3 tests/verify/transfers.py --data DIR [--precompute target/release/precompute] [--resamples 200]

Writes both rounds as tables of counts, a row a station, runs `precompute transfers` over them, prints
shares of each candidate's voters with their 5–95 % interval, and what the run took. Needs duckdb.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

ROUNDS = {
    1: ["ARTHAUD", "ROUSSEL", "MACRON", "LASSALLE", "LE PEN", "ZEMMOUR", "MÉLENCHON", "HIDALGO",
        "JADOT", "PÉCRESSE", "POUTOU", "DUPONT-AIGNAN"],
    2: ["MACRON", "LE PEN"],
}


def write(data, number, out):
    """A row a station: votes, and everybody who voted for none."""
    results = Path(data) / "fr-bureaux-vote" / "resultats"
    stations = results / f"presid-2022-t{number}_bureaux_territoires.parquet"
    votes = results / f"presid-2022-t{number}_bureaux_candidats.parquet"
    counts = ", ".join(
        f"sum(voix) filter (label = '{name}') as \"{name.lower()}\"" for name in ROUNDS[number])
    labels = ", ".join(f"'{name}'" for name in ROUNDS[number])
    unknown = duckdb.sql(f"select distinct label from '{votes}' where label not in ({labels})").fetchall()
    if unknown:
        sys.exit(f"round {number}: candidates that are in no column: {unknown}")
    duckdb.sql(f"""
        copy (select s.code, v.* exclude (code), s.inscrits - s.exprimes as nobody
              from '{stations}' s join (select code, {counts} from '{votes}' group by code) v using (code)
              order by s.code)
        to '{out}' (header, delimiter ';')""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--precompute", default="target/release/precompute")
    parser.add_argument("--resamples", default="200")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tables = [f"{folder}/t{number}.csv" for number in ROUNDS]
        for number, table in zip(ROUNDS, tables):
            write(args.data, number, table)
        command = [args.precompute, "transfers", *tables, "--key", "code", "--json",
                   "--resamples", args.resamples]
        measured = ["/usr/bin/time", "-f", "MEASURED %U %S %M %e", *command]
        done = subprocess.run(measured, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
    user, system, peak, wall = map(float, re.search(r"MEASURED (\S+) (\S+) (\S+) (\S+)", done.stderr).groups())
    found = json.loads(done.stdout)
    width = max(map(len, found["from"]))
    print(f"{'':{width}} {'votes':>11}", *(f"{to:>22}" for to in found["to"]))
    for row in found["from"]:
        votes = sum(found["matrix"][row].values())
        cells = []
        for to in found["to"]:
            low, high = (100 * v / votes for v in found["interval_5_95"][row][to]) if votes else (0, 0)
            cells.append(f"{100 * found['shares'][row][to]:5.1f} % [{low:4.1f}–{high:4.1f}]".rjust(22))
        print(f"{row:{width}} {votes:11.0f}", *cells)
    print(f"{found['units']} stations, {100 * found['coverage']:.2f} % of votes, heterogeneity "
          f"{100 * found['heterogeneity']:.1f} %, corners {found['corners']}")
    print(f"{user + system:.1f} s CPU, {wall:.1f} s, peak {peak / 1024:.0f} MB")


if __name__ == "__main__":
    main()

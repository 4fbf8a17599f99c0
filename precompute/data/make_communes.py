#!/usr/bin/env python3
"""Writes communes.txt from the npm package @etalab/decoupage-administratif.

    python3 make_communes.py > communes.txt

Every vintage is fetched with `npm pack`. Merged codes are those of the newest vintage; older ones
tell which codes once belonged to another commune and are communes again.
"""

import json
import subprocess
import tarfile
import tempfile

PACKAGE = "@etalab/decoupage-administratif"
VINTAGES = ["0.7.0", "1.1.1", "2.3.1", "3.1.1", "4.1.0", "5.3.0", "6.0.0"]


def communes(vintage, folder):
    """Current communes of a vintage and, for each code that was merged, the commune it is in."""
    name = subprocess.run(
        ["npm", "pack", "--silent", f"{PACKAGE}@{vintage}"],
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout.strip()
    with tarfile.open(f"{folder}/{name}") as archive:
        entries = json.load(archive.extractfile("package/data/communes.json"))
    current = {e["code"]: e for e in entries if e["type"] == "commune-actuelle"}
    merged = {e["code"]: e["chefLieu"] for e in entries if e.get("chefLieu", e["code"]) != e["code"]}
    merged |= {old: code for code, e in current.items() for old in e.get("anciensCodes", [])}
    return current, merged


def main():
    with tempfile.TemporaryDirectory() as folder:
        vintages = [communes(vintage, folder) for vintage in VINTAGES]
    current, merged = vintages[-1]
    groups, split, moved = {}, {}, {}
    for old, code in merged.items():
        groups.setdefault(code, []).append(old)
    for _, former in vintages[:-1]:
        for code, parent in former.items():
            if code in current and merged.get(parent) == code:
                moved[code] = parent
            elif code in current and parent in current:
                split[code] = parent
    print(f"# {PACKAGE} {VINTAGES[-1]} (MIT; data: INSEE, Licence Ouverte 2.0), by make_communes.py")
    print("# merged: commune, then the codes it has absorbed")
    for code in sorted(groups):
        print("merged", code, *sorted(groups[code]))
    print("# moved: commune, then the code it had before, now that of one of its parts")
    for code in sorted(moved):
        print("moved", code, moved[code])
    print("# split: commune, then the one it was part of for a while")
    for code in sorted(split):
        print("split", code, split[code])
    print("# empty: communes without an inhabitant")
    print("empty", *sorted(c for c, e in current.items() if e.get("population") == 0))


if __name__ == "__main__":
    main()

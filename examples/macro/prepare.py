"""Writes what statsmodels ships of the United States' economy and of the air on Mauna Loa as two datasets.

    python examples/macro/prepare.py FOLDER

Each gets a CSV file with a manifest: FOLDER/macro (203 quarters, 1959 to 2009) and FOLDER/co2 (2,284 weeks,
1958 to 2001, of which some have no value). The package's files are read, and it is never imported.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

COLUMNS = {"realgdp": "realgdp", "realcons": "realcons", "unemp": "unemp", "infl": "infl"}


def shipped(name: str) -> list[dict[str, str]]:
    """The rows of one of the package's series."""
    spec = find_spec("statsmodels")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("statsmodels is not installed: pip install statsmodels")
    file = Path(spec.submodule_search_locations[0], "datasets", name, f"{name}.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def macro() -> Iterable[list[str]]:
    """Quarters by their first day."""
    yield ["date", *COLUMNS]
    for row in shipped("macrodata"):
        month = 3 * int(float(row["quarter"])) - 2
        yield [f"{int(float(row['year'])):04}-{month:02}-01", *(row[name] for name in COLUMNS)]


def co2() -> Iterable[list[str]]:
    """Weeks by their Saturday."""
    yield ["date", "co2"]
    for row in shipped("co2"):
        day = row["date"]
        yield [f"{day[:4]}-{day[4:6]}-{day[6:]}", row["co2"]]


def write(folder: Path, name: str, rows: Iterable[list[str]]) -> int:
    """Writes a dataset's only version; how many rows it has."""
    kept = list(rows)
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(kept)
    manifest = {
        "format": "csv",
        "date": "date",
        "files": [{"path": f"{name}.csv", "rowCount": len(kept) - 1}],
    }
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return len(kept) - 1


def definitions(prefix: str) -> dict[str, object]:
    """The datasets below a prefix, and the metrics over them."""
    text = (Path(__file__).parent / "definitions.json").read_text(encoding="utf-8")
    found: dict[str, object] = json.loads(text.replace("PREFIX/", prefix))
    return found


def main(folder: Path) -> None:
    """Writes both datasets and the definitions over them."""
    for name, rows in (("macro", macro()), ("co2", co2())):
        count = write(folder, name, rows)
        sys.stdout.write(f"{folder / name}: {count:,} rows\n")
    told = definitions(f"{folder.resolve().as_uri()}/")
    (folder / "definitions.json").write_text(json.dumps(told, indent=2), encoding="utf-8")
    sys.stdout.write(f"{folder / 'definitions.json'}: 2 datasets, 5 metrics\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

"""Fails when the last test run visited less than 90 % of the lines, or of the branches, below http/."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import coverage

LEAST_PERCENT = 90.0


def visited() -> dict[str, float]:
    """Per cent of lines and of branches that `.coverage` saw; what was missed is printed file by file."""
    recorded = coverage.Coverage()
    recorded.load()
    recorded.report()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        recorded.json_report(outfile=str(path))
        totals = json.loads(path.read_text(encoding="utf-8"))["totals"]
    return {"lines": totals["percent_statements_covered"], "branches": totals["percent_branches_covered"]}


def main() -> int:
    """0 when lines and branches each reach the least per cent."""
    short = 0
    for name, percent in visited().items():
        print(f"{name} below http/: {percent:.2f} % visited, at least {LEAST_PERCENT:.0f} % wanted")
        short += percent < LEAST_PERCENT
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())

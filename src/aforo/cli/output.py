"""How answers and errors are written: tables for people, JSON as HTTP has it, CSV for spreadsheets.

rich is imported where it is used: a server is ready a tenth of a second earlier without it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aforo.errors import AforoError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Json = Mapping[str, Any]
UNBOUNDED = 10_000  # characters in a line


class Format(StrEnum):
    """The ways to write."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"


OF_ANSWERS: Mapping[Format, str] = {
    Format.CSV: "text/csv",
    Format.ARROW: "application/vnd.apache.arrow.stream",
    Format.PARQUET: "application/vnd.apache.parquet",
}
"""What `aforo ask` writes as it would come over HTTP; nothing else writes Arrow and Parquet."""


def out() -> Console:
    """Where answers go; what no person's window bounds is as wide as it must be."""
    from rich.console import Console

    bounded = sys.stdout.isatty()
    width = None if bounded else UNBOUNDED
    return Console(file=sys.stdout, highlight=False, soft_wrap=not bounded, width=width)


def err() -> Console:
    """Where progress and complaints go."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


def complain(error: AforoError) -> None:
    """An error for a person: what is wrong, every fault that this does not say already, and what to do."""
    from rich.markup import escape

    console = err()
    console.print(f"[bold red]error[/]: {escape(error.detail)}", soft_wrap=True)
    for fault in error.faults:
        if fault.line is None and fault.message in error.detail:
            continue  # said already
        console.print(f"  {escape(str(fault))}", soft_wrap=True)
    if error.hint:
        console.print(f"[bold]hint[/]: {escape(error.hint)}", soft_wrap=True)


def write(reply: Json, format_: Format, columns: Sequence[str], rows: Sequence[Json]) -> None:
    """A reply in full as JSON, or its rows as a table or CSV."""
    if format_ is Format.JSON:
        sys.stdout.write(json.dumps(reply, ensure_ascii=False, indent=2) + "\n")
    elif format_ is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_plain(row.get(name)) for name in columns] for row in rows)
    else:
        out().print(table_of(columns, rows))


def table_of(columns: Sequence[str], rows: Sequence[Json], units: Mapping[str, str] | None = None) -> Table:
    """A table whose numbers stand to the right."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in columns:
        numeric = any(_is_number(row.get(name)) for row in rows)
        unit = (units or {}).get(name)
        head, side = f"{name} ({unit})" if unit else name, "right" if numeric else "left"
        # Folded where there is no room: a number that is cut off would be another number.
        table.add_column(head, justify=side, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(escape(shown(row.get(name))) for name in columns))
    return table


def shown(value: object) -> str:
    """A value for people: thousands set apart, six decimals at most, a dash for null."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return "\n".join(map(_bin, value))
    return str(value)


def _bin(each: Json) -> str:
    """How many values lie where in a distribution, with bounds of four digits or all before the point."""
    low, high = each["from"], each["to"]
    where = "0" if low < 0 < high else f"{_bound(low)} to {_bound(high)}"
    return f"{where}: {each['count']:,}"


def _bound(value: float) -> str:
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:.4g}"


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value)
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

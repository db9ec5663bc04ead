"""An answer as bytes: JSON, CSV (RFC 4180), an Arrow stream or a Parquet file, each with its proof.

CSV has its proof beside it, where what carries it has a place for that. A text that a spreadsheet might take
for a formula has an apostrophe put before it, and so has one that begins with an apostrophe: whoever takes
one away has the value. Texts stand in quotes and nulls are nothing at all, so that both can be told apart.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from aforo.errors import NotServable
from aforo.questions.answer import Answer, Column
from aforo.questions.question import OTHER, PARTIAL
from aforo.questions.rows import Cell
from aforo.windows import parse_instant

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"

MOST_BYTES = 4_096
"""Of what stands in a header: many a proxy turns a longer one away."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_BARE = ("date", "instant", "timestamp")  # texts that hold nothing to be quoted
_CORE = (
    *("source", "rollup", "rollupHash", "rowsRead", "completeUntil", "staleSeconds", "timezone"),
    *("modelVersion", "commit", "revision", "tookMs"),
)
_BINS = pa.list_(pa.struct([("from", pa.float64()), ("to", pa.float64()), ("count", pa.int64())]))


def as_csv(answer: Answer) -> bytes:
    """A line of names, then a line for each row, in UTF-8, each ended by CR and LF."""
    columns = [(column.name, column.type in _BARE) for column in answer.columns]
    names = [name for name, _ in columns]
    lines = [names, *([_text(row.get(name), bare=bare) for name, bare in columns] for row in answer.rows)]
    return "".join(",".join(line) + "\r\n" for line in lines).encode()


def as_arrow(answer: Answer) -> bytes:
    """A stream of one batch, whose schema's metadata has what `table_of` puts there."""
    table, sink = table_of(answer), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def as_parquet(answer: Answer) -> bytes:
    """A file of one row group, whose metadata has what `table_of` puts there."""
    sink = io.BytesIO()
    pq.write_table(table_of(answer), sink)
    return sink.getvalue()


WRITERS: Mapping[str, Callable[[Answer], bytes]] = MappingProxyType(
    {
        JSON: lambda answer: msgspec.json.encode(answer.as_json()),
        CSV: as_csv,
        ARROW: as_arrow,
        PARQUET: as_parquet,
    }
)
"""By media type; the first where it does not matter."""


def table_of(answer: Answer) -> pa.Table:
    """The rows with a type for each column; proof, totals and comparison stand in the metadata as JSON.

    Units are in the metadata of the fields.
    Raises NotServable for an integer that has more than 64 bits.
    """
    fields = [
        pa.field(column.name, _type(column, answer), metadata={"unit": column.unit} if column.unit else None)
        for column in answer.columns
    ]
    told = answer.as_json()
    beside = {name: json.dumps(told[name]) for name in ("proof", "totals", "comparison") if told[name]}
    schema = pa.schema(fields, {f"aforo.{name}": text for name, text in beside.items()})
    columns = [
        _array(column, [row.get(column.name) for row in answer.rows], field.type)
        for column, field in zip(answer.columns, fields, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def compact(proof: Mapping[str, object]) -> str:
    """A proof for a header: without what was considered, and where that is too long its core."""
    core = {name: proof[name] for name in _CORE if name in proof}
    return in_a_line(_without_considered(proof), core)


def in_a_line(told: object, core: Mapping[str, object]) -> str:
    """Something as one line of ASCII within the bound, else its core, which then says `shortened`."""
    whole = json.dumps(told, separators=(",", ":"))
    return (
        whole if len(whole) <= MOST_BYTES else json.dumps({**core, "shortened": True}, separators=(",", ":"))
    )


def _without_considered(told: object) -> object:
    if not isinstance(told, Mapping):
        return told
    return {name: _without_considered(value) for name, value in told.items() if name != "considered"}


def _text(cell: Cell, *, bare: bool) -> str:
    """A cell of CSV, a text in quotes unless its column is `bare`."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case int() | float():
            return repr(cell)
        case list():
            text = json.dumps(cell)
        case _ if bare:
            return cell
        case _:
            text = f"'{cell}" if cell.startswith(_FORMULAS) else cell
    return '"' + text.replace('"', '""') + '"'


def _type(column: Column, answer: Answer) -> pa.DataType:
    zone = answer.proof.zone.name
    types = {
        "date": pa.date32(),
        "instant": pa.timestamp("us", zone),
        "timestamp": pa.timestamp("us", zone),
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "distribution": _BINS,
    }
    return types[column.type]


def _array(column: Column, cells: Sequence[Cell], kind: pa.DataType) -> pa.Array:
    if column.name in (PARTIAL, OTHER):
        return pa.array([bool(cell) for cell in cells], kind)  # the rows name these marks where they hold
    if column.type == "date":
        return pa.array([date.fromisoformat(str(cell)) for cell in cells], kind)
    if column.type in ("instant", "timestamp"):
        instants = [None if cell is None else parse_instant(str(cell)) for cell in cells]
        return pa.array(instants, pa.int64()).cast(kind)
    try:
        return pa.array(cells, kind)
    except (pa.ArrowInvalid, OverflowError) as error:
        raise NotServable(
            f"{column.name} holds an integer beyond 64 bits, which this format has no room for",
            hint="ask for JSON or CSV",
        ) from error

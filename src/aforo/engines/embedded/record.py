"""One commit on its way through the journal: all that the tables will be given of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.outcomes import Outcome
from aforo.engines.refused import Sample
from aforo.model.stream import Entity
from aforo.model.tenant import Tenant
from aforo.windows import SLOT

KEYS = ("tenant", "id", "time", "untimed")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Mark:
    """A slot that rows of a stream and tenant dirtied, and how many they were."""

    stream: str
    tenant: str
    slot: int
    events: int


@dataclass(frozen=True, slots=True)
class RecordRows:
    """New rows of a stream as they came; the entities are those of its model then, whatever it is later.

    `rows` has the columns of `KEYS`, then fields.
    """

    stream: str
    entities: tuple[Entity, ...]
    rows: pa.Table

    @property
    def fields(self) -> list[str]:
        return [name for name in self.rows.column_names if name not in KEYS]

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The slots that the rows touch."""
        tenants = self.rows["tenant"].combine_chunks().dictionary_encode()
        slots = pc.cast(self.rows["time"], pa.int64()).to_numpy() // SLOT
        names = tenants.dictionary.to_pylist()
        codes = tenants.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        pairs, counts = np.unique(slots * len(names) + codes, return_counts=True)
        return tuple(
            Mark(self.stream, names[pair % len(names)], pair // len(names) * SLOT, count)
            for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
        )


@dataclass(frozen=True, slots=True)
class Record:
    """A commit: its number, when it was made (microseconds), and everything that goes with it.

    `tenants` are those that it names first.
    """

    number: int
    arrival: int
    rows: tuple[RecordRows, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    samples: tuple[Sample, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    marks: tuple[Mark, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "marks", tuple(mark for rows in self.rows for mark in rows.marks))

    @property
    def size(self) -> int:
        """How many rows it brings."""
        return sum(rows.rows.num_rows for rows in self.rows)


class _Head(msgspec.Struct, array_like=True):
    """What stands before the rows; they follow one stream after the other."""

    number: int
    arrival: int
    streams: list[tuple[str, list[tuple[str, str]], int]]
    outcomes: list[Outcome]
    samples: list[Sample]
    tenants: list[Tenant]


def encoded(record: Record) -> bytes:
    """The record as bytes that `decoded` reads."""
    bodies = [_encoded_rows(each.rows) for each in record.rows]
    head = msgspec.msgpack.encode(
        _Head(
            record.number,
            record.arrival,
            [
                (each.stream, [(entity.name, entity.field) for entity in each.entities], len(body))
                for each, body in zip(record.rows, bodies, strict=True)
            ],
            list(record.outcomes),
            list(record.samples),
            list(record.tenants),
        )
    )
    return b"".join((_LENGTH.pack(len(head)), head, *bodies))


def decoded(data: bytes) -> Record:
    """The record that was encoded."""
    (length,) = _LENGTH.unpack_from(data)
    at = _LENGTH.size + length
    head = msgspec.msgpack.decode(data[_LENGTH.size : at], type=_Head)
    rows: list[RecordRows] = []
    for stream, entities, size in head.streams:
        table = pa.ipc.open_stream(data[at : at + size]).read_all()
        rows.append(RecordRows(stream, tuple(Entity(name=name, field=of) for name, of in entities), table))
        at += size
    return Record(
        head.number,
        head.arrival,
        tuple(rows),
        tuple(head.outcomes),
        tuple(head.samples),
        tuple(head.tenants),
    )


def _encoded_rows(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())

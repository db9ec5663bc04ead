"""What one commit is asked to keep, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.refused import Sample
from aforo.model.stream import Stream

UNKNOWN = "?"


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """Whose each row of a stream is: a code a row, and the tenants that the codes stand for."""

    codes: npt.NDArray[np.int64]
    tenants: list[str]

    @classmethod
    def of(cls, rows: pa.Table) -> Owners:
        encoded = rows["tenant"].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(codes, encoded.dictionary.to_pylist())

    def count(self, chosen: npt.NDArray[np.bool_]) -> Iterator[tuple[str, int]]:
        """How many of the chosen rows each tenant has, where it has any."""
        counts = np.bincount(self.codes[chosen], minlength=len(self.tenants))
        for code in np.flatnonzero(counts).tolist():
            yield self.tenants[code], int(counts[code])


@dataclass(frozen=True, slots=True)
class StreamRows:
    """Events of one stream as columns, every one of them fit to be kept.

    `rows` has `tenant` and `id` (strings), `time` (naive UTC microseconds), `untimed` (the sender gave no
    time, so it is the arrival's) and a column for each field of the stream that came.
    """

    stream: Stream
    rows: pa.Table
    owners: Owners = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "owners", Owners.of(self.rows))


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many events were refused with a code; `?` for an unknown name."""

    stream: str
    tenant: str
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Volume:
    """How many bytes were brought for a stream and tenant, whatever became of its events."""

    stream: str
    tenant: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Append:
    """What one commit is asked to keep; `arrival` is in microseconds.

    Refusals count for the tenants that events or the `owners` of senders have named, else for `?`.
    """

    rows: tuple[StreamRows, ...]
    refused: tuple[OutcomeCount, ...]
    arrival: int
    volumes: tuple[Volume, ...] = ()
    samples: tuple[Sample, ...] = ()
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Commit:
    """A durable transaction: `fresh[i]` tells which of the i-th stream's rows were not there before.

    `dirty_from` is the start of the earliest slot that waits for a fold, by stream and tenant of the rows.
    `sealed[i]` are the i-th stream's rows that were older than a seal, and that seal; none of them is kept.
    """

    number: int
    fresh: tuple[npt.NDArray[np.bool_], ...]
    dirty_from: Mapping[tuple[str, str], int]
    sealed: tuple[Mapping[int, int], ...] = ()

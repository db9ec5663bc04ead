"""An answer as it is kept: everything but what must be told anew whenever it is given out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from aforo.clock import MICROSECONDS
from aforo.questions.answer import Answer, Column
from aforo.questions.proof import Freshness, Proof, Reads
from aforo.windows import Zone

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
Unpack: TypeAlias = Callable[[bytes], S | None]
"""From bytes to what is kept; None where they are of something else, as what another version has left is."""


class KeptProof(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A proof without its zone, its freshness, its guard and how long it took; `read_at` in microseconds."""

    read_at: int
    reads: dict[str, Reads]
    exact: dict[str, Any]
    sealed_until: int | None
    unmeasured_until: dict[str, int]
    model_version: str
    simulated: bool

    @classmethod
    def of(cls, proof: Proof, read_at: int) -> KeptProof:
        """What is kept of the proof of an answer that was begun to be read at an instant."""
        return cls(
            read_at=read_at,
            reads=_plain(proof.reads),
            exact=_plain(proof.exact),
            sealed_until=proof.sealed_until,
            unmeasured_until=_plain(proof.unmeasured_until),
            model_version=proof.model_version,
            simulated=proof.simulated,
        )

    def told(self, zone: Zone, freshness: Freshness, now: int, took_seconds: float) -> Proof:
        """The proof as it is given out, with how fresh the answer is now and how long ago it was read."""
        return Proof(
            reads=self.reads,
            freshness=freshness,
            exact=self.exact,
            zone=zone,
            sealed_until=self.sealed_until,
            unmeasured_until=self.unmeasured_until,
            model_version=self.model_version,
            took_seconds=took_seconds,
            simulated=self.simulated,
            age_seconds=max(0, now - self.read_at) / MICROSECONDS,
        )


class WithProof(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What is kept of an answer, whatever was asked."""

    proof: KeptProof


K = TypeVar("K", bound=WithProof)


class Kept(WithProof, frozen=True, array_like=True, kw_only=True):
    """The answer of a query."""

    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    totals: dict[str, Any] | None
    comparison: dict[str, Any] | None
    sql: tuple[str, ...]

    @classmethod
    def of(cls, answer: Answer, read_at: int) -> Kept:
        """What is kept of an answer that was begun to be read at an instant."""
        return cls(
            proof=KeptProof.of(answer.proof, read_at),
            columns=answer.columns,
            rows=answer.rows,
            totals=answer.totals,
            comparison=answer.comparison,
            sql=answer.sql,
        )

    def told(self, proof: Proof) -> Answer:
        """The answer as it is given out."""
        return Answer(self.columns, self.rows, self.totals, self.comparison, proof, self.sql)


def packed(kept: msgspec.Struct) -> bytes | None:
    """As bytes; None for an answer with a whole number that they have no place for (64 bits)."""
    try:
        return _ENCODER.encode(kept)
    except OverflowError:
        return None


def unpacking(kind: type[S]) -> Unpack[S]:
    """How answers of a kind come from bytes."""
    decoder = msgspec.msgpack.Decoder(kind)

    def unpack(value: bytes) -> S | None:
        try:
            return decoder.decode(value)
        except msgspec.MsgspecError:
            return None

    return unpack


_ENCODER = msgspec.msgpack.Encoder()
unpacked = unpacking(Kept)


@dataclass(frozen=True, slots=True)
class Form(Generic[T, K]):
    """One kind of answer: what is kept of one that was begun to be read at an instant, and how it is told."""

    keep: Callable[[T, int], K]
    unpack: Unpack[K]
    tell: Callable[[K, Proof], T]


ANSWERS = Form(Kept.of, unpacked, Kept.told)


@dataclass(frozen=True, slots=True)
class Anew:
    """What of a kept answer's proof is of now; `begun` is the monotonic clock's when it was asked."""

    zone: Zone
    freshness: Freshness
    begun: float


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(mapping)

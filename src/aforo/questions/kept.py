"""An answer as it is kept: everything but what must be told anew whenever it is given out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from aforo.clock import MICROSECONDS
from aforo.questions.answer import Answer, Column
from aforo.questions.proof import Freshness, Proof, Reads
from aforo.windows import Zone


class Kept(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An answer without its zone, its freshness and how long it took; `read_at` in microseconds."""

    read_at: int
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    totals: dict[str, Any] | None
    comparison: dict[str, Any] | None
    reads: dict[str, Reads]
    exact: dict[str, Any]
    sealed_until: int | None
    unmeasured_until: dict[str, int]
    model_version: str
    simulated: bool
    sql: tuple[str, ...]

    @classmethod
    def of(cls, answer: Answer, read_at: int) -> Kept:
        """What is kept of an answer that was begun to be read at an instant."""
        proof = answer.proof
        return cls(
            read_at=read_at,
            columns=answer.columns,
            rows=answer.rows,
            totals=answer.totals,
            comparison=answer.comparison,
            reads=_plain(proof.reads),
            exact=_plain(proof.exact),
            sealed_until=proof.sealed_until,
            unmeasured_until=_plain(proof.unmeasured_until),
            model_version=proof.model_version,
            simulated=proof.simulated,
            sql=answer.sql,
        )

    def answer(self, zone: Zone, freshness: Freshness, now: int, took_seconds: float) -> Answer:
        """The answer as it is given out, with how fresh it is now and how long ago it was read."""
        proof = Proof(
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
        return Answer(self.columns, self.rows, self.totals, self.comparison, proof, self.sql)


def packed(kept: Kept) -> bytes | None:
    """As bytes; None for an answer with a whole number that they have no place for (64 bits)."""
    try:
        return _ENCODER.encode(kept)
    except OverflowError:
        return None


def unpacked(value: bytes) -> Kept | None:
    """Of bytes; None where they are of something else, as what another version has left is."""
    try:
        return _DECODER.decode(value)
    except msgspec.MsgspecError:
        return None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Kept)


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(mapping)

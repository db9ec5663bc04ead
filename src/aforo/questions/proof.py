"""The evidence in an answer: what was read, how fresh it is, and how exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, TypeVar

from aforo.clock import MICROSECONDS
from aforo.engines.reads import Standing, States
from aforo.model.stream import Stream
from aforo.model.version import rollup_hash
from aforo.questions.plan import Considered, Plan
from aforo.windows import Zone

Json = object


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one window was read from: a rollup with its hash and the grains of its rows, or the raw events.

    `kind` is `rollup`, `ledger` where the rollup's rows are the engine's own counts of arrivals, or `raw`.
    """

    kind: str
    rollup: str | None
    hash: str | None
    reason: str  # why raw; empty for a rollup
    grains: tuple[str, ...]
    rows_read: int
    considered: tuple[Considered, ...]
    seen_before: Source | None = None  # what told new from returning, where that was asked
    also_read: tuple[Source, ...] = ()  # what else a funnel was told by
    stream: str = ""  # whose rollup or events, where a funnel is of several streams

    @classmethod
    def of(cls, plan: Plan, stream: Stream, states: States, seen_before: Source | None = None) -> Source:
        """The source that a plan names, with the rows that were read of it."""
        rollup = plan.rollup
        kind = "ledger" if stream.ledger else "rollup"
        return cls(
            kind="raw" if rollup is None else kind,
            rollup=None if rollup is None else rollup.name,
            hash=None if rollup is None else rollup_hash(stream, rollup),
            reason=plan.reason,
            grains=tuple(str(grain) for grain in states.periods or plan.grains),
            rows_read=states.rows_read,
            considered=plan.considered,
            seen_before=seen_before,
        )

    def brief(self) -> dict[str, Json]:
        """Without the rollups that were considered."""
        return {name: value for name, value in self.as_json().items() if name != "considered"}

    def as_json(self) -> dict[str, Json]:
        """With only the keys that its kind has."""
        read: dict[str, Json] = (
            {"source": self.kind, "reason": self.reason}
            if self.rollup is None
            else {
                "source": self.kind,
                "rollup": self.rollup,
                "rollupHash": self.hash,
                "grains": list(self.grains),
            }
        )
        considered = [
            {"rollup": each.rollup, "chosen": each.chosen, "why": each.why} for each in self.considered
        ]
        beside: dict[str, Json] = {"stream": self.stream} if self.stream else {}
        if self.seen_before is not None:
            beside["seenBefore"] = self.seen_before.brief()
        if self.also_read:
            beside["alsoRead"] = [each.brief() for each in self.also_read]
        return {**read, "rowsRead": self.rows_read, "considered": considered, **beside}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What was read of one stream, for the rows and for what stands beside them, where that was asked."""

    source: Source
    comparison: Source | None = None  # the other window
    ranking: Source | None = None  # what ranked the groups
    ranking_comparison: Source | None = None  # and of the other window, where that was read for it
    totals: Source | None = None
    totals_comparison: Source | None = None

    def as_json(self) -> dict[str, Json]:
        """The source's own keys, and the other sources by their names."""
        aside = {
            "ranking": self.ranking,
            "rankingComparison": self.ranking_comparison,
            "totals": self.totals,
            "totalsComparison": self.totals_comparison,
        }
        return {
            **self.source.as_json(),
            **({} if self.comparison is None else {"comparison": self.comparison.as_json()}),
            **{name: source.as_json() for name, source in aside.items() if source is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Up to when everything accepted is in the answer, and for how long something has waited to be."""

    complete_until: int  # microseconds
    stale_seconds: float  # 0 where nothing waits
    commit: int  # the last durable one when the question was asked
    revision: int  # of the days of the window, together

    @classmethod
    def of_all(cls, standings: Sequence[Standing], asked_at: int) -> Freshness:
        """The worst of all that was read; commit and revision are the first one's.

        What waits for a fold elsewhere does not matter.
        """
        dirty = [each.dirty_from for each in standings if each.dirty_from is not None]
        since = [each.unfolded_since for each in standings if each.unfolded_since is not None]
        waited = asked_at - min(since, default=asked_at) if dirty else 0
        return cls(
            complete_until=min([asked_at, *dirty]),
            stale_seconds=max(0, waited) / MICROSECONDS,
            commit=standings[0].commit,
            revision=standings[0].revision,
        )


@dataclass(frozen=True, slots=True)
class Guarded:
    """Of a question that reads raw events: what was expected, and what it might have read and taken."""

    raw_rows_expected: int
    raw_rows_limit: int
    raw_bytes_expected: int
    raw_bytes_limit: int
    time_limit_seconds: float

    def __str__(self) -> str:
        return (
            f"about {self.raw_rows_expected:,} raw events with {self.raw_bytes_expected:,} bytes, and it may "
            f"read {self.raw_rows_limit:,} with {self.raw_bytes_limit:,}"
        )

    def as_json(self) -> dict[str, Json]:
        """In the names of the contract."""
        return {
            "rawRowsExpected": self.raw_rows_expected,
            "rawRowsLimit": self.raw_rows_limit,
            "rawBytesExpected": self.raw_bytes_expected,
            "rawBytesLimit": self.raw_bytes_limit,
            "timeLimitSeconds": self.time_limit_seconds,
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """Of the questions of one key: how many were under way when one began, with it, and how many may be."""

    under_way: int
    limit: int

    def as_json(self) -> dict[str, Json]:
        """In the names of the contract."""
        return {"keyQuestionsAtOnce": self.under_way, "keyQuestionsLimit": self.limit}


def guard_told(guarded: Guarded | None, turn: Turn | None) -> dict[str, Json]:
    """What a proof says of the limits of a question; nothing where none is near."""
    told = {
        name: value for each in (guarded, turn) if each is not None for name, value in each.as_json().items()
    }
    return {"guard": told} if told else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One answer's evidence: `reads` by the name of each stream that was asked, as the metrics stand."""

    reads: Mapping[str, Reads]
    freshness: Freshness
    exact: Mapping[str, bool | dict[str, float]]  # per metric: true, or its error bound
    zone: Zone
    sealed_until: int | None  # raw events before it were purged; None where the windows begin later
    model_version: str
    took_seconds: float
    # Metrics that are null in buckets that begin before: what keeps them was born then, after a purge.
    unmeasured_until: Mapping[str, int] = field(default_factory=dict)
    simulated: bool = False  # the tenant's data is made up
    guarded: Guarded | None = None  # where raw events are read
    turn: Turn | None = None  # where the questions of the key are limited
    age_seconds: float | None = None  # since it was read, where it was kept; freshness is of now all the same
    askers: int = 1  # how many who asked the same had waited when it was read, and are told it

    @property
    def source(self) -> Source:
        """What the rows of the first stream were read from."""
        return next(iter(self.reads.values())).source

    @property
    def comparison(self) -> Source | None:
        """What the other window of the first stream was read from."""
        return next(iter(self.reads.values())).comparison

    def as_json(self) -> dict[str, Json]:
        """In the names of the contract; of several streams each has what was read of it under its name."""
        told = {stream: reads.as_json() for stream, reads in self.reads.items()}
        nulls = [
            {"metric": name, "reason": "before_measure", "until": self.zone.rfc3339(until)}
            for name, until in self.unmeasured_until.items()
        ]
        age = self.age_seconds
        kept = {} if age is None else {"cached": True, "ageSeconds": round(age, 3)}
        sealed = {} if self.sealed_until is None else {"sealedUntil": self.zone.rfc3339(self.sealed_until)}
        return {
            **({"simulated": True} if self.simulated else {}),
            **(next(iter(told.values())) if len(told) == 1 else {"streams": told}),
            "completeUntil": self.zone.rfc3339(self.freshness.complete_until),
            "staleSeconds": self.freshness.stale_seconds,
            "exact": dict(self.exact),
            "timezone": self.zone.name,
            "weekStart": self.zone.week_start,
            **sealed,
            **({"nulls": nulls} if nulls else {}),
            "modelVersion": self.model_version,
            "commit": self.freshness.commit,
            "revision": self.freshness.revision,
            "tookMs": round(self.took_seconds * 1000, 3),
            **guard_told(self.guarded, self.turn),
            **kept,
            **asked_together(self.askers),
        }


def asked_together(askers: int) -> dict[str, Json]:
    """What a proof says of an answer that several are told; nothing where it is read for one."""
    return {} if askers == 1 else {"askedTogether": askers}


class Proven(Protocol):
    """An answer with its proof, whatever was asked."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def proof(self) -> Proof: ...


T = TypeVar("T", bound=Proven)


def told_to(answer: T, askers: int) -> T:
    """The answer as it is told to so many who asked the same and waited together."""
    return answer if askers == 1 else replace(answer, proof=replace(answer.proof, askers=askers))

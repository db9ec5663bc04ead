"""Refused events as an engine keeps and gives them: the newest few of each kind, without their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Sample:
    """A refused event: what was wrong, and the names in it with the types of their values."""

    stream: str
    tenant: str
    code: str
    detail: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SampleLimits:
    """How many are kept: of one stream, tenant and code, and of all together (a quarter more for a while)."""

    per_reason: int = 20
    in_all: int = 10_000


@dataclass(frozen=True, slots=True)
class KeptSample:
    """A sample with when it arrived (microseconds); its commit and its place there put all in order."""

    commit: int
    place: int
    arrived_at: int
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesAsked:
    """Which samples an operator wants: with no name of all; only those `before` a commit and place."""

    tenant: str | None = None
    stream: str | None = None
    code: str | None = None
    before: tuple[int, int] | None = None
    limit: int


def newest(
    samples: Sequence[Sample], limits: SampleLimits, attributed: Callable[[str], str]
) -> tuple[Sample, ...]:
    """The last few of each stream, tenant and code, in their order; `attributed` gives the tenant kept."""
    seen: dict[tuple[str, str, str], int] = {}
    kept: list[Sample] = []
    for sample in reversed(samples):
        known = replace(sample, tenant=attributed(sample.tenant))
        key = (known.stream, known.tenant, known.code)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= limits.per_reason:
            kept.append(known)
    return tuple(reversed(kept[: limits.in_all]))

"""What a commit counts: every arrival by stream, tenant and reason, and the bytes shared out among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from aforo.engines.appends import UNKNOWN, Append, StreamRows
from aforo.model.ingest import ACCEPTED, DUPLICATE
from aforo.windows import Zone

Fresh = Sequence[npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many events of a stream and tenant met with a reason in one commit, and the bytes they brought."""

    stream: str
    tenant: str
    reason: str
    events: int
    bytes: int


def outcomes_of(append: Append, fresh: Fresh, of_known: Callable[[str], str]) -> tuple[Outcome, ...]:
    """The counts of a commit; `fresh[i]` tells the new rows of the i-th stream.

    `of_known` gives the tenant that a refused event is counted for. A stream's and tenant's bytes are shared
    out among its reasons by their numbers of events.
    """
    events: Counter[tuple[str, str, str]] = Counter()
    for given, new in zip(append.rows, fresh, strict=True):
        for tenant, reason, count in _kept(given, new):
            events[given.stream.name, tenant, reason] += count
    for refused in append.refused:
        events[refused.stream, of_known(refused.tenant), refused.outcome] += refused.count
    volumes: Counter[tuple[str, str]] = Counter()
    for volume in append.volumes:
        volumes[volume.stream, of_known(volume.tenant)] += volume.bytes
    return tuple(_with_bytes(events, volumes))


def attributed(tenant: str, known: Callable[[str], bool]) -> str:
    """The tenant where it is known, else `?`: whoever sends names at random makes no rows with them."""
    return tenant if known(tenant) else UNKNOWN


def sealed_detail(came: int, seal: int) -> str:
    """Why an event that is older than its seal is refused, for a person."""
    utc = Zone("UTC")
    return f"time: came {utc.rfc3339(came)}, wanted {utc.rfc3339(seal)} or later: what is older was purged"


def shares(whole: int, parts: Sequence[int]) -> list[int]:
    """The whole in proportion to the parts, in integers whose sum is the whole; nothing where no part counts.

    Each share ends where the parts up to it end, rounded down, so that none is further than one from its due.
    """
    total = sum(parts)
    if not total:
        return [0] * len(parts)
    ends = [0, *(whole * part // total for part in accumulate(parts))]
    return [end - start for start, end in pairwise(ends)]


def _kept(given: StreamRows, new: npt.NDArray[np.bool_]) -> Iterable[tuple[str, str, int]]:
    for reason, chosen in ((ACCEPTED, new), (DUPLICATE, ~new)):
        for tenant, count in given.owners.count(chosen):
            yield tenant, reason, count


def _with_bytes(
    events: Counter[tuple[str, str, str]], volumes: Counter[tuple[str, str]]
) -> Iterable[Outcome]:
    reasons: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for (stream, tenant, reason), count in sorted(events.items()):
        reasons.setdefault((stream, tenant), []).append((reason, count))
    for (stream, tenant), counts in reasons.items():
        brought = shares(volumes[stream, tenant], [count for _, count in counts])
        for (reason, count), size in zip(counts, brought, strict=True):
            yield Outcome(stream, tenant, reason, count, size)

"""Our own rollups as datasets: what folds have made true is a new version, made no more often than asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aforo.clock import MICROSECONDS
from aforo.rounds import Rounds, each
from aforo.runs.hand import Hand, Turns
from aforo.runs.messages import ProjectionUpdateEvent
from aforo.runs.reactor import react
from aforo.store import catalog, updates
from aforo.store.run import Dataset, DatasetKind, Version
from aforo.windows import Zone

_UTC = Zone("UTC")
WORK = "report of folds"
LOOK_SECONDS = 5.0
"""Least time between two looks: how a stream is folded takes a look at all of a tenant's events."""


@dataclass(frozen=True, slots=True)
class Fold:
    """How a stream of a tenant is folded: what all its days' revisions come to, and up to which instant.

    `day` is the start of the tenant's day that instant is in.
    """

    revision: int
    complete_until: int
    day: int


class FoldReporter:
    """Looks after folds which datasets of ours have become others, and takes each as an update."""

    def __init__(self, turns: Turns, fold_of: Callable[[str, str], Fold | None]) -> None:
        """`fold_of` tells of a stream and a tenant, None where nothing is folded yet."""
        self._turns = turns
        self._fold_of = fold_of
        self._every_seconds = turns.rules.rollup_every_seconds
        self._clock = turns.clock
        self._looks_at = turns.clock.monotonic()
        self._rounds = Rounds(WORK, self._once, again_seconds=max(1.0, self._every_seconds))

    def start(self) -> None:
        """Begins to look, in a thread of its own."""
        self._rounds.start()

    def wake(self) -> None:
        """Something was folded."""
        self._rounds.wake()

    def stop(self) -> None:
        """Ends after the round under way."""
        self._rounds.stop()

    def run_once(self) -> int:
        """How many versions were made."""
        with self._turns.store.reading() as connection:
            ours = [one for one in catalog.all_datasets(connection, None) if one.kind is DatasetKind.ROLLUP]
        return each(WORK, ours, self._report)

    def _once(self) -> float:
        left = self._looks_at - self._clock.monotonic()
        if left > 0:
            return left
        self.run_once()
        self._looks_at = self._clock.monotonic() + LOOK_SECONDS
        return max(1.0, self._every_seconds)

    def _report(self, dataset: Dataset) -> bool:
        stream = dataset.id.removeprefix("rollup:").removesuffix(f":{dataset.tenant}")
        fold = self._fold_of(stream, dataset.tenant)
        if fold is None:
            return False
        with self._turns.taken() as hand:
            newest = updates.newest(hand.connection, dataset.id)
            uri = f"{dataset.prefix}{fold.revision}.{fold.complete_until}"
            if newest is not None and not self._is_due(hand, newest, fold):
                return False
            event = ProjectionUpdateEvent(
                event_id=uri, dataset_id=dataset.id, manifest_uri=uri, updated_at=_UTC.rfc3339(hand.now)
            )
            return not react(hand, event, dataset).repeated

    def _is_due(self, hand: Hand, newest: Version, fold: Fold) -> bool:
        """Where something has changed, and a day has come to its end or the last time is long enough ago."""
        revision, complete_until = map(int, newest.manifest_uri.rpartition("@")[2].split("."))
        if revision == fold.revision:
            return False
        settled = complete_until < fold.day <= fold.complete_until
        return settled or hand.now - newest.updated_at >= self._every_seconds * MICROSECONDS

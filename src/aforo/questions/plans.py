"""Plans of questions that are asked again: a plan holds for as long as all that it was made from does.

A plan is a function of the question, of what the engine keeps of its stream, and, where an unfinished window
is compared, of the slot that now is in. So it is found again by those, and nothing has to be cleared. What is
being built, and what was born after a seal, is planned each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from aforo.engines.keeping import Seal
from aforo.questions.planned import Keeping, Planned
from aforo.questions.question import Question
from aforo.windows import slot_of

MOST_BUCKETS = 20_000
"""Buckets of all windows of the plans that are held; the one that was asked longest ago goes first."""
OF_ITSELF = 20
"""What a plan takes besides, as so many buckets."""


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """A question of one stream that is to be planned, with the measures whose sets are wanted beside it."""

    question: Question
    sets: tuple[str, ...]
    seen: tuple[str, ...]


Key = tuple[PlanAsked, Seal, bool, int | None]


class Plans:
    """The plans that were made last. Used from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[Key, Planned] = OrderedDict()
        self._buckets = 0

    def found_or_made(
        self, asked: PlanAsked, keeping: Keeping, now: int, make: Callable[[], Planned]
    ) -> Planned:
        """The plan that was made of the same, else what `make` gives; no rollup of it is being built."""
        if keeping.births:
            return make()
        key = (asked, keeping.seal, keeping.days_wait, _cut(asked.question, now))
        with self._lock:
            if (found := self._held.get(key)) is not None:
                self._held.move_to_end(key)
        if found is not None:
            return replace(found, question=asked.question)  # equal, but 1 and 1.0 are equal too
        made = make()
        self._hold(key, made)
        return made

    def _hold(self, key: Key, made: Planned) -> None:
        with self._lock:
            if key in self._held:
                return
            self._held[key] = made
            self._buckets += _size(made)
            while self._buckets > MOST_BUCKETS:
                _, oldest = self._held.popitem(last=False)
                self._buckets -= _size(oldest)


def _size(planned: Planned) -> int:
    return OF_ITSELF + sum(len(side.buckets) for side in planned.sides)


def _cut(question: Question, now: int) -> int | None:
    """Where an unfinished window's comparison is cut; None where that is whatever the time."""
    return None if question.compare is None or now >= question.window.end else slot_of(now)

"""What one sender brought at once, on its way to the commit that it will share with others."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.engines.appends import OutcomeCount
from aforo.engines.refused import Sample
from aforo.events.draft import Draft
from aforo.events.refusals import Refusal
from aforo.events.samples import Refused


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Drafts of one sender; rows are named by their place in what it sent, of which there are `places`.

    `refusals` were found before the drafts were made, and `refused` counts them. `tenant` is the sender's,
    `owners` are all that it may bring events of, `size` the bytes it sent. Drafts that have `walked` the
    steps are kept as they are; others walk them together with those of the same commit, since a step takes as
    long for one row as for hundreds.
    """

    drafts: tuple[Draft, ...]
    places: int
    refused: Refused
    refusals: tuple[Refusal, ...] = ()
    tenant: str | None = None
    owners: frozenset[str] = frozenset()
    size: int = 0
    walked: bool = False
    reported: tuple[OutcomeCount, ...] = ()  # what the sender refused itself, and some of it
    reported_samples: tuple[Sample, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows may come to be kept."""
        return sum(draft.rows for draft in self.drafts)

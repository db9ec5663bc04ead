"""What one sender brought at once, on its way to the commit that it will share with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aforo.events.draft import Draft
from aforo.events.refusals import Refusal

Outcome = tuple[str, str, str]
"""What is counted: a stream, a tenant (either `?` where nobody knows it) and a refusal's code."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Drafts of one sender; rows are named by their place in what it sent, of which there are `places`.

    `refusals` were found before the drafts were made, and `refused` counts them. Drafts that have `walked`
    the steps are kept as they are; others walk them together with those of the same commit, since a step
    takes as long for one row as for hundreds.
    """

    drafts: tuple[Draft, ...]
    places: int
    refusals: tuple[Refusal, ...] = ()
    refused: Mapping[Outcome, int] = field(default_factory=dict)
    walked: bool = False

    @property
    def rows(self) -> int:
        """How many rows may come to be kept."""
        return sum(draft.rows for draft in self.drafts)

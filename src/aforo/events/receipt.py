"""The reply to a batch: how many events were accepted, how many were duplicates, which were refused."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.events.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Receipt:
    """Given once everything accepted is durable.

    `ids` names, by index, the ids that were given to events which could not be recognised if sent again.
    `complete_until` is the time in microseconds up to which all accepted events of the batch's tenants are
    folded, None where nothing was accepted.
    """

    accepted: int
    duplicates: int
    refused: tuple[Refusal, ...]
    ids: tuple[tuple[int, str], ...]
    complete_until: int | None

"""What a sender has done so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistics:
    """Events by what became of them.

    `tracked + found == accepted + duplicates + refused + dropped + waiting + spooled` at any time.
    """

    tracked: int = 0
    """Given to `track` and taken."""
    found: int = 0
    """Found in the spool, left by processes that have ended."""
    sent: int = 0
    """Answered with a receipt: accepted, duplicates, and those it refused."""
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    """By a receipt, or with the whole of their request."""
    dropped: int = 0
    """Lost: the queue and the spool were full, or there was no spool when the sender was closed."""
    waiting: int = 0
    """In memory now; `kill -9` would lose them."""
    spooled: int = 0
    """On the disk now."""


@dataclass(slots=True)
class Tally:
    """The counters behind `Statistics`; its owner holds a lock."""

    tracked: int = 0
    found: int = 0
    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    dropped: int = 0

    def told(self, *, waiting: int, spooled: int, lost: int) -> Statistics:
        """As of now, with what waits; `lost` is what the spool could not read again."""
        return Statistics(
            tracked=self.tracked,
            found=self.found,
            sent=self.sent,
            accepted=self.accepted,
            duplicates=self.duplicates,
            refused=self.refused,
            dropped=self.dropped + lost,
            waiting=waiting,
            spooled=spooled,
        )

"""How a run ends that no worker brings to its end."""

from __future__ import annotations

from aforo.runs.hand import Hand
from aforo.store import runs
from aforo.store.run import LogKind, Run, RunState


def end_cancelled(hand: Hand, run: Run, reason: str, kind: LogKind) -> Run:
    """A run that ends without a result because somebody, or another run, has it so."""
    runs.release(hand.connection, run.id)
    ended = runs.move(
        hand.connection,
        run,
        RunState.CANCELLED,
        hand.now,
        finished_at=hand.now,
        expires_at=None,
        not_before=None,
        reason=reason,
    )
    hand.tell(kind, ended, reason)
    return ended

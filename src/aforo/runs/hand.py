"""What every step of the reactive side is done with: an open transaction, its moment, and the rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from aforo.clock import MICROSECONDS, Clock
from aforo.settings import Runs
from aforo.store import event_log
from aforo.store.connect import Store
from aforo.store.run import Dataset, LogKind, Run, Version
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

ENDS = frozenset({LogKind.RUN_SUCCEEDED, LogKind.RUN_FAILED, LogKind.RUN_CANCELLED, LogKind.RUN_EXPIRED})


@dataclass(frozen=True, slots=True)
class Line:
    """What was told in a transaction: a row of the log, and the run it is of where it is of one."""

    kind: LogKind
    row: dict[str, object]
    run: Run | None


@dataclass(frozen=True, slots=True)
class Hand:
    """One transaction at one moment; its lines go into the log together as it ends."""

    connection: Connection
    now: int
    rules: Runs
    lines: list[Line] = field(default_factory=list)

    def in_seconds(self, seconds: float) -> int:
        """The moment so much later."""
        return self.now + round(seconds * MICROSECONDS)

    def tell(self, kind: LogKind, run: Run, detail: str = "", version: Version | None = None) -> None:
        """A line in the log of a run, and of the version it is about."""
        dataset_id, update_id = (None, None) if version is None else (version.dataset_id, version.id)
        row = event_log.line(
            self.now,
            kind,
            tenant=run.tenant,
            run=run,
            dataset_id=dataset_id,
            update_id=update_id,
            detail=detail,
        )
        self.lines.append(Line(kind, row, run))

    def tell_of(self, kind: LogKind, dataset: Dataset, version: Version, detail: str = "") -> None:
        """A line in the log of updates."""
        row = event_log.line(
            self.now, kind, tenant=dataset.tenant, dataset_id=dataset.id, update_id=version.id, detail=detail
        )
        self.lines.append(Line(kind, row, None))


class Turns:
    """Gives turns at the store: one transaction each, from any thread and beside other processes."""

    def __init__(
        self, store: Store, clock: Clock, rules: Runs, telemetry: Telemetry, asked: Callable[[], None]
    ) -> None:
        """`asked` is called after each in which a run was asked for: the request is on its way out."""
        self.store = store
        self.clock = clock
        self.rules = rules
        self._telemetry = telemetry
        self._asked = asked

    @contextmanager
    def taken(self) -> Iterator[Hand]:
        """A turn; what is done in it is durable once it ends, and not done at all if it raises."""
        with self.store.working() as connection:
            hand = Hand(connection, self.clock.now(), self.rules)
            yield hand
            event_log.add(connection, [line.row for line in hand.lines])
        if any(line.kind is LogKind.RUN_REQUESTED for line in hand.lines):
            self._asked()
        for line in hand.lines:
            self._told(line, hand.now)

    def _told(self, line: Line, now: int) -> None:
        self._telemetry.count("run_events_total", kind=str(line.kind))
        if line.run is not None and line.kind in ENDS:
            taken = (now - line.run.created_at) / MICROSECONDS
            self._telemetry.observe("run_seconds", max(0.0, taken), state=str(line.run.state))
        of = {
            name: value
            for name, value in line.row.items()
            if name not in ("at", "kind") and value is not None
        }
        log.info(str(line.kind).replace("_", " "), **of)


def back_off_seconds(rules: Runs, attempt: int, dice: random.Random) -> float:
    """How long a lost run rests: twice as long with each attempt up to a bound, and not all at once."""
    whole = min(rules.back_off_seconds * 2 ** min(attempt - 1, 30), rules.most_back_off_seconds)
    return float(whole * dice.uniform(0.5, 1.0))

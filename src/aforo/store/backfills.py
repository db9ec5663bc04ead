"""Backfills as they are kept: begun, moved on batch by batch, paused, and found again after any end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.sql import Select

from aforo.clock import Clock
from aforo.errors import Conflict
from aforo.store import audit, tables
from aforo.store.act import Action, Actor
from aforo.store.backfill import MOVES, Backfill, BackfillState, Batch, Part, Span, new_id
from aforo.store.connect import Store
from aforo.store.metadata import ACTOR_LENGTH, DETAIL_LENGTH

ACTS = {
    BackfillState.PAUSED: Action.BACKFILL_PAUSED,
    BackfillState.RUNNING: Action.BACKFILL_RESUMED,
    BackfillState.CANCELLED: Action.BACKFILL_CANCELLED,
}
"""The acts of people; that a backfill is done or failed is nobody's."""


class Backfills:
    """The backfills of one store, from any thread and beside other processes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin(self, stream: str, spans: Sequence[Span], actor: Actor) -> Backfill:
        """A new backfill that runs from now on.

        Raises Conflict where another runs for the stream and one of the tenants.
        """
        now, backfill_id = self._clock.now(), new_id()
        tenants = [span.tenant for span in spans]
        with self._store.writing() as connection:
            _refuse_others(connection, stream, tenants)
            connection.execute(
                insert(tables.backfills),
                {
                    "id": backfill_id,
                    "stream": stream,
                    "state": str(BackfillState.RUNNING),
                    "created_by": actor.name[:ACTOR_LENGTH],
                    "created_at": now,
                    "changed_at": now,
                    "reason": "",
                },
            )
            connection.execute(
                insert(tables.backfill_parts),
                [_first(backfill_id, stream, place, span) for place, span in enumerate(spans)],
            )
            told = f"{stream}, {len(spans)} tenants, {sum(span.slots for span in spans)} slots"
            audit.add(connection, now, Action.BACKFILL_STARTED, actor, backfill_id, told)
            return _must(connection, backfill_id)

    def get(self, backfill_id: str) -> Backfill | None:
        """The backfill of an id, if there is one."""
        with self._store.reading() as connection:
            return _one(connection, backfill_id)

    def page(self, limit: int, after: tuple[int, str] | None = None) -> list[Backfill]:
        """At most so many, the newest first, of those after one named by when it was made and its id."""
        table = tables.backfills
        wanted = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        if after is not None:
            at, backfill_id = after
            wanted = wanted.where(
                (table.c.created_at < at) | ((table.c.created_at == at) & (table.c.id < backfill_id))
            )
        with self._store.reading() as connection:
            return _read(connection, wanted)

    def running(self) -> list[Backfill]:
        """Those that run, the oldest first."""
        table = tables.backfills
        wanted = select(table).where(table.c.state == str(BackfillState.RUNNING))
        with self._store.reading() as connection:
            return _read(connection, wanted.order_by(table.c.created_at, table.c.id))

    def move(self, backfill_id: str, to: BackfillState, actor: Actor) -> Backfill | None:
        """The backfill in another state, None if there is none; moving it where it is changes nothing.

        Raises Conflict where it cannot go there, or another runs in its place.
        """
        with self._store.writing() as connection:
            found = _one(connection, backfill_id)
            if found is None or found.state is to:
                return found
            if to not in MOVES[found.state]:
                raise Conflict(
                    f"backfill {backfill_id} is {found.state} and cannot be {_become(to)}",
                    hint="begin another one"
                    if not MOVES[found.state]
                    else "aforo backfill status tells how it stands",
                )
            if to is BackfillState.RUNNING:
                _refuse_others(connection, found.stream, [part.tenant for part in found.parts])
            now = self._clock.now()
            self._settle(connection, backfill_id, to, now)
            audit.add(connection, now, ACTS[to], actor, backfill_id, found.stream)
            return _must(connection, backfill_id)

    def end(self, backfill_id: str, to: BackfillState, reason: str = "") -> None:
        """What has run is done, or failed for a reason; one that somebody has moved meanwhile stays so."""
        with self._store.writing() as connection:
            found = _one(connection, backfill_id)
            if found is not None and found.state is BackfillState.RUNNING:
                self._settle(connection, backfill_id, to, self._clock.now(), reason)

    def begin_batch(self, backfill_id: str, tenant: str, batch: Batch) -> None:
        """These slots were marked and wait to be folded."""
        self._advance(
            backfill_id,
            tenant,
            batch_start=batch.start,
            batch_slots=batch.slots,
            batch_events=batch.events,
            batch_commit=batch.commit,
        )

    def end_batch(self, backfill_id: str, tenant: str, seconds: float) -> None:
        """The batch under way was folded, which took so long."""
        table = tables.backfill_parts
        self._advance(
            backfill_id,
            tenant,
            done_from=table.c.batch_start,
            slots_done=table.c.slots_done + table.c.batch_slots,
            events_done=table.c.events_done + table.c.batch_events,
            batches=table.c.batches + 1,
            seconds=table.c.seconds + seconds,
            **_NO_BATCH,
        )

    def end_part(self, backfill_id: str, tenant: str) -> None:
        """Nothing is left of a tenant's window."""
        self._advance(backfill_id, tenant, done_from=tables.backfill_parts.c.start, **_NO_BATCH)

    def pace(self) -> tuple[int, int, float]:
        """How many slots and events all batches there were have had, and the seconds they took."""
        table = tables.backfill_parts
        sums = (table.c.slots_done, table.c.events_done, table.c.seconds)
        with self._store.reading() as connection:
            slots, events, seconds = connection.execute(
                select(*(func.coalesce(func.sum(column), 0) for column in sums))
            ).one()
            return int(slots), int(events), float(seconds)

    def _settle(
        self, connection: Connection, backfill_id: str, to: BackfillState, now: int, reason: str = ""
    ) -> None:
        table, parts = tables.backfills, tables.backfill_parts
        finished = None if MOVES[to] else now
        connection.execute(
            update(table)
            .where(table.c.id == backfill_id)
            .values(state=str(to), changed_at=now, finished_at=finished, reason=reason[:DETAIL_LENGTH])
        )
        running = to is BackfillState.RUNNING
        connection.execute(update(parts).where(parts.c.backfill_id == backfill_id).values(running=running))

    def _advance(self, backfill_id: str, tenant: str, **values: Any) -> None:
        parts, table = tables.backfill_parts, tables.backfills
        with self._store.writing() as connection:
            connection.execute(
                update(parts)
                .where(parts.c.backfill_id == backfill_id, parts.c.tenant == tenant)
                .values(**values)
            )
            changed = update(table).where(table.c.id == backfill_id)
            connection.execute(changed.values(changed_at=self._clock.now()))


_NO_BATCH = dict.fromkeys(("batch_start", "batch_slots", "batch_events", "batch_commit"))


def _become(state: BackfillState) -> str:
    return "resumed" if state is BackfillState.RUNNING else str(state)


def _first(backfill_id: str, stream: str, place: int, span: Span) -> dict[str, object]:
    return {
        "backfill_id": backfill_id,
        "tenant": span.tenant,
        "stream": stream,
        "place": place,
        "running": True,
        "start": span.start,
        "end": span.end,
        "slots": span.slots,
        "events": span.events,
        "sealed_before": span.sealed_before,
        "done_from": span.end,
        "slots_done": 0,
        "events_done": 0,
        "batches": 0,
        "seconds": 0.0,
    }


def _refuse_others(connection: Connection, stream: str, tenants: Iterable[str]) -> None:
    """The index over running parts would refuse them too, in no words for a person."""
    table, wanted = tables.backfill_parts, set(tenants)
    running = select(table.c.backfill_id, table.c.tenant).where(table.c.stream == stream, table.c.running)
    for backfill_id, tenant in connection.execute(running.order_by(table.c.place)):
        if tenant in wanted:
            raise Conflict(
                f"backfill {backfill_id} of {stream} runs for tenant {tenant} already",
                hint=f"wait for it, or end it: aforo backfill cancel {backfill_id}",
            )


def _one(connection: Connection, backfill_id: str) -> Backfill | None:
    found = _read(connection, select(tables.backfills).where(tables.backfills.c.id == backfill_id))
    return found[0] if found else None


def _must(connection: Connection, backfill_id: str) -> Backfill:
    found = _one(connection, backfill_id)
    assert found is not None, "it was written in this transaction"
    return found


def _read(connection: Connection, wanted: Select[Any]) -> list[Backfill]:
    rows = [row._mapping for row in connection.execute(wanted)]
    parts: dict[str, list[Part]] = {row["id"]: [] for row in rows}
    table = tables.backfill_parts
    if parts:
        of_these = select(table).where(table.c.backfill_id.in_(list(parts)))
        for row in connection.execute(of_these.order_by(table.c.place)):
            parts[row._mapping["backfill_id"]].append(_part(row._mapping))
    return [
        Backfill(
            id=row["id"],
            stream=row["stream"],
            state=BackfillState(row["state"]),
            created_by=row["created_by"],
            created_at=row["created_at"],
            changed_at=row["changed_at"],
            finished_at=row["finished_at"],
            reason=row["reason"],
            parts=tuple(parts[row["id"]]),
        )
        for row in rows
    ]


def _part(row: Any) -> Part:
    names = (
        *("tenant", "start", "end", "slots", "events", "sealed_before"),
        *("done_from", "slots_done", "events_done", "batches", "seconds"),
    )
    batch = None
    if row["batch_start"] is not None:
        batch = Batch(
            start=row["batch_start"],
            slots=row["batch_slots"],
            events=row["batch_events"],
            commit=row["batch_commit"],
        )
    return Part(**{name: row[name] for name in names}, batch=batch)

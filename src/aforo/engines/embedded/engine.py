"""The embedded engine: the protocol's verbs over one DuckDB file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from aforo.engines.appends import Append, Commit
from aforo.engines.builds import Build, Built, Held, Marked
from aforo.engines.embedded import (
    births,
    building,
    folding,
    modelling,
    remarking,
    replacing,
    rezoning,
    sealing,
    serving,
)
from aforo.engines.embedded.answering import Answering
from aforo.engines.embedded.database import Cursor, only_row
from aforo.engines.embedded.layout import RollupLayout, events_table
from aforo.engines.embedded.overseeing import Overseeing
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.portions import portions
from aforo.engines.embedded.retaining import Retaining
from aforo.engines.folds import Claim, Derived, Folded
from aforo.errors import StorageError
from aforo.model.model import Model
from aforo.model.tenant import Tenant
from aforo.windows import SLOT, Window

log = structlog.get_logger(__name__)

TENANTS = "SELECT name, timezone, week_start FROM tenants"


class EmbeddedEngine(Answering, Retaining, Overseeing):
    """DuckDB in this process; see `engines.engine.Engine` for what each verb promises."""

    def apply_model(self, model: Model, default_tenant: Tenant) -> None:
        def write(cursor: Cursor) -> None:
            modelling.apply_model(cursor, model, self._hashes)
            self._seals.read(cursor)
            self._births = births.read(cursor)
            self._landing.forget()  # marks and entities may be others now

        with self._one_purge_at_a_time:
            self._database.write(write)
        self._period_building.forget()
        self._rows_at_hand.forget()
        self._model = model
        self._look_at_builds()
        self._default_tenant = default_tenant
        with self._database.snapshot() as cursor:
            self._rezoned = {(each.stream, each.tenant): each for each in rezoning.read(cursor)}
            for name, timezone, week_start in cursor.execute(TENANTS).fetchall():
                self._tenants[name] = Tenant(name=name, timezone=timezone, week_start=week_start)

    def append(self, append: Append) -> Commit:
        for rows in append.rows:
            self.model.stream(rows.stream.name)  # what no table is for would never leave the journal
        # No seal moves between here and the commit, so that nothing is kept that is older than one.
        with self._seals.unmoved() as seals:
            taken, older = sealing.apart(append, seals, self._limits.per_reason)
            commit = self._appending.append(taken, self._tenants, self._default_tenant)
            return sealing.told(commit, append, older)

    def derive(self, max_rows: int) -> Derived | None:
        def write(change: Callable[[Cursor], Derived], touched: frozenset[str]) -> Derived:
            return self._database.write(change, touched=touched)

        return self._deriving.step(self._landed, write, self.model, self.zone, max_rows)

    def claim(self, max_rows: int) -> Claim | None:
        with self._landed() as cursor:
            return self._claiming.claim(cursor, self.model.streams, max_rows)

    def release(self, claim: Claim) -> None:
        self._leases.release(claim)

    def fold(self, claim: Claim) -> Folded:
        with self._database.snapshot() as cursor:
            return folding.fold(cursor, claim, self._served.model.stream(claim.stream), self.zone)

    def replace(self, folded: Folded, *, rows_at_once: int | None = None) -> None:
        stream = self._served.model.stream(folded.claim.stream)
        names = {period.rollup.name for period in folded.periods}

        def write(cursor: Cursor, portion: Folded) -> None:
            self._leases.renew(portion.claim)
            kept = serving.Kept.of(cursor, stream)
            if names != stream.rollups.keys() or not kept.serve(stream):
                return  # other rollups serve now, and its marks wait to be claimed again
            replacing.write(cursor, portion, stream, self._clock.now())
            if kept.building:
                building.mark_folded(cursor, portion)
            self._marks.answered(cursor, stream.name, portion.claim.slots.by_tenant())

        for portion in portions(folded, rows_at_once):
            touched = frozenset(portion.claim.slots.tenants.tolist())
            self._database.write(partial(write, portion=portion), touched=touched)
        self._leases.release(folded.claim)

    def build_periods(self, now: int) -> int:
        return self._period_building.build(self._served.model, self.zone, now)

    def untimed_ids(self, stream: str, tenant: str, since: int) -> tuple[str, ...]:
        with self._landed() as cursor:
            rows = cursor.execute(
                f"SELECT id FROM {events_table(stream)} "
                "WHERE tenant = $tenant AND untimed AND time >= $since ORDER BY time",
                {"tenant": tenant, "since": timestamp(since)},
            ).fetchall()
            return tuple(id_ for (id_,) in rows)

    def extent(self, stream: str, tenant: str) -> Window | None:
        with self._landed() as cursor:
            first, last = only_row(
                cursor,
                "SELECT epoch_us(time_bucket(INTERVAL 15 MINUTES, min(time))), "
                "epoch_us(time_bucket(INTERVAL 15 MINUTES, max(time))) "
                f"FROM {events_table(stream)} WHERE tenant = $tenant",
                {"tenant": tenant},
            )
            return None if first is None else Window(first, last + SLOT)

    def build(self, max_rows: int) -> Built | None:
        with self._one_build_at_a_time:
            with self._landed() as cursor:
                step = building.next_step(cursor, self.model, max_rows)
                if step is None:
                    return None
                folded = folding.fold(cursor, step.claim, step.stream, self.zone, anew=True)
            serves = self._database.write(lambda cursor: _write_built(cursor, step, folded))
            if serves:
                self._look_at_builds()
                self._period_building.forget()
                self._rows_at_hand.forget()
        (rollup,) = step.stream.rollups
        return Built(step.stream.name, rollup, len(step.claim.slots), serves)

    def builds(self, stream: str | None = None) -> tuple[Build, ...]:
        if not self._served.builds:
            return ()
        with self._database.snapshot() as cursor:
            now = serving.read(cursor, self.model)
        return now.builds if stream is None else now.of(stream)

    def _look_at_builds(self) -> None:
        with self._database.snapshot() as cursor:
            self._served = serving.read(cursor, self.model)

    def tenants_of(self, stream: str) -> tuple[str, ...]:
        with self._landed() as cursor:
            return remarking.tenants_of(cursor, self.model.stream(stream))

    def held(self, stream: str, tenant: str, window: Window) -> Held:
        with self._landed() as cursor:
            return remarking.held(cursor, self._served.model.stream(stream), tenant, window)

    def mark(self, stream: str, tenant: str, window: Window, most_events: int) -> Marked | None:
        def write(cursor: Cursor) -> Marked | None:
            self._marks.forget()
            return remarking.mark(cursor, self._served.model.stream(stream), tenant, window, most_events)

        return self._database.write(write, touched=frozenset((tenant,)))

    def answered(self, stream: str, tenant: str, window: Window, commit: int) -> bool:
        with self._database.snapshot() as cursor:
            return remarking.answered(cursor, stream, tenant, window, commit)

    def close(self) -> None:
        try:
            self._appending.land()
        except StorageError as error:
            log.warning("commits wait in the journal until it is opened again", detail=error.detail)
        self._database.close()
        self._journal.close()


def _write_built(cursor: Cursor, step: building.Step, folded: Folded) -> bool:
    """Writes what was built; whether the rollup serves with it."""
    if not building.is_building(cursor, step.hash):
        return False  # its model has gone, and its tables with it
    for period in folded.periods:
        replacing.replace_rows(cursor, RollupLayout.of(step.stream, period.rollup), period)
    return building.answer(cursor, step, folded.as_of)

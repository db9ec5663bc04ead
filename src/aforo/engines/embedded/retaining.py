"""The verbs that take away: purges by age, values that nothing holds, and what somebody sent."""

from __future__ import annotations

from functools import partial

from aforo.engines.embedded import (
    erasing,
    forgetting,
    purging,
    seeing,
)
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.opened import Opened
from aforo.engines.keeping import Erased, ErasureAsked, Forgotten, PurgeAsked, Purged
from aforo.engines.reads import Seen


class Retaining(Opened):
    """What is kept for how long, and what of whom."""

    def purgeable(self, stream: str, before: int) -> tuple[str, ...]:
        with self._landed() as cursor:
            return purging.tenants(cursor, self.model.stream(stream), before)

    def purge(self, asked: PurgeAsked) -> Purged:
        with self._one_purge_at_a_time:
            return self._purge(asked)

    def _purge(self, asked: PurgeAsked) -> Purged:
        stream, zone = self.model.stream(asked.stream), self.zone(asked.tenant)
        with self._landed() as cursor:
            step = purging.next_step(cursor, asked, stream, zone)
        if step is None:
            return Purged(0, 0, self._seals.of(asked.stream, asked.tenant), more=False)
        # First nothing older is taken any more, then what was taken is looked at, and only then some goes.
        with self._seals.raised(asked.stream, asked.tenant, step.seal) as lowered:
            purged = self._database.write(lambda cursor: purging.purge(cursor, asked, stream, step))
            lowered(purged.seal)
            return purged

    def forget(self, most_values: int) -> Forgotten | None:
        with self._one_purge_at_a_time:
            with self._landed() as cursor:
                found = forgetting.find(cursor, self.model, most_values)
            return None if found is None else self._database.write(partial(self._forget, found=found))

    def _forget(self, cursor: Cursor, found: forgetting.Found) -> Forgotten:
        forgotten = forgetting.write(cursor, found, self._hashes)
        if forgotten.hashed or forgotten.removed:
            self._landing.forget()  # their numbers are at hand
        return forgotten

    def seen(self, tenant: str, entity: str, value: str) -> Seen | None:
        with self._landed() as cursor:
            forms = self._hashes.forms(cursor, tenant, entity, value)
            return seeing.seen(cursor, self.model, self.zone(tenant), tenant, entity, forms)

    def unname(self, asked: ErasureAsked) -> None:
        def write(cursor: Cursor) -> None:
            erasing.unname(cursor, asked, self._served.with_builds(self.model), self._hashes)
            self._landing.forget()  # the value's number is at hand

        self._database.write(write)
        self._rows_at_hand.forget()  # rows that were split by the value are nobody's now, in no new version

    def erase(self, erasure: str, tenant: str, most_rows: int) -> Erased:
        def write(cursor: Cursor) -> Erased:
            erased = erasing.erase(cursor, erasure, self.zone(tenant), most_rows)
            self._marks.forget()
            return erased

        return self._database.write(write)

    def waits(self, tenant: str, entity: str, commit: int) -> bool:
        with self._landed() as cursor:
            return erasing.waits(cursor, tenant, erasing.streams_of(self.model, entity), commit)

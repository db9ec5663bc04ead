"""The verbs that answer questions: states, paths, what is behind a number, and how far all is folded."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb

from aforo.engines.behind import Behind, BehindRequest
from aforo.engines.embedded import (
    behind,
    derive_standing,
    estimating,
    paths,
    rezoning,
    standings,
)
from aforo.engines.embedded.database import first_row
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.opened import Opened
from aforo.engines.embedded.reading import Reading
from aforo.engines.keeping import Seal
from aforo.engines.reads import Paths, PathsRequest, Standing, States, StatesRequest
from aforo.errors import RollupReplaced
from aforo.windows import Window, slot_of

KEPT = """
-- Whether a rollup is kept.
SELECT 1 FROM rollups WHERE hash = $hash
"""


class Answering(Opened):
    """What is read of one tenant."""

    def read_states(self, request: StatesRequest, *, time_limit_seconds: float) -> States:
        if request.rollup is None or request.stream.ledger:
            self._appending.land()
        try:
            found = self._rows_at_hand.states(request, time_limit_seconds) if request.at_hand else None
            if found is not None:
                return found
            with self._database.snapshot(time_limit_seconds) as cursor:
                return Reading(cursor, request).states()
        except duckdb.CatalogException as error:
            if not self._is_gone(request):
                raise  # a mistake of ours, which no second look would mend
            # Whoever asked had looked before a rollup was swapped in, and its place is another's now.
            raise RollupReplaced(
                "the rollup was replaced while the question was answered", hint="ask again"
            ) from error

    def _is_gone(self, request: StatesRequest) -> bool:
        """Whether the rollup that is asked for is no longer kept."""
        if request.rollup is None or request.stream.ledger:
            return False
        hash_ = RollupLayout.of(request.stream, request.rollup).hash
        with self._database.snapshot() as cursor:
            return first_row(cursor, KEPT, {"hash": hash_}) is None

    def read_paths(self, request: PathsRequest, *, time_limit_seconds: float) -> Paths:
        self._appending.land()
        with self._database.snapshot(time_limit_seconds) as cursor:
            return paths.read(cursor, request)

    def read_behind(self, request: BehindRequest, *, time_limit_seconds: float) -> Behind:
        self._appending.land()
        with self._database.snapshot(time_limit_seconds) as cursor:
            return behind.read(cursor, request, self.zone(request.tenant))

    def standing(self, stream: str, tenant: str, window: Window) -> Standing:
        if self.model.asked_stream(stream).ledger:
            return self._standing_of_ledger()
        zone = self.zone(tenant)
        commit = self._appending.last
        derivation = self.model.stream(stream).derivation
        reach = Window(slot_of(window.start), window.end)
        behind_it = None if derivation is None else derive_standing.source_window(derivation, zone, window)
        source = stream if derivation is None else derivation.source
        pending = self._pending.waiting(source, tenant, behind_it or reach)
        day = zone.day_start(zone.date_of(window.start))
        told = self._standings.told(standings.Asked(stream, tenant, day, reach, behind_it))
        dirty = [] if told.dirty_from is None else [told.dirty_from]
        since = [] if told.since is None else [told.since]
        if derivation is not None:
            slots, commits = derive_standing.told(pending, told.marked)
            dirty += [derive_standing.changes_from(derivation, zone, window, slot) for slot in slots]
            since += commits
        elif pending is not None:
            dirty.append(pending.dirty_from)
            since.append(pending.since)
        return Standing(
            commit=commit,
            dirty_from=min(dirty, default=None),
            unfolded_since=min(since, default=None),
            revision=told.revision,
        )

    def _standing_of_ledger(self) -> Standing:
        """Counts are written with what they count: nothing waits, and any commit may change them."""
        commit = self._appending.last
        return Standing(commit=commit, dirty_from=None, unfolded_since=None, revision=commit)

    def writes(self) -> int:
        return self._database.writes

    def estimate_raw(self, stream: str, tenant: str, window: Window) -> int:
        with self._landed() as cursor:
            return estimating.events(cursor, stream, tenant, window)

    def event_bytes(self, stream: str, tenant: str, window: Window, fields: Collection[str]) -> float:
        with self._landed() as cursor:
            return estimating.event_bytes(cursor, self.model.stream(stream), tenant, window, fields)

    def days_wait(self, stream: str, tenant: str) -> bool:
        moved = self._rezoned.get((stream, tenant))
        if moved is None:
            return False
        with self._database.snapshot() as cursor:
            waits = rezoning.waits(cursor, moved)
        if not waits:
            self._rezoned.pop((stream, tenant), None)
        return waits

    def seal(self, stream: str, tenant: str) -> Seal:
        return self._seals.of(stream, tenant)

    def births(self, stream: str, tenant: str) -> Mapping[str, Mapping[str, int]]:
        if not self._births:
            return {}
        asked = self.model.asked_stream(stream)
        layouts = [RollupLayout.of(asked, rollup) for rollup in asked.rollups.values()]
        found = [(each, self._births.get((each.hash, tenant), {})) for each in layouts]
        return {
            layout.rollup.name: {
                each.measure.name: begins[each.key] for each in layout.measures if each.key in begins
            }
            for layout, begins in found
            if begins
        }

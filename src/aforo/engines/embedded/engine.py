"""The embedded engine: the protocol's verbs over one DuckDB file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import structlog

from aforo.clock import Clock, SystemClock
from aforo.engines.appends import Append, Commit
from aforo.engines.behind import Behind, BehindRequest
from aforo.engines.builds import Build, Built, Held, Marked
from aforo.engines.drifted import DaysChecked, KeptDays, Returned
from aforo.engines.embedded import (
    behind,
    births,
    building,
    derive_standing,
    drift,
    erasing,
    estimating,
    folding,
    forgetting,
    modelling,
    paths,
    purging,
    remarking,
    replacing,
    returning,
    rezoning,
    sampling,
    sealing,
    seeing,
    standings,
    tidying,
)
from aforo.engines.embedded.appending import LAND_ROWS, Appending
from aforo.engines.embedded.claiming import Claiming
from aforo.engines.embedded.database import Cursor, Database, first_row
from aforo.engines.embedded.deriving import Deriving
from aforo.engines.embedded.hashes import Hashes
from aforo.engines.embedded.journal import Journal
from aforo.engines.embedded.landing import Landing
from aforo.engines.embedded.layout import RollupLayout, events_table
from aforo.engines.embedded.leases import Leases
from aforo.engines.embedded.marks import Marks
from aforo.engines.embedded.ordinals import Ordinals
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.embedded.pending import Pending
from aforo.engines.embedded.period_building import PeriodBuilding
from aforo.engines.embedded.portions import portions
from aforo.engines.embedded.reading import Reading
from aforo.engines.embedded.record import Mark
from aforo.engines.embedded.rows_at_hand import RowsAtHand
from aforo.engines.folds import Claim, Derived, Folded
from aforo.engines.keeping import Erased, ErasureAsked, Forgotten, PurgeAsked, Purged, Seal
from aforo.engines.reads import Paths, PathsRequest, Seen, Standing, States, StatesRequest
from aforo.engines.refused import KeptSample, SampleLimits, SamplesAsked
from aforo.engines.statistics import Statistics, Storage, StreamStatistics
from aforo.errors import RollupReplaced, StorageError
from aforo.model.model import Model
from aforo.model.tenant import Tenant
from aforo.windows import SLOT, Window, Zone, slot_of

log = structlog.get_logger(__name__)

ENTITIES_AT_HAND = 500_000
"""Values of entities whose numbers are kept in memory: some 60 MB."""

ROWS_AT_HAND_BYTES = 128 * 2**20
"""Memory for rows of days, weeks and months that questions were answered from."""

LEASE_SECONDS = 300.0
"""How long a claim is held that nobody works on: longer than any fold takes."""

MACHINE_CLOCK = SystemClock()

TENANTS = "SELECT name, timezone, week_start FROM tenants"

KEPT = """
-- Whether a rollup is kept.
SELECT 1 FROM rollups WHERE hash = $hash
"""

DEFAULT_SAMPLES = SampleLimits()

ALL_DIRTY = """
-- Slots that wait for a fold, and those from which something waits to be derived.
SELECT count(*) FROM (
    SELECT DISTINCT stream, tenant, slot, 0 FROM ledger
    UNION ALL
    SELECT DISTINCT stream, tenant, slot, 1 FROM derive_marks
)
"""

OUTCOMES = "SELECT reason, sum(events)::BIGINT FROM outcomes GROUP BY reason ORDER BY reason"


class EmbeddedEngine:
    """DuckDB in this process; see `engines.engine.Engine` for what each verb promises."""

    def __init__(
        self,
        directory: Path,
        *,
        memory_mb: int,
        threads: int,
        untimed_id_seconds: int,
        entities_at_hand: int = ENTITIES_AT_HAND,
        rows_at_hand_bytes: int = ROWS_AT_HAND_BYTES,
        samples: SampleLimits = DEFAULT_SAMPLES,
        clock: Clock = MACHINE_CLOCK,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = Database(directory, memory_mb=memory_mb, threads=threads)
        self._standings = standings.Standings(self._database)
        self._rows_at_hand = RowsAtHand(self._database, rows_at_hand_bytes)
        self._limits = samples
        self._clock = clock
        pending, self._marks = Pending(), Marks()
        self._pending = pending
        self._journal = Journal(directory)
        self._hashes = Hashes(directory)
        ordinals = Ordinals(entities_at_hand, self._hashes)
        self._landing = Landing(self._journal, pending, self._marks, ordinals=ordinals, samples=samples)
        self._leases = Leases(clock, seconds=lease_seconds)
        self._claiming = Claiming(self._leases)
        self._seals = sealing.Seals()
        self._deriving = Deriving(self._landing, self._marks)
        self._database.accompany(self._landing)
        try:
            self._appending = Appending(
                self._database,
                self._journal,
                pending,
                self._marks,
                self._landing,
                untimed_id_seconds=untimed_id_seconds,
                samples=samples,
            )
        except BaseException:
            self._database.close()
            raise
        self._model: Model | None = None
        self._births: dict[tuple[str, str], dict[str, int]] = {}
        self._served = building.Served(Model(streams={}, metrics={}, tenants={}))
        self._one_build_at_a_time = Lock()
        # What was found to be held by nothing must be so still when it goes, but for what events bring.
        self._one_purge_at_a_time = Lock()
        self._period_building = PeriodBuilding(self._database)
        self._rezoned: dict[tuple[str, str], rezoning.Rezoned] = {}
        # What the tenants' table holds, which only this process writes: every question needs a zone.
        self._tenants: dict[str, Tenant] = {}
        self._default_tenant = Tenant(name="", timezone="UTC", week_start="monday")

    @property
    def name(self) -> str:
        return "embedded"

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
        return self._deriving.step(self._landed, self._database.write, self.model, self.zone, max_rows)

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
            if names != stream.rollups.keys() or not building.is_current(cursor, stream):
                return  # other rollups serve now, and its marks wait to be claimed again
            replacing.write(cursor, portion, stream, self._clock.now())
            building.mark_folded(cursor, portion)
            self._marks.answered(cursor, stream.name, portion.claim.slots.by_tenant())

        for portion in portions(folded, rows_at_once):
            self._database.write(partial(write, portion=portion))
        self._leases.release(folded.claim)

    def build_periods(self, now: int) -> int:
        return self._period_building.build(self._served.model, self.zone, now)

    def read_states(self, request: StatesRequest, *, time_limit_seconds: float) -> States:
        if request.rollup is None or request.stream.ledger:
            self._appending.land()
        try:
            found = self._rows_at_hand.states(request, time_limit_seconds)
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
            first, last = _row(
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
            now = building.read(cursor, self.model)
        return now.builds if stream is None else now.of(stream)

    def _look_at_builds(self) -> None:
        with self._database.snapshot() as cursor:
            self._served = building.read(cursor, self.model)

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

        return self._database.write(write)

    def answered(self, stream: str, tenant: str, window: Window, commit: int) -> bool:
        with self._database.snapshot() as cursor:
            return remarking.answered(cursor, stream, tenant, window, commit)

    def tenant(self, name: str) -> Tenant | None:
        return self._tenants.get(name)

    def zone(self, tenant: str) -> Zone:
        found = self._tenants.get(tenant, self._default_tenant)
        return Zone(found.timezone, found.week_start)

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
            return Purged(0, 0, self.seal(asked.stream, asked.tenant), more=False)
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

    def waiting_commits(self) -> tuple[int, Mapping[str, int]]:
        with self._database.snapshot() as cursor:
            waiting = cursor.execute('SELECT stream, min("commit") FROM ledger GROUP BY stream').fetchall()
            return modelling.last_commit(cursor), dict(waiting)

    def dirty_slots(self) -> int:
        with self._landed() as cursor:
            return int(_row(cursor, ALL_DIRTY, {})[0])

    def tidy(self, *, loose_share: float) -> int | None:
        if self._pending.rows > LAND_ROWS:
            return None  # so many wait for the writer already
        with self._landed() as cursor:
            step = tidying.next_move(cursor, list(self.model.streams), loose_share=loose_share)
        if step is None:
            return None
        moved = self._database.write(lambda cursor: tidying.move(cursor, step))
        # The room of the old blocks is free with the next, once nobody reads them any more.
        self._database.checkpoint()
        return moved

    def storage(self) -> Storage:
        with self._landed() as cursor:
            return self._storage(cursor)

    def _storage(self, cursor: Cursor) -> Storage:
        streams = list(self.model.streams)
        return Storage(
            file_bytes=self._database.file_bytes(),
            free_bytes=tidying.free_bytes(cursor),
            events=sum(
                int(_row(cursor, f"SELECT count(*) FROM {events_table(stream)}", {})[0]) for stream in streams
            ),
            out_of_order=sum(tidying.out_of_order(cursor, stream) for stream in streams),
        )

    def statistics(self) -> Statistics:
        with self._landed() as cursor:
            return Statistics(
                engine=self.name,
                version=duckdb.__version__,
                commit=modelling.last_commit(cursor),
                storage=self._storage(cursor),
                streams=tuple(
                    row for stream in self.model.streams for row in _stream_statistics(cursor, stream)
                ),
                outcomes={outcome: int(count) for outcome, count in cursor.execute(OUTCOMES).fetchall()},
                builds=building.read(cursor, self.model).builds,
            )

    def refused(self, asked: SamplesAsked) -> tuple[KeptSample, ...]:
        with self._landed() as cursor:
            return sampling.read(cursor, asked, self._limits)

    def kept_days(self) -> tuple[KeptDays, ...]:
        with self._landed() as cursor:
            return tuple(
                days
                for stream in self._served.model.streams.values()
                for days in drift.kept_days(cursor, stream, self.zone)
            )

    def check_days(self, stream: str, tenant: str, days: Sequence[int]) -> DaysChecked:
        windows = [self._day(tenant, day) for day in sorted(days)]
        with self._landed() as cursor:
            return drift.check(cursor, self._served.model.stream(stream), tenant, windows)

    def returned_ids(self, stream: str, tenant: str, days: Sequence[int] | None, *, limit: int) -> Returned:
        with self._landed() as cursor:
            if days is None:
                return returning.returned(cursor, stream, tenant, limit)
            windows = [self._day(tenant, day) for day in days]
            return returning.returned_of(cursor, stream, tenant, windows, limit)

    def mark_slots(self, stream: str, tenant: str, slots: npt.NDArray[np.int64]) -> None:
        def write(cursor: Cursor) -> None:
            number = modelling.last_commit(cursor)
            self._marks.mark(cursor, [(number, Mark(stream, tenant, slot, 1)) for slot in slots.tolist()])

        self._database.write(write)

    def _day(self, tenant: str, start: int) -> Window:
        [day] = self.zone(tenant).days(Window(start, start + 1))
        return Window(day.start, day.end)

    def close(self) -> None:
        try:
            self._appending.land()
        except StorageError as error:
            log.warning("commits wait in the journal until it is opened again", detail=error.detail)
        self._database.close()
        self._journal.close()

    @contextmanager
    def _landed(self) -> Iterator[Cursor]:
        """A snapshot that has every commit made so far."""
        self._appending.land()
        with self._database.snapshot() as cursor:
            yield cursor

    @property
    def model(self) -> Model:
        """The model that was applied last."""
        if self._model is None:
            raise RuntimeError("apply_model comes before every other verb")
        return self._model


def _write_built(cursor: Cursor, step: building.Step, folded: Folded) -> bool:
    """Writes what was built; whether the rollup serves with it."""
    if not building.is_building(cursor, step.hash):
        return False  # its model has gone, and its tables with it
    for period in folded.periods:
        replacing.replace_rows(cursor, RollupLayout.of(step.stream, period.rollup), period)
    return building.answer(cursor, step, folded.as_of)


def _row(cursor: Cursor, sql: str, parameters: dict[str, object]) -> tuple[Any, ...]:
    found = first_row(cursor, sql, parameters)
    assert found is not None, "an aggregate without groups gives one row"
    return found


def _stream_statistics(cursor: Cursor, stream: str) -> list[StreamStatistics]:
    rows = cursor.execute(
        f"""
        -- How many events each tenant has, and how many of its slots wait for a fold.
        WITH dirty AS (
            SELECT tenant, count(DISTINCT slot) AS slots FROM ledger WHERE stream = $stream GROUP BY tenant
        )
        SELECT e.tenant, count(*), epoch_us(time_bucket(INTERVAL 15 MINUTES, min(e.time))),
            epoch_us(time_bucket(INTERVAL 15 MINUTES, max(e.time))), coalesce(max(d.slots), 0)
        FROM {events_table(stream)} AS e LEFT JOIN dirty AS d ON d.tenant = e.tenant
        GROUP BY e.tenant ORDER BY e.tenant
        """,
        {"stream": stream},
    ).fetchall()
    return [StreamStatistics(stream, *row) for row in rows]

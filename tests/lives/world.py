"""A data directory with a life: events come, folds happen, the process ends well or badly, the model changes.

Beside it stands `Plain`, which only knows what was accepted. A verb of the engine that is new gets a method
here and a rule in `test_rollups_as_one.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.engines.gauges import Sent, answered, as_reference, ask, fresh, stream_rows
from tests.laws.shelf import content
from tests.lives.plain import EPOCH, METRICS, Asked, Place, Plain
from tests.reference_engine import ReferenceEngine

from aforo.clock import ManualClock
from aforo.engines.appends import Append
from aforo.engines.embedded import EmbeddedEngine, tidying
from aforo.engines.folds import Claim, Folded, Period
from aforo.engines.keeping import ErasureAsked, PurgeAsked
from aforo.engines.reads import Segment
from aforo.errors import ClaimLost, NotServable
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.rollup import Rollup, RollupGrain
from aforo.model.tenant import Tenant
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.rollups.folder import Folder
from aforo.rollups.periods import PeriodKeeper
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import Window, slot_of

YAML = """
tenants:
{tenants}
streams:
  readings:
    fields:
      station: {{type: string, max_length: 10}}
      level: {{type: number, scale: 2, maximum: 1000}}
      flow: {{type: integer}}
      probe: {{type: string}}
    entities: {{probe: probe}}
    measures:
      all_readings: count
      low: {{count: true, where: "flow <= 0"}}
      level_sum: {{sum: level}}
      flow_sum: {{sum: flow}}
      lowest: {{minimum: level}}
      highest: {{maximum: flow}}
      levels: {{histogram: level}}
      probes: {{distinct: probe}}
    rollups:
{rollups}
metrics:
{metrics}
"""
FORMULAS = {
    "readings": "all_readings",
    "low_readings": "low",
    "level_total": "level_sum",
    "flow_total": "flow_sum",
    "level_min": "lowest",
    "flow_max": "highest",
    "level_avg": "level_sum / all_readings",
    "level_p50": "percentile(levels, 50)",
    "level_p95": "percentile(levels, 95)",
    "probes_seen": "probes",
}
ROLLUPS = {
    "stations": "{by: [station]}",
    "wide": "{by: [station, probe], grain: day}",
    "plain": "{by: []}",
    "lean": "{by: [probe], measures: [all_readings, probes]}",
    "rich": "{by: [station], measures: [all_readings, level_sum, levels, probes]}",
}
KEPT = {
    "as at first": ("stations", "wide"),
    "one more": ("stations", "wide", "plain"),
    "one less": ("stations",),
    "others": ("lean", "wide"),
    "another of fewer measures": ("rich",),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A tenant's place, and an instant around which its events are: a change of its clocks."""

    place: Place
    around: datetime


# `drift` is declared nowhere: it lives where the default tenant does.
DEFAULT = Tenant(name="", timezone="Pacific/Chatham")
SPOTS: Mapping[str, Spot] = {
    "river": Spot(Place("America/New_York"), datetime(2013, 3, 10, 7, tzinfo=UTC)),
    "hills": Spot(Place("Asia/Kathmandu", "sunday"), datetime(2013, 3, 30, 18, 15, tzinfo=UTC)),
    "south": Spot(Place("America/Santiago"), datetime(2013, 4, 28, 3, tzinfo=UTC)),
    "isles": Spot(Place("Pacific/Apia"), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    "drift": Spot(Place("Pacific/Chatham"), datetime(2013, 4, 6, 14, tzinfo=UTC)),
}
DECLARED = {name: spot.place for name, spot in SPOTS.items() if name != "drift"}


def model_of(rollups: Sequence[str], tenants: Mapping[str, Place] = DECLARED) -> Model:
    """The model that keeps some rollups."""
    kept = "\n".join(f"      {name}: {ROLLUPS[name]}" for name in rollups)
    told = "\n".join(
        f'  {name}: {{formula: "{formula}", unit: "", format: number, owner: tests, description: {name}}}'
        for name, formula in FORMULAS.items()
    )
    named = "\n".join(
        f"  {name}: {{timezone: {place.zone}, week_start: {place.week_start}}}"
        for name, place in tenants.items()
    )
    return read_model(YAML.format(tenants=named, rollups=kept, metrics=told), source="world.yaml")


MOVED = {**DECLARED, "river": Place("Asia/Kolkata")}
MODELS: Mapping[str, Model] = {
    **{name: model_of(rollups) for name, rollups in KEPT.items()},
    "another place": model_of(KEPT["as at first"], MOVED),
}
FIRST = "as at first"

NOW = datetime(2014, 1, 1, tzinfo=UTC)
HOURS = (-26.0, -12.25, -0.25, 0.0, 0.25, 1.0, 23.0, 25.0)
LATE_DAYS = (-7, -32, -63, -366)


def micros(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


def instant(time: int) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def event(tenant: str, number: int, hours: float) -> Sent:
    """The event of a number, so many hours after what its tenant's events are around."""
    time = SPOTS[tenant].around + timedelta(hours=hours, microseconds=number)
    return Sent(tenant=tenant, id=str(number), time=micros(time), fields=content(number))


@dataclass
class World:
    """An engine on `home`, and what it must say."""

    root: Path
    model: str = FIRST
    models: Mapping[str, Model] = field(default_factory=lambda: MODELS)
    plain: Plain = field(default_factory=Plain)
    clock: ManualClock = field(default_factory=lambda: ManualClock(micros(NOW)))
    lives: int = 0
    clean: bool = True  # nothing waits for a fold
    claims: list[Claim] = field(default_factory=list)  # of folds that have read and not written
    born: dict[tuple[str, str], int] = field(default_factory=dict)  # tenant and rollup: the seal at its birth
    telemetry: Telemetry = field(default_factory=Telemetry)

    def __post_init__(self) -> None:
        self.home = self.root / "0"
        self.open()

    def open(self) -> None:
        self.engine = EmbeddedEngine(self.home, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        self.claims.clear()
        self.engine.apply_model(self.models[self.model], DEFAULT)
        self.desk = Desk(self.engine, self.models[self.model], Settings(), self.clock, self.telemetry)

    def close(self) -> None:
        self.engine.close()

    def begin_again(self, *, model: str, crashed: bool) -> None:
        """Another process with perhaps another model: after a good end, or over the files as they are now."""
        if crashed:
            self.lives += 1
            there, self.home = self.home, self.root / str(self.lives)
            still_copy(there, self.home)
            self.engine.close()
            shutil.rmtree(there)
        else:
            self.engine.close()
        new = self._rollups(model).keys() - self._rollups(self.model).keys()
        self.born |= {(tenant, rollup): self.sealed(tenant) for tenant in self.plain.kept for rollup in new}
        self.clean &= not new and not self.moves(model)
        self.model = model
        self.open()

    def _rollups(self, model: str) -> Mapping[str, Rollup]:
        return self.models[model].streams["readings"].rollups

    def moves(self, model: str) -> bool:
        """Whether tenants live elsewhere in another model."""
        return self.models[model].tenants != self.models[self.model].tenants

    def sealed(self, tenant: str) -> int:
        """The seal of a tenant's events, microseconds."""
        return self.engine.seal("readings", tenant).events_from

    def append(self, events: Sequence[Sent]) -> None:
        """One commit; it must take as new what is new, and refuse what is older than the seal."""
        new = self.plain.take(events, self.sealed)
        rows = stream_rows(self.models[self.model].streams["readings"], events)
        commit = self.engine.append(Append((rows,), (), self.clock.now()))
        assert sum(fresh(commit)) == new
        assert sum(map(len, commit.sealed)) == sum(each.time < self.sealed(each.tenant) for each in events)
        self.clean &= not new

    def purge(self, tenant: str, events_before: datetime, slots_before: datetime, most_rows: int) -> None:
        """One transaction of a purge, and what it lets go of the values of events."""
        before = micros(events_before), micros(slots_before)
        self.engine.purge(PurgeAsked("readings", tenant, *before, most_rows))
        while self.engine.forget(3) is not None:
            pass

    def mark(self, tenant: str, start: datetime, end: datetime, most_events: int) -> None:
        """One batch of a backfill."""
        window = Window(slot_of(micros(start)), slot_of(micros(end)))
        self.clean &= self.engine.mark("readings", tenant, window, most_events) is None

    def erase(self, erasure: str, tenant: str, probe: str) -> None:
        """All steps of an erasure; to be called only where nothing was purged."""
        asked = ErasureAsked(erasure, tenant, "probe", probe)
        self.engine.unname(asked)
        while self.engine.erase(erasure, tenant, 3).more:
            pass
        mine = self.plain.kept.get(tenant, {})
        gone = [name for name, fields in mine.items() if fields.get("probe") == probe]
        for name in gone:
            del mine[name]
        self.clean &= not gone

    def keep_periods(self) -> None:
        """All weeks and months that are over and folded, as merges of their days."""
        PeriodKeeper(self.engine, self.clock, self.telemetry, every_seconds=1).run_until_kept()

    def move_events(self, first: int, rows: int) -> None:
        """A step of compaction over some row numbers, however they lie."""
        step = tidying.Move("readings", ((first, first + rows),))
        self.engine._database.write(lambda cursor: tidying.move(cursor, step))

    def check_drift(self, which: int) -> None:
        """The engine's own check of one of somebody's days finds nothing, whatever waits."""
        if found := self.engine.kept_days():
            kept = found[which % len(found)]
            day = int(kept.days[which // len(found) % len(kept.days)])
            assert self.engine.check_days(kept.stream, kept.tenant, [day]).differences == ()

    def folder(self, rows: int) -> Folder:
        return Folder(self.engine, self.clock, self.telemetry, batch_rows=rows, wake_after_seconds=1)

    def fold_once(self, rows: int) -> None:
        self.folder(rows).run_once()

    def read_fold(self, rows: int) -> Folded | None:
        """A fold that has read, and has written nothing."""
        claim = self.engine.claim(rows)
        if claim is None:
            return None
        self.claims.append(claim)
        return self.engine.fold(claim)

    def write_fold(self, folded: Folded, rows_at_once: int | None = None) -> None:
        """Writes what a fold has read, unless it has lost its claim: then that is refused."""
        if folded.claim in self.claims:
            self.claims.remove(folded.claim)
            self.engine.replace(folded, rows_at_once=rows_at_once)
        else:
            with pytest.raises(ClaimLost):
                self.engine.replace(folded, rows_at_once=rows_at_once)

    def fold(self) -> None:
        """Until nothing waits; whoever had claimed some of it loses it."""
        while self.claims:
            self.engine.release(self.claims.pop())
        self.folder(10**6).run_until_clean()
        self.folder(10**6).build_until_whole()
        assert self.engine.dirty_slots() == 0
        self.clean = True

    def check(self, tenant: str, asked: Asked) -> None:
        """What an answer calls complete is true; with nothing dirty, all of it is."""
        if tenant not in self.plain.kept:
            return
        try:
            answer = self.desk.ask(decode(asked.body(tenant, list(METRICS)))).as_json()
        except NotServable:
            # Only of what was purged nothing need be told.
            assert asked.quarters()[0] < instant(self.sealed(tenant))
            return
        proof = answer["proof"]
        assert isinstance(proof, dict)
        born = self.born.get((tenant, str(proof.get("rollup"))), 0)
        assert self.plain.disagreements(tenant, asked, answer, instant(born)) == [], asked
        assert (proof["source"] != "raw") or asked.quarters()[-1] >= instant(self.sealed(tenant))
        if self.clean:
            assert proof["staleSeconds"] == 0
            assert datetime.fromisoformat(proof["completeUntil"]) == NOW

    def check_states(self, tenant: str) -> None:
        """Every rollup's own rows, by all it is split by, are the states of what was accepted."""
        model = self.models[self.model]
        stream = model.streams["readings"]
        times = [time for _id, time in self.plain.kept[tenant]]
        if not times:
            return
        window = Window(min(times), max(times) + 1)
        zone = self.engine.zone(tenant)
        here = replace(DEFAULT, name=tenant, timezone=zone.name, week_start=zone.week_start)
        reference = ReferenceEngine(replace(model, tenants={tenant: here}))
        kept = self.plain.kept[tenant]
        reference.take(
            [as_reference(Sent(tenant=tenant, id=id_, time=at, fields=of)) for (id_, at), of in kept.items()],
            0,
        )
        reference.fold()
        starts = {
            Period.SLOT: {slot_of(time) for time in times},
            Period.DAY: {zone.day_start(zone.date_of(time)) for time in times},
        }
        for rollup in stream.rollups.values():
            for period in [Period.DAY, Period.SLOT][: 1 + (rollup.grain is RollupGrain.SLOT)]:
                asked = ask(
                    stream,
                    rollup,
                    tenant=tenant,
                    by=rollup.dimensions,
                    zone=zone,
                    window=window,
                    period=period,
                )
                since = self.born.get((tenant, rollup.name), 0)
                if period is Period.SLOT:
                    since = max(since, self.engine.seal(stream.name, tenant).slots_from)
                first = max(asked.segments[0].start, since)
                last = max(asked.segments[0].end, first)
                # Cut where something is: a row that should not be falls into a bucket and makes it wrong.
                edges = sorted({first} | {start for start in starts[period] if start >= first})
                asked = replace(asked, segments=(Segment(period, first, last),), edges=tuple(edges))
                said = answered(self.engine.read_states(asked, time_limit_seconds=60))
                assert said == answered(reference.read_states(asked, time_limit_seconds=60))


def still_copy(there: Path, to: Path) -> None:
    """The files of one moment, as a crash leaves them: taken again while something was being written."""
    for _ in range(100):
        before = _seen(there)
        with suppress(FileNotFoundError, shutil.Error):  # of a file that was removed meanwhile
            shutil.copytree(there, to)
        if _seen(there) == before and _seen(to).keys() == before.keys():
            return
        shutil.rmtree(to)
    raise AssertionError(f"{there} is never still")


def _seen(directory: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in directory.rglob("*")
        if path.is_file()
    }

"""Raw against rollups: what is made wrong by hand is found, named, marked, and mended by the next fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import duckdb
import numpy as np
import pytest
from tests.engines.conftest import Opens, embedded
from tests.engines.gauges import (
    DEFAULT,
    MODEL,
    NOON,
    READINGS,
    VISITS,
    Bench,
    Sent,
    as_reference,
    fold_once,
    some_readings,
)

from aforo.engines.drifted import Against, DaysChecked, Difference
from aforo.engines.embedded.layout import RollupLayout, events_table, lay_out
from aforo.engines.engine import Engine
from aforo.engines.folds import Period
from aforo.engines.keeping import PurgeAsked
from aforo.windows import DAY, SLOT, slot_of

LAYOUTS = {name: RollupLayout.of(READINGS, rollup) for name, rollup in READINGS.rollups.items()}
NORTH = {"station": "north", "gate": 1, "wet": False, "probe": "p1", "crew": 3, "level": 2.5, "flow": 7}
SOME = [
    Sent(id="1", fields=NORTH),
    Sent(id="2", time=NOON + 1, fields={**NORTH, "probe": "p2", "level": 250.0, "wet": True}),
    Sent(id="3", time=NOON + SLOT, fields={**NORTH, "station": None}),
    Sent(id="4", time=NOON - DAY, fields=NORTH),
]
ALL = [*SOME, *some_readings(12, tenant="hills")]


def column(measure: str) -> str:
    [layout] = lay_out(READINGS, (READINGS.measures[measure],))
    return layout.input


def counts(measure: str) -> str:
    [layout] = lay_out(READINGS, (READINGS.measures[measure],))
    return layout.counts


def table(rollup: str, period: Period) -> str:
    return LAYOUTS[rollup].table(period)


def check_all(engine: Engine) -> list[DaysChecked]:
    return [engine.check_days(each.stream, each.tenant, each.days.tolist()) for each in engine.kept_days()]


def differences(engine: Engine) -> list[Difference]:
    return named(check_all(engine))


def named(checked: list[DaysChecked]) -> list[Difference]:
    """All of them, of days of which nothing waits for a fold."""
    assert all(each.waiting == 0 for each in checked)
    return [difference for each in checked for difference in each.differences]


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose rollups are true, to be copied."""
    there = tmp_path_factory.mktemp("true")
    bench = Bench(embedded(there))
    bench.engine.apply_model(MODEL, DEFAULT)
    bench.send(*ALL)
    bench.fold()
    assert differences(bench.engine) == []
    bench.engine.close()
    return there


class Corrupted:
    """A bench whose rollups were true before they were changed behind the engine's back."""

    def __init__(self, opens: Opens, true: Path, path: Path, *statements: str) -> None:
        copytree(true, path / "data")
        with duckdb.connect(path / "data" / "events.duckdb") as file:
            for statement in statements:
                assert file.execute(statement).fetchall()[0][0] > 0, f"nothing was changed by {statement}"
        self.bench = Bench(opens())
        self.bench.reference.take([as_reference(each) for each in ALL], NOON)  # the engine has them
        self.bench.reference.fold()

    def mend(self, checked: list[DaysChecked]) -> None:
        """Marks what was found and folds; then nothing differs, and all is what the reference says."""
        for day in checked:
            if day.found:
                self.bench.engine.mark_slots(day.stream, day.tenant, day.slots)
        assert self.bench.engine.dirty_slots() > 0
        self.bench.fold()
        assert differences(self.bench.engine) == []
        for tenant in ("river", "hills"):
            self.bench.check_everything(tenant)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is done by hand to the rows of `river` in one table, and the measure it is found by."""

    rollup: str
    period: Period
    measure: str | None
    against: Against
    change: str

    @property
    def statement(self) -> str:
        named = {"table": table(self.rollup, self.period), "mine": "tenant = 'river'"}
        if self.measure is not None:
            named["column"] = column(self.measure)
        return self.change.format(**named)

    @property
    def found(self) -> tuple[str, str, str | None, Against]:
        return (self.rollup, self.period.value, self.measure, self.against)


SLOTS, DAYS = Period.SLOT, Period.DAY
EVENTS, KEPT = Against.EVENTS, Against.SLOTS
SETTING = "UPDATE {table} SET {column} = %s WHERE {mine}"
OTHERS = f"(SELECT max({column('probes')}) FROM {table('whole', DAYS)})"
ONE_MORE = (
    "INSERT INTO {table} (tenant, start, station) "
    "SELECT DISTINCT tenant, start, 'x' FROM {table} WHERE {mine}"
)
WRONG = {
    "count": Wrong("gates", SLOTS, "all_readings", EVENTS, SETTING % 9),
    "sum": Wrong("gates", DAYS, "level_sum", KEPT, SETTING % "{column} + 1"),
    "sum that is null": Wrong("whole", SLOTS, "flow_sum", EVENTS, SETTING % "NULL"),
    "minimum": Wrong("whole", SLOTS, "lowest", EVENTS, SETTING % -1),
    "maximum": Wrong("wide", DAYS, "highest", EVENTS, SETTING % 8),
    "a bucket": Wrong(
        "whole", SLOTS, "levels", EVENTS, f"UPDATE {{table}} SET {counts('levels')} = [5] WHERE {{mine}}"
    ),
    "a histogram": Wrong(
        "gates", DAYS, "wet_flows", KEPT, f"UPDATE {{table}} SET {counts('wet_flows')} = [] WHERE {{mine}}"
    ),
    "no set": Wrong("whole", SLOTS, "probes", EVENTS, SETTING % "[]"),
    "a set of others": Wrong("wide", DAYS, "north_crews", EVENTS, SETTING % OTHERS),
    "a set of nobody": Wrong("whole", DAYS, "probes", KEPT, SETTING % "[4294967295]"),
    "a missing row": Wrong("gates", SLOTS, None, EVENTS, "DELETE FROM {table} WHERE {mine}"),
    "a row too much": Wrong("gates", DAYS, None, KEPT, ONE_MORE),
    "a row twice": Wrong(
        "wide", DAYS, None, EVENTS, "INSERT INTO {table} SELECT * FROM {table} WHERE {mine}"
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_made_wrong_is_found_named_marked_and_mended(
    opens: Opens, tmp_path: Path, true: Path, wrong: Wrong
) -> None:
    corrupted = Corrupted(opens, true, tmp_path, wrong.statement)
    checked = check_all(corrupted.bench.engine)
    found = named(checked)
    # Where a slot was changed, the day above it no longer is what its slots are, and is found too.
    assert wrong.found in {(each.rollup, each.period, each.measure, each.against) for each in found}
    assert ({each.rollup for each in found}, {each.tenant for each in found}) == ({wrong.rollup}, {"river"})
    corrupted.mend(checked)


def test_an_event_that_went_behind_the_back_is_found_in_every_rollup(
    opens: Opens, tmp_path: Path, true: Path
) -> None:
    corrupted = Corrupted(
        opens, true, tmp_path, f"DELETE FROM {events_table('readings')} WHERE tenant = 'river' AND id = '1'"
    )
    found = differences(corrupted.bench.engine)
    assert {each.rollup for each in found} == set(READINGS.rollups)
    assert {each.start for each in found if each.period == "slot"} == {slot_of(NOON)}


def test_a_difference_names_the_split_and_both_values(opens: Opens, tmp_path: Path, true: Path) -> None:
    slot = (
        f"WHERE tenant = 'river' AND station = 'north' AND NOT wet AND start > make_timestamp({NOON - SLOT})"
    )
    corrupted = Corrupted(
        opens,
        true,
        tmp_path,
        f"UPDATE {table('gates', Period.SLOT)} SET {column('level_sum')} = 1225 {slot}",
        f"UPDATE {table('gates', Period.SLOT)} SET {column('probes')} = [] {slot}",
        f"UPDATE {table('gates', Period.SLOT)} SET {counts('levels')} = [5] {slot}",
    )
    found = [each for each in differences(corrupted.bench.engine) if each.period == "slot"]
    assert {(each.start, tuple(each.split.items())) for each in found} == {
        (slot_of(NOON), (("station", "north"), ("gate", 1), ("wet", False)))
    }
    assert {each.measure: (each.wanted, each.kept) for each in found} == {
        "level_sum": ("2.50", "12.25"),
        "levels": ("1 in the bucket of 2.51123", "5 in the bucket of 2.51123"),
        "probes": ("1, 1 of which are not kept", "0, 0 of which should not be"),
    }


def test_a_whole_row_is_told_with_its_numbers(opens: Opens, tmp_path: Path, true: Path) -> None:
    corrupted = Corrupted(
        opens,
        true,
        tmp_path,
        f"DELETE FROM {table('wide', Period.DAY)} WHERE tenant = 'river' AND probe = 'p2'",
    )
    [found] = differences(corrupted.bench.engine)
    assert (found.measure, found.kept) == (None, None)
    assert found.wanted is not None
    assert "all_readings 1, dry 0, level_sum 250.00, flow_sum 7" in found.wanted
    assert found.split == {"station": "north", "gate": 1, "probe": "p2"}


def test_of_very_many_differences_a_few_are_named_and_all_are_mended(opens: Opens, tmp_path: Path) -> None:
    bench = Bench(opens())
    bench.send(*some_readings(400, spread=DAY // 4))
    bench.fold()
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / "events.duckdb") as file:
        file.execute(f"DELETE FROM {table('gates', Period.SLOT)}")
    bench.engine = opens()
    checked = [day for day in check_all(bench.engine) if day.found]
    assert all(len(day.differences) == min(day.found, 100) for day in checked)
    assert sum(day.found for day in checked) > 100
    for day in checked:
        bench.engine.mark_slots(day.stream, day.tenant, day.slots)
    bench.fold()
    assert differences(bench.engine) == []
    bench.check_everything()


def test_what_waits_for_a_fold_is_no_drift(bench: Bench) -> None:
    bench.send(*SOME)
    bench.fold()
    bench.send(Sent(id="5", time=NOON + 5, fields=NORTH), Sent(id="6", time=NOON + 3 * SLOT, fields=NORTH))
    [checked] = check_all(bench.engine)
    # Yesterday is compared whole, and of today the slots that do not wait.
    assert (checked.days, checked.waiting, checked.found) == (1, 2, 0)


def test_a_slot_beside_one_that_waits_is_compared(opens: Opens, tmp_path: Path, true: Path) -> None:
    corrupted = Corrupted(opens, true, tmp_path, WRONG["minimum"].statement)
    corrupted.bench.send(Sent(id="5", time=NOON, fields=NORTH))
    found = [each for day in check_all(corrupted.bench.engine) for each in day.differences]
    # The dirty slot is left out, and so is its day; yesterday is compared as a whole.
    assert {each.start for each in found if each.period == "slot"} == {
        slot_of(NOON) + SLOT,
        slot_of(NOON - DAY),
    }
    [yesterday] = {each.start for each in found if each.period == "day"}
    assert yesterday < NOON - DAY


def test_rows_of_days_without_any_event_are_found(opens: Opens, tmp_path: Path, true: Path) -> None:
    corrupted = Corrupted(
        opens,
        true,
        tmp_path,
        f"INSERT INTO {table('whole', Period.SLOT)} "
        f"SELECT * REPLACE (start - INTERVAL 10 DAYS AS start) FROM {table('whole', Period.SLOT)} "
        "WHERE tenant = 'river'",
    )
    checked = check_all(corrupted.bench.engine)
    found = named(checked)
    assert {each.measure for each in found} == {None}
    assert {each.wanted for each in found if each.period == "slot"} == {None}
    corrupted.mend(checked)


def test_a_mark_that_was_lost_is_found(opens: Opens, tmp_path: Path) -> None:
    """What happened with two writers: both committed, and the mark was gone (design section 5)."""
    bench = Bench(opens())
    bench.send(*SOME)
    bench.fold()
    bench.send(Sent(id="5", time=NOON + 5 * DAY, fields=NORTH))
    bench.engine.close()
    with duckdb.connect(tmp_path / "data" / "events.duckdb") as file:
        file.execute("DELETE FROM ledger")
    bench.engine = opens()
    assert bench.engine.dirty_slots() == 0
    for day in check_all(bench.engine):
        if day.found:
            bench.engine.mark_slots(day.stream, day.tenant, day.slots)
    bench.fold()
    bench.check_everything()


@pytest.mark.parametrize("seed", [1, 2])
def test_no_true_rollup_is_ever_called_wrong(bench: Bench, seed: int) -> None:
    for more in range(2):
        bench.send(*some_readings(40, seed=seed + 10 * more, spread=DAY // 4))
        bench.send(*some_readings(20, seed=seed + 10 * more, tenant="hills", spread=DAY // 4))
        bench.send(Sent(id=f"v{more}", time=NOON + more), stream=VISITS)
        fold_once(bench.engine, 25)
        assert [each for checked in check_all(bench.engine) for each in checked.differences] == []
    bench.fold()
    assert differences(bench.engine) == []


def test_days_are_those_of_the_tenants_zone(bench: Bench) -> None:
    bench.send(Sent(id="1", tenant="hills"), Sent(id="2", tenant="plain"), Sent(id="3"))
    starts = {each.tenant: each.days.tolist() for each in bench.engine.kept_days()}
    zones = {tenant: bench.engine.zone(tenant) for tenant in ("hills", "plain", "river")}
    assert starts == {tenant: [zone.day_start(zone.date_of(NOON))] for tenant, zone in zones.items()}


def test_a_stream_without_rollups_has_nothing_to_compare(opens: Opens) -> None:
    bare = replace(VISITS, rollups={})
    bench = Bench(opens(replace(MODEL, streams={"visits": bare})))
    bench.send(Sent(id="1"), stream=bare)
    bench.fold()
    assert differences(bench.engine) == []


def test_law_2_an_id_that_returns_with_another_time_is_named(bench: Bench) -> None:
    bench.send(Sent(id="1"), Sent(id="2"), Sent(id="1", time=NOON + SLOT), Sent(id="1", tenant="hills"))
    bench.send(Sent(id="1", time=NOON - 5 * DAY), Sent(id="2"))
    whole = bench.engine.returned_ids("readings", "river", None, limit=10)
    assert whole.found == 1
    [found] = whole.ids
    assert (found.id, found.count, found.times) == ("1", 3, (NOON - 5 * DAY, NOON, NOON + SLOT))
    assert bench.engine.returned_ids("readings", "hills", None, limit=10).found == 0
    days = {each.tenant: each.days.tolist() for each in bench.engine.kept_days()}
    # Of one day's ids it does not matter in which day their other times are.
    for day in days["river"]:
        assert bench.engine.returned_ids("readings", "river", [day], limit=10) == whole
    none = bench.engine.returned_ids("readings", "river", [days["river"][0] + DAY], limit=10)
    assert (none.found, none.ids) == (0, ())


def test_of_many_ids_that_return_a_few_are_named(bench: Bench) -> None:
    bench.send(*(Sent(id=str(number), time=NOON + late) for number in range(9) for late in (0, SLOT)))
    few = bench.engine.returned_ids("readings", "river", None, limit=2)
    assert (few.found, len(few.ids)) == (9, 2)


def test_marking_is_seen_at_once(bench: Bench) -> None:
    bench.send(*SOME)
    bench.fold()
    bench.engine.mark_slots("readings", "river", np.array([slot_of(NOON)]))
    commit = bench.send(Sent(id="late", time=NOON + DAY))
    assert commit.dirty_from["readings", "river"] == slot_of(NOON)


def test_what_is_sealed_is_not_compared(bench: Bench) -> None:
    bench.send(*SOME)
    bench.fold()
    zone = bench.engine.zone("river")
    today = zone.day_start(zone.date_of(NOON))
    bench.engine.purge(PurgeAsked("readings", "river", today, 0, 10**6))
    [kept] = bench.engine.kept_days()
    assert kept.days.tolist() == [today]
    yesterday = zone.day_start(zone.date_of(NOON - DAY))
    checked = bench.engine.check_days("readings", "river", [yesterday, today])
    assert (checked.days, checked.found) == (1, 0)
    assert bench.engine.check_days("readings", "river", [yesterday]).days == 0

"""What every engine keeps of what it is given, and what it tells of it."""

from __future__ import annotations

import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import (
    DEFAULT,
    NOON,
    READINGS,
    VISITS,
    Bench,
    Sent,
    fresh,
    some_readings,
    stream_rows,
)

from aforo.engines.appends import Append, OutcomeCount
from aforo.windows import DAY, SLOT, Window, Zone, slot_of

HOUR = 3_600_000_000


def test_an_event_counts_once_within_a_batch_and_between_batches(bench: Bench) -> None:
    one, other = Sent(id="1"), Sent(id="2")
    assert fresh(bench.send(one, other, one)) == [True, True, False]
    assert fresh(bench.send(other, Sent(id="3"), one)) == [False, True, False]
    assert bench.engine.estimate_raw("readings", "river", Window(NOON, NOON + 1)) == 3


def test_the_first_of_equal_ids_is_kept(bench: Bench) -> None:
    bench.send(Sent(id="1", fields={"station": "north"}), Sent(id="1", fields={"station": "south"}))
    bench.send(Sent(id="1", fields={"station": "east"}))
    bench.fold()
    bench.check_everything()


@pytest.mark.parametrize(
    "other",
    [
        Sent(id="1", time=NOON + 1),
        Sent(id="1", time=NOON - 400 * DAY),
        Sent(id="1", tenant="hills"),
        Sent(id="1 "),
    ],
    ids=["another time", "another year", "another tenant", "another id"],
)
def test_another_name_is_another_event(bench: Bench, other: Sent) -> None:
    assert fresh(bench.send(Sent(id="1"))) == [True]
    assert fresh(bench.send(other)) == [True]
    assert fresh(bench.send(Sent(id="1"), other)) == [False, False]


def test_another_stream_has_its_own_ids(bench: Bench) -> None:
    assert fresh(bench.send(Sent(id="1"))) == [True]
    assert fresh(bench.send(Sent(id="1"), stream=VISITS)) == [True]
    assert fresh(bench.send(Sent(id="1"), stream=VISITS)) == [False]


def test_several_streams_are_kept_in_one_commit(bench: Bench) -> None:
    append = Append(
        (
            stream_rows(READINGS, [Sent(id="1"), Sent(id="1")]),
            stream_rows(VISITS, [Sent(id="1"), Sent(id="2", tenant="hills")]),
        ),
        (),
        NOON,
    )
    commit = bench.engine.append(append)
    assert [list(rows) for rows in commit.fresh] == [[True, False], [True, True]]
    assert dict(commit.dirty_from) == {
        ("readings", "river"): slot_of(NOON),
        ("visits", "river"): slot_of(NOON),
        ("visits", "hills"): slot_of(NOON),
    }


def untimed(arrival: int, id_: str = "1") -> Sent:
    return Sent(id=id_, time=arrival, untimed=True)


@pytest.mark.parametrize(
    ("later", "expected"),
    [(1, False), (23 * HOUR, False), (DAY, False), (DAY + 1, True), (-23 * HOUR, False), (-DAY - 1, True)],
    ids=["at once", "within a day", "after a day", "beyond a day", "clock back", "clock back by days"],
)
def test_an_event_without_a_time_is_known_for_a_day(bench: Bench, later: int, expected: bool) -> None:
    bench.send(untimed(NOON), arrival=NOON)
    assert fresh(bench.send(untimed(NOON + later), arrival=NOON + later)) == [expected]


def test_events_without_a_time_count_once_within_a_batch(bench: Bench) -> None:
    batch = [untimed(NOON), untimed(NOON + 5), untimed(NOON, "2"), Sent(id="2")]
    assert fresh(bench.send(*batch, arrival=NOON)) == [True, False, True, True]


def test_an_event_with_a_time_is_not_known_by_one_without(bench: Bench) -> None:
    bench.send(untimed(NOON), arrival=NOON)
    assert fresh(bench.send(Sent(id="1"), arrival=NOON)) == [True]


def test_outcomes_are_counted_in_the_commit_that_holds_them(bench: Bench) -> None:
    refused = (
        OutcomeCount("readings", "river", "wrong_type", 2),
        OutcomeCount("?", "?", "unknown_stream", 1),
    )
    bench.send(Sent(id="1"), Sent(id="1"), Sent(id="2", tenant="hills"), refused=refused)
    bench.send(Sent(id="1"))
    assert bench.engine.statistics().outcomes == {
        "accepted": 2,
        "duplicate": 2,
        "unknown_stream": 1,
        "wrong_type": 2,
    }


def test_refusals_alone_are_a_commit(bench: Bench) -> None:
    commit = bench.engine.append(Append((), (OutcomeCount("?", "?", "not_an_object", 4),), NOON))
    assert (commit.number, commit.fresh, dict(commit.dirty_from)) == (1, (), {})
    assert bench.engine.statistics().outcomes == {"not_an_object": 4}


def test_a_batch_without_rows_keeps_nothing(bench: Bench) -> None:
    assert fresh(bench.send()) == []
    assert bench.engine.extent("readings", "river") is None


def test_commit_numbers_ascend_also_after_opening_again(opens: Opens) -> None:
    first = [Bench(opens()).send(Sent(id="1")).number]
    bench = Bench(opens())
    again = [bench.send(Sent(id="1")).number, bench.send(Sent(id="2")).number]
    assert [*first, *again] == [1, 2, 3]
    assert opens().statistics().commit == 3


def test_what_was_kept_is_there_after_opening_again(opens: Opens) -> None:
    bench = Bench(opens())
    bench.send(*some_readings(50))
    bench.fold()
    bench.send(*some_readings(20, seed=1))
    bench.engine = opens()
    bench.fold()
    bench.check_everything()


def test_a_commit_tells_from_when_on_something_waits(bench: Bench) -> None:
    bench.send(Sent(id="old", time=NOON - DAY))
    commit = bench.send(Sent(id="new"))
    assert commit.dirty_from == {("readings", "river"): slot_of(NOON - DAY)}
    bench.fold()
    assert bench.send(Sent(id="new")).dirty_from == {}
    assert bench.send(Sent(id="newer", time=NOON + SLOT)).dirty_from == {
        ("readings", "river"): slot_of(NOON + SLOT)
    }


def test_tenants_that_only_events_name_count_in_the_defaults_days(opens: Opens) -> None:
    bench = Bench(opens())
    assert bench.engine.tenant("brook") is None
    assert bench.engine.zone("brook") == Zone(DEFAULT.timezone, DEFAULT.week_start)
    bench.send(Sent(id="1", tenant="brook"))
    known = bench.engine.tenant("brook")
    assert known is not None
    assert (known.name, known.timezone) == ("brook", DEFAULT.timezone)
    # The default may change; who is counted in its days stays where it is.
    engine = opens(default=type(DEFAULT)(name="", timezone="Asia/Kolkata"))
    assert engine.zone("brook").name == DEFAULT.timezone
    assert engine.zone("creek").name == "Asia/Kolkata"
    assert engine.zone("hills") == Zone("Asia/Kathmandu", "sunday")


def test_the_extent_is_of_whole_slots(bench: Bench) -> None:
    bench.send(Sent(id="1", time=NOON + 1), Sent(id="2", time=NOON + 3 * SLOT))
    assert bench.engine.extent("readings", "river") == Window(NOON, NOON + 4 * SLOT)
    assert bench.engine.extent("readings", "hills") is None


def test_statistics_are_the_operators(bench: Bench) -> None:
    bench.send(Sent(id="1"), Sent(id="2", tenant="hills"), Sent(id="3", tenant="hills", time=NOON + DAY))
    statistics = bench.engine.statistics()
    assert [
        (each.stream, each.tenant, each.events, each.first, each.last, each.dirty_slots)
        for each in statistics.streams
    ] == [
        ("readings", "hills", 2, slot_of(NOON), slot_of(NOON + DAY), 2),
        ("readings", "river", 1, slot_of(NOON), slot_of(NOON), 1),
    ]
    assert statistics.commit == 1
    assert bench.engine.storage().file_bytes > 0
    assert bench.engine.dirty_slots() == 3

"""Whole answers: against plain Python over the events, and the same from every engine."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questions.outline import outline
from tests.questions.trips import MODEL, TRIPS, at, trip
from tests.reference_engine import Event, ReferenceEngine, holds

from aforo.clock import ManualClock
from aforo.engines.appends import Append, StreamRows
from aforo.engines.embedded.engine import EmbeddedEngine
from aforo.engines.engine import Engine
from aforo.errors import InvalidRequest, NotServable, QuestionTooLarge, UnknownName
from aforo.model.condition import parse
from aforo.model.field import FieldType
from aforo.model.tenant import Tenant
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.rollups.folder import Folder
from aforo.settings import Questions, Settings
from aforo.states.histogram import RELATIVE_ERROR
from aforo.telemetry import Telemetry
from aforo.windows import Grain, Window, Zone, parse_date, window_of_dates

NOW = at("2014-06-01T00:00:00Z")
ARRIVAL = at("2014-05-31T23:00:00Z")
METRICS = tuple(name for name, metric in MODEL.metrics.items() if metric.stream == "trips")
COLUMN_TYPES = {
    FieldType.STRING: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIMESTAMP: pa.timestamp("us"),
}


def some_events(count: int, seed: int = 1) -> list[Event]:
    """Trips of two tenants around both changes of New York's clocks in 2013 and the year before."""
    dice = random.Random(seed)
    around = ["2013-03-10T05:00:00Z", "2013-11-03T05:00:00Z", "2012-03-11T05:00:00Z", "2013-06-01T00:00:00Z"]
    return [
        Event(
            dice.choice(["nyc", "nyc", "ktm"]),
            "trips",
            at(dice.choice(around)) + dice.randrange(-4 * 86_400, 4 * 86_400) * 1_000_000,
            {
                "city": dice.choice(["Rome", "Oslo", None]),
                "line": dice.choice([1, 2, 10, None]),
                "plate": dice.choice(["a", "b", "c", "d", "e", None]),
                "night": dice.choice([True, False, None]),
                "delay": dice.choice([None, round(dice.gauss(5, 40), 2)]),
                "length": dice.choice([None, dice.randrange(10_000)]),
                "ordered": dice.choice([None, at("2013-01-01T10:00:00Z"), at("2013-01-01T11:30:00Z")]),
            },
        )
        for _ in range(count)
    ]


EVENTS = some_events(1_500)


def desk(engine: Engine, limited: Settings | None = None, now: int = NOW) -> Desk:
    return Desk(engine, MODEL, limited or Settings(), ManualClock(now), Telemetry())


def reference(events: Iterable[Event], fold: bool = True) -> ReferenceEngine:
    engine = ReferenceEngine(MODEL)
    engine.take(events, ARRIVAL)
    if fold:
        engine.fold()
    return engine


def appended(events: list[Event], first_id: int = 0) -> Append:
    names = list(TRIPS.fields)
    rows = {
        "tenant": pa.array([event.tenant for event in events]),
        "id": pa.array([str(first_id + at) for at in range(len(events))]),
        "time": pa.array([event.time for event in events], pa.timestamp("us")),
        "untimed": pa.array([False] * len(events)),
    }
    for name in names:
        rows[name] = pa.array([event.fields[name] for event in events], COLUMN_TYPES[TRIPS.fields[name].type])
    return Append((StreamRows(TRIPS, pa.table(rows)),), (), ARRIVAL)


def folder(engine: Engine) -> Folder:
    return Folder(engine, ManualClock(NOW), Telemetry(), batch_rows=400, wake_after_seconds=1)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    engine = opened(tmp_path_factory.mktemp("trips"))
    engine.append(appended(EVENTS))
    folder(engine).run_until_clean()
    yield engine
    engine.close()


def opened(directory: Path) -> EmbeddedEngine:
    engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, Tenant(name=""))
    return engine


def ask(engine: Engine, limited: Settings | None = None, now: int = NOW, **asked: object) -> Answer:
    body = {"tenant": "nyc", "metrics": list(METRICS), "from": "2013-03-08", "to": "2013-03-12", **asked}
    return desk(engine, limited, now).ask(decode({key: value for key, value in body.items() if value}))


LONG = ("2013-03-07", "2013-11-04")
ODD = ("2013-03-08T23:45:00-05:00", "2013-11-03T06:30:00Z")
OFF_THE_SLOTS = ("2013-03-09T23:50:10Z", "2013-03-12T06:07:00Z")
QUESTIONS = st.builds(
    lambda window_and_grain, rest: {
        **rest,
        "limit": rest["limit"] if rest["by"] else None,
        "from": window_and_grain[0][0],
        "to": window_and_grain[0][1],
        "grain": window_and_grain[1],
    },
    st.one_of(
        st.tuples(st.sampled_from([LONG, ODD]), st.sampled_from([Grain.WEEK, Grain.MONTH, Grain.TOTAL])),
        st.tuples(st.just(OFF_THE_SLOTS), st.sampled_from([Grain.SLOT, Grain.HOUR, Grain.DAY, Grain.TOTAL])),
    ),
    st.fixed_dictionaries(
        {
            "tenant": st.sampled_from(["nyc", "ktm", "utc"]),
            "by": st.sampled_from(
                [[], ["city"], ["line"], ["line", "city"], ["night"], ["plate"], ["ordered"]]
            ),
            "where": st.sampled_from(
                [
                    "",
                    "city = 'Rome'",
                    "line >= 2 and city is not null",
                    "delay > 0",
                    "plate in ('a', 'b')",
                    "ordered < '2013-01-01T11:00:00Z' and city contains 'o'",
                ]
            ),
            "compare": st.sampled_from([None, "previous", "year", "2013-03-07..2013-03-14"]),
            "limit": st.sampled_from([None, None, 1, 3]),
            "totals": st.booleans(),
            "timezone": st.sampled_from([None, "UTC", "Asia/Kathmandu", "America/New_York"]),
        }
    ),
)
REFERENCE = reference(EVENTS)


@given(QUESTIONS)
@settings(max_examples=60)
def test_both_engines_give_one_answer(embedded: EmbeddedEngine, asked: dict[str, object]) -> None:
    here, there = ask(embedded, **asked), ask(REFERENCE, **asked)
    assert here.columns == there.columns
    assert here.rows == there.rows
    assert here.totals == there.totals
    assert here.comparison == there.comparison
    assert here.proof.source.rollup == there.proof.source.rollup
    assert here.proof.exact == there.proof.exact


def plainly(events: list[Event]) -> dict[str, object]:
    """The metrics of some events by their definitions."""
    delays = sorted(
        cast(float, event.fields["delay"]) for event in events if event.fields["delay"] is not None
    )
    lengths = [cast(int, event.fields["length"]) for event in events if event.fields["length"] is not None]
    total = math.fsum(delays)

    def rank(p: float) -> float | None:
        return delays[max(1, math.ceil(p * len(delays) / 100)) - 1] if delays else None

    low, high = rank(5), rank(95)
    return {
        "trips": len(events),
        "lost_share": (len(events) - len(delays)) / len(events) if events else None,
        "delay_avg": total / len(delays) if delays else None,
        "delay_total": total,
        "delay_p95": high,
        "delay_hours_p5": None if low is None else -low / 60,
        "delay_spread": None if low is None or high is None else high - low,
        "cars": len({event.fields["plate"] for event in events} - {None}),
        "distance": sum(lengths),
        "longest": max(lengths, default=None),
    }


def near(value: object, wanted: object, name: str) -> bool:
    if value is None or wanted is None:
        return value is wanted
    assert isinstance(value, int | float)
    assert isinstance(wanted, int | float)
    if name == "delay_spread":
        return math.isclose(value, wanted, abs_tol=3)
    return math.isclose(
        value, wanted, rel_tol=RELATIVE_ERROR + 1e-9 if "p" in name[-3:] else 1e-9, abs_tol=1e-6
    )


SHORT = st.sampled_from(["2013-03-09", "2013-03-10", "2013-11-02", "2013-11-03"])


@given(
    SHORT,
    st.integers(0, 2),
    st.sampled_from(Grain),
    st.sampled_from(["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.sampled_from([[], ["city"], ["night", "line"], ["plate"]]),
    st.sampled_from(["", "line = 2", "city != 'Rome'"]),
)
def test_answers_are_what_the_definitions_say(
    first: str, more: int, grain: Grain, zone: str, by: list[str], where: str
) -> None:
    last = parse_date(first) + timedelta(days=more)
    window = window_of_dates(parse_date(first), last, Zone(zone))
    answer = ask(
        REFERENCE,
        **{"from": first, "to": str(last), "grain": grain, "timezone": zone, "by": by, "where": where},
    )
    conditions = parse(where) if where else ()
    kept = [
        event
        for event in EVENTS
        if event.tenant == "nyc"
        and window.contains(event.time)
        and all(holds(each, event.fields, TRIPS) for each in conditions)
    ]
    groups = {tuple(event.fields[name] for name in by) for event in kept} if by else {()}
    buckets = Zone(zone).buckets(window, grain)
    assert len(answer.rows) == len(groups) * len(buckets)
    for at_row, row in enumerate(answer.rows):
        bucket = buckets[at_row // len(groups)]
        split = tuple(row[name] for name in by)
        assert split in groups
        here = [
            event
            for event in kept
            if Window(bucket.start, bucket.end).contains(event.time)
            and tuple(event.fields[name] for name in by) == split
        ]
        for name, wanted in plainly(here).items():
            assert near(row[name], wanted, name), (name, row, wanted)


def test_rows_in_full() -> None:
    events = [
        trip("2013-03-09T10:00:00-05:00", city="Rome", delay=1.5, plate="a", length=3),
        trip("2013-03-11T10:00:00-04:00", delay=2.25, plate="a"),
        trip("2013-03-11T11:00:00-04:00", city="Oslo", plate="b"),
    ]
    answer = ask(
        reference(events),
        **{
            "metrics": ["trips", "delay_avg", "delay_total", "cars"],
            "from": "2013-03-09",
            "to": "2013-03-11T12:00:00-04:00",
            "grain": "day",
            "by": ["city"],
        },
    )
    nothing = {"trips": 0, "delay_avg": None, "delay_total": 0.0, "cars": 0}
    assert answer.rows == (
        {"time": "2013-03-09", "city": "Oslo", **nothing},
        {"time": "2013-03-09", "city": "Rome", "trips": 1, "delay_avg": 1.5, "delay_total": 1.5, "cars": 1},
        {"time": "2013-03-09", "city": None, **nothing},
        {"time": "2013-03-10", "city": "Oslo", **nothing},
        {"time": "2013-03-10", "city": "Rome", **nothing},
        {"time": "2013-03-10", "city": None, **nothing},
        {"time": "2013-03-11", "city": "Oslo", **nothing, "trips": 1, "cars": 1, "partial": True},
        {"time": "2013-03-11", "city": "Rome", **nothing, "partial": True},
        {"time": "2013-03-11", "city": None, "trips": 1, "delay_avg": 2.25, "delay_total": 2.25, "cars": 1,
         "partial": True},
    )  # fmt: skip
    assert [(column.name, column.type, column.unit) for column in answer.columns] == [
        ("time", "date", None),
        ("city", "string", None),
        ("trips", "integer", None),
        ("delay_avg", "number", "minutes"),
        ("delay_total", "number", "minutes"),
        ("cars", "integer", None),
        ("partial", "boolean", None),
    ]


def test_no_data_is_a_row_of_zeros_without_a_split_and_no_row_with_one() -> None:
    empty = reference([])
    (row,) = ask(empty).rows
    assert row["trips"] == row["distance"] == row["cars"] == row["delay_total"] == 0
    assert {row[name] for name in ("lost_share", "delay_avg", "delay_p95", "longest")} == {None}
    assert isinstance(row["delay_total"], float)
    assert isinstance(row["distance"], int)
    assert ask(empty, by=["city"]).rows == ()
    assert len(ask(empty, grain="hour").rows) == 5 * 24 - 1


def test_hours_are_instants_with_the_zones_offset() -> None:
    rows = ask(reference([]), **{"grain": "hour", "from": "2013-11-03", "to": "2013-11-03"}).rows
    assert len(rows) == 25
    assert [row["time"] for row in rows[1:3]] == ["2013-11-03T01:00:00-04:00", "2013-11-03T01:00:00-05:00"]


def test_split_values_keep_their_type_and_instants_are_written() -> None:
    events = [trip("2013-03-09T10:00:00-05:00", line=10, night=False, ordered=at("2013-01-01T10:00:00Z"))]
    (row,) = ask(reference(events), by=["line", "night", "ordered"], metrics=["trips"]).rows
    assert row == {"line": 10, "night": False, "ordered": "2013-01-01T05:00:00-05:00", "trips": 1}


@given(st.sampled_from(Grain), st.sampled_from([[], ["city"], ["line"]]))
def test_a_window_compared_with_itself_has_no_delta(grain: Grain, by: list[str]) -> None:
    answer = ask(REFERENCE, grain=grain, by=by, compare="2013-03-08..2013-03-12")
    for row in answer.rows:
        for name in METRICS:
            assert row[name] == row[f"{name}_compared"]
            number = not isinstance(row[name], list)
            assert row[f"{name}_delta"] == (0 if row[name] and number else None)


def test_a_comparison_names_its_window_and_shows_groups_of_both() -> None:
    events = [
        trip("2013-03-10T12:00:00Z", city="Rome"),
        trip("2013-03-09T12:00:00Z", city="Oslo"),
        trip("2013-03-09T13:00:00Z", city="Rome"),
        trip("2013-03-09T14:00:00Z", city="Rome"),
    ]
    answer = ask(
        reference(events),
        **{
            "metrics": ["trips"],
            "from": "2013-03-10",
            "to": "2013-03-10",
            "by": ["city"],
            "compare": "previous",
        },
    )
    assert answer.rows == (
        {"city": "Oslo", "trips": 0, "trips_compared": 1, "trips_delta": -1.0},
        {"city": "Rome", "trips": 1, "trips_compared": 2, "trips_delta": -0.5},
    )
    assert answer.comparison == {
        "compare": "previous",
        "from": "2013-03-09T00:00:00-05:00",
        "to": "2013-03-10T00:00:00-05:00",
        "sameElapsed": False,
        "matchWeekdays": False,
    }
    assert [column.name for column in answer.columns] == ["city", "trips", "trips_compared", "trips_delta"]


def test_a_window_to_come_is_compared_with_nothing() -> None:
    answer = ask(REFERENCE, now=at("2013-01-01T00:00:00Z"), compare="previous", metrics=["trips"])
    assert answer.rows[0]["trips_compared"] is None
    assert answer.proof.comparison is None
    assert answer.comparison is not None
    assert answer.comparison["sameElapsed"] is True


def test_one_tenants_question_reads_one_tenants_rows() -> None:
    engine = reference(EVENTS)
    wide = {"from": "2012-01-01", "to": "2013-12-31", "metrics": ["trips"]}
    counted = {name: ask(engine, tenant=name, **wide).rows[0]["trips"] for name in ("nyc", "ktm", "utc")}
    assert counted == {name: sum(event.tenant == name for event in EVENTS) for name in counted}
    assert {request.tenant for request in engine.requests} == {"nyc", "ktm", "utc"}


def test_an_unknown_tenant_is_told_without_naming_another() -> None:
    with pytest.raises(UnknownName) as raised:
        ask(REFERENCE, tenant="nycc")
    assert "nyc'" not in str(raised.value).replace("'nycc'", "")


def test_proof_of_a_rollup() -> None:
    proof = ask(REFERENCE, by=["city"], timezone="UTC").proof.as_json()
    assert proof["source"] == "rollup"
    assert proof["rollup"] == "cities"
    assert len(str(proof["rollupHash"])) == 16
    assert proof["grains"] == ["slot", "day"]
    assert "reason" not in proof
    assert (proof["timezone"], proof["weekStart"], proof["modelVersion"]) == ("UTC", "monday", MODEL.version)
    assert (proof["completeUntil"], proof["staleSeconds"]) == ("2014-06-01T00:00:00+00:00", 0)
    assert proof["exact"] == {
        **dict.fromkeys(METRICS, True),
        "delay_p95": {"relativeError": RELATIVE_ERROR},
        "delay_hours_p5": {"relativeError": RELATIVE_ERROR},
        "delay_spread": {"relativeErrorOfPercentiles": RELATIVE_ERROR},
    }
    assert {"rollup": "whole", "chosen": False, "why": "is not split by city"} in cast(
        list[object], proof["considered"]
    )
    assert {"commit", "revision", "rowsRead", "tookMs"} <= set(proof)


def test_proof_of_raw_events_has_the_reason() -> None:
    proof = ask(REFERENCE, by=["plate"]).proof.as_json()
    assert (proof["source"], proof["reason"]) == ("raw", "trips has no rollup split by plate")
    assert "rollup" not in proof


def test_proof_tells_what_waits_for_a_fold() -> None:
    engine = reference([trip("2013-03-09T12:00:00Z")])
    engine.take([trip("2013-03-10T12:07:00Z")], at=NOW - 90_000_000)
    answer = ask(engine, metrics=["trips"])
    assert answer.rows[0]["trips"] == 1
    proof = answer.proof.as_json()
    assert (proof["completeUntil"], proof["staleSeconds"]) == ("2013-03-10T08:00:00-04:00", 90)
    clean = ask(engine, metrics=["trips"], to="2013-03-09").proof.as_json()
    assert (clean["completeUntil"], clean["staleSeconds"]) == ("2014-05-31T20:00:00-04:00", 0)
    compared = ask(
        engine, metrics=["trips"], **{"from": "2013-03-11", "to": "2013-03-11", "compare": "previous"}
    )
    assert compared.proof.freshness.stale_seconds == 90
    raw = ask(engine, metrics=["trips"], by=["plate"])
    assert (raw.rows[0]["trips"], raw.proof.freshness.stale_seconds) == (2, 0)


def test_a_comparison_that_is_read_otherwise_has_its_own_proof() -> None:
    noon = at("2013-03-12T12:00:00-04:00")
    proof = ask(REFERENCE, now=noon, by=["line"], compare="previous").proof
    assert proof.source.rollup == "lines"
    assert proof.comparison is not None
    assert proof.comparison.kind == "raw"
    assert cast(dict[str, object], proof.as_json()["comparison"])["source"] == "raw"


def limits(**questions: int) -> Settings:
    return Settings(questions=Questions(**questions))


def test_raw_events_are_read_up_to_a_limit() -> None:
    asked = {"by": ["plate"], "from": "2012-01-01", "to": "2013-12-31"}
    rows = sum(event.tenant == "nyc" for event in EVENTS)
    assert ask(REFERENCE, limits(raw_rows_limit=rows), **asked).proof.source.rows_read == rows
    with pytest.raises(QuestionTooLarge) as raised:
        ask(REFERENCE, limits(raw_rows_limit=rows - 1), **asked)
    assert f"about {rows:,} raw events" in raised.value.detail
    assert "declare a rollup by plate, or ask a shorter window" in raised.value.hint


def test_where_raw_events_may_not_be_read_the_error_says_what_can_be_asked() -> None:
    with pytest.raises(NotServable) as raised:
        ask(REFERENCE, limits(raw_rows_limit=0), by=["line"], timezone="UTC")
    assert "lines keeps whole days of America/New_York only" in raised.value.detail
    assert raised.value.hint == "ask whole days of the time zone America/New_York"


def test_an_answer_has_so_many_rows_and_no_more() -> None:
    asked = {"grain": "day", "by": ["city"]}
    count = len(ask(REFERENCE, **asked).rows)
    assert count == 15
    assert len(ask(REFERENCE, limits(max_rows=count), **asked).rows) == count
    with pytest.raises(QuestionTooLarge, match="15 rows"):
        ask(REFERENCE, limits(max_rows=count - 1), **asked)


def test_too_many_groups_are_refused_before_their_sets_are_read(embedded: EmbeddedEngine) -> None:
    asked = {"grain": "day", "by": ["plate"], "metrics": ["trips", "cars"]}
    for engine in (embedded, REFERENCE):
        with pytest.raises(QuestionTooLarge, match="would have at least"):
            ask(engine, limits(max_rows=3), **asked)
        assert len(ask(engine, limits(max_rows=10), **asked, limit=1).rows) == 10


def test_an_explanation_reads_nothing() -> None:
    engine = reference(EVENTS)
    told = outline(
        desk(engine),
        decode({"tenant": "nyc", "metrics": ["trips"], "by": ["plate"], "compare": "previous"}),
    )
    assert told.startswith("question: read from events: trips has no rollup split by plate\n- whole: ")
    assert "\n\ncomparison: read from events" in told
    assert not engine.requests


def test_questions_are_counted_by_source() -> None:
    telemetry = Telemetry()
    asking = Desk(REFERENCE, MODEL, Settings(), ManualClock(NOW), telemetry)
    for by in ([], ["city"], ["plate"]):
        asking.ask(decode({"tenant": "nyc", "metrics": ["trips"], "by": by}))
    shown = telemetry.exposition().decode()
    assert 'aforo_questions_total{source="rollup"} 2.0' in shown
    assert 'aforo_questions_total{source="raw"} 1.0' in shown


def test_a_json_answer_has_the_contracts_keys() -> None:
    reply = ask(REFERENCE, compare="year").as_json()
    assert list(reply) == ["columns", "rows", "totals", "comparison", "proof"]
    assert cast(list[Callable[[], None]], reply["columns"])[0] == {
        "name": "trips",
        "type": "integer",
        "unit": None,
    }


def test_growth_and_the_average_day_over_day_rows(embedded: EmbeddedEngine) -> None:
    """Each day beside the one before it, read over a window that begins a day earlier."""
    asked: dict[str, object] = {"metrics": ["trips", "distance", "cars"], "grain": "day"}
    plain = ask(embedded, **{**asked, "from": "2013-03-07"}).rows
    answer = ask(embedded, **asked, compare="before", daily=True)
    assert [column.name for column in answer.columns][:6] == [
        *("time", "trips", "trips_per_day", "trips_compared", "trips_change", "trips_delta"),
    ]
    assert "cars_per_day" not in answer.rows[0], "a number of different cars does not add up"
    for before, row, own in zip(plain, answer.rows, plain[1:], strict=False):
        assert row["trips"] == row["trips_per_day"] == own["trips"]
        assert row["trips_compared"] == before["trips"]
        assert row["trips_change"] == own["trips"] - before["trips"]  # type: ignore[operator]
        assert row["cars_compared"] == before["cars"]
    assert answer.comparison is not None
    assert answer.comparison["compare"] == "before"


def test_a_week_by_the_day_is_divided_by_its_local_days(embedded: EmbeddedEngine) -> None:
    week = ask(
        embedded, metrics=["trips"], grain="week", daily=True, **{"from": "2013-03-04", "to": "2013-03-10"}
    )
    assert week.rows[0]["trips_per_day"] == week.rows[0]["trips"] / 7  # type: ignore[operator]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"compare": "before"}, "a total is no bucket"),
        ({"daily": True, "metrics": ["cars", "delay_p95"]}, "cars and delay_p95 does not add up"),
        ({"compare": "befor"}, "is no comparison"),
    ],
)
def test_what_has_no_growth_or_average_day_is_told(asked: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        ask(reference(EVENTS), **asked)


@pytest.mark.parametrize("by", [[], ["city"]])
def test_distributions_are_whole_and_the_same_from_rollup_and_events(
    embedded: EmbeddedEngine, by: list[str]
) -> None:
    asked: dict[str, object] = {"metrics": ["delay_bins", "delay_few_bins", "trips", "lost_share"], "by": by}
    answer = ask(embedded, **asked, compare="previous")
    assert answer.rows == ask(reference(EVENTS), **asked, compare="previous").rows
    assert {column.type for column in answer.columns if column.name.startswith("delay_bins")} == {
        "distribution",
        "number",
    }
    for row in answer.rows:
        bins, few = row["delay_bins"], row["delay_few_bins"]
        assert isinstance(bins, list)
        assert isinstance(few, list)
        known = row["trips"] * (1 - row["lost_share"])  # type: ignore[operator]
        assert sum(each["count"] for each in bins) == sum(each["count"] for each in few)
        assert sum(each["count"] for each in bins) == pytest.approx(known)
        assert len(few) <= 10
        assert set(bins[0]) == {"from", "to", "count"}
        assert row["delay_bins_delta"] is None
    assert answer.proof.exact["delay_bins"] is True

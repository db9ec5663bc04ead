"""Order, limit with an exact rest, totals, and several streams: against plain Python over the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questions.test_ask import METRICS, ask, limits, near, plainly, reference
from tests.questions.trips import at, trip
from tests.reference_engine import Event, ReferenceEngine

from aforo.errors import InvalidRequest, QuestionTooLarge, UnknownName
from aforo.questions.answer import Answer
from aforo.questions.ordering import ordered, ranked
from aforo.questions.rows import Row
from aforo.windows import Zone, parse_date, window_of_dates

FIRST, LAST = "2013-03-09", "2013-03-11"
WINDOW = {"from": FIRST, "to": LAST}
HOURS = st.sampled_from([*(f"2013-03-{day:02}T{hour:02}:10:00Z" for day in range(6, 13) for hour in (3, 15))])
TRIPS = st.lists(
    st.builds(
        lambda time, city, plate, delay, length: trip(
            time, city=city, plate=plate, delay=delay, length=length
        ),
        HOURS,
        st.sampled_from(["Rome", "Oslo", "Bern", "other", None]),
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from([None, -5.5, 0.0, 2.25, 40.0]),
        st.sampled_from([None, 0, 3, 700]),
    ),
    max_size=25,
)
ADDITIVE = ("trips", "delay_total", "distance")
RANKING, SUFFIXES = ("trips", "longest", "lost_share"), ("", "_compared", "_delta")
PLAIN = tuple(name for name in METRICS if not name.endswith("bins"))


def inside(events: Iterable[Event], first: str = FIRST, last: str = LAST) -> list[Event]:
    window = window_of_dates(parse_date(first), parse_date(last), Zone("America/New_York"))
    return [event for event in events if window.contains(event.time)]


def the_day(events: Iterable[Event], row: Row) -> list[Event]:
    return inside(events, str(row["time"]), str(row["time"]))


def holds(row: Row, events: Sequence[Event]) -> None:
    """The row's metrics are those of the events by their definitions."""
    for name, wanted in plainly(list(events)).items():
        assert near(row[name], wanted, name), (name, row, wanted)


def first_cities(events: Sequence[Event], limit: int, metric: str, descending: bool) -> list[str | None]:
    """The cities by a metric over all their events; nulls last, equal ones by name with the nameless last."""
    cities = sorted(
        {cast(str, event.fields["city"]) for event in events}, key=lambda city: (city is None, city)
    )
    values = [plainly([event for event in events if event.fields["city"] == city])[metric] for city in cities]
    there = [at for at, value in enumerate(values) if value is not None]
    there.sort(key=lambda at: (-1 if descending else 1) * cast(float, values[at]))
    return [cities[at] for at in (*there, *(at for at, value in enumerate(values) if value is None))][:limit]


@given(TRIPS, st.integers(1, 5), st.sampled_from(["trips", "cars", "longest", "lost_share"]), st.booleans())
@settings(max_examples=40)
def test_a_limit_keeps_the_first_groups_and_the_rest_is_exact(
    events: list[Event], limit: int, metric: str, descending: bool
) -> None:
    """Every kind of metric of the kept groups and of all others, in every bucket, from the definitions."""
    order = [{"column": metric, "descending": descending}]
    asked = {**WINDOW, "metrics": list(PLAIN), "by": ["city"], "grain": "day", "limit": limit}
    by_time = [{"column": "time"}, *order]
    answer = ask(reference(events), **asked, order=by_time)
    here = inside(events)
    kept = first_cities(here, limit, metric, descending)
    left_out = {event.fields["city"] for event in here} - {*kept}
    for row in answer.rows:
        if row.get("other"):
            assert row["city"] is None
            holds(row, [event for event in the_day(events, row) if event.fields["city"] in left_out])
        else:
            assert row["city"] in kept
            holds(row, [event for event in the_day(events, row) if event.fields["city"] == row["city"]])
    assert len(answer.rows) == 3 * (len(kept) + bool(left_out))
    for day in range(3):
        rows = answer.rows[day * len(answer.rows) // 3 : (day + 1) * len(answer.rows) // 3]
        assert [bool(row.get("other")) for row in rows] == [False] * len(kept) + [True] * bool(left_out)
        values = [row[metric] for row in rows if not row.get("other") and row[metric] is not None]
        assert values == sorted(values, reverse=descending)  # type: ignore[type-var]
    unordered = ask(reference(events), **asked, order=order).rows if kept else ()
    assert sorted(map(repr, unordered)) == sorted(map(repr, answer.rows))


@given(
    TRIPS,
    st.integers(1, 5),
    st.sampled_from(["trips_per_day", *(f"{name}{of}" for name in RANKING for of in SUFFIXES)]),
    st.booleans(),
    st.sampled_from(["day", "total"]),
)
@settings(max_examples=40)
def test_a_limit_ranks_by_any_column_of_a_metric(
    events: list[Event], limit: int, column: str, descending: bool, grain: str
) -> None:
    """As all groups' rows over both whole windows stand in that order; all others are exact in both."""
    engine = reference(events)
    order = [{"column": column, "descending": descending}]
    asked = {"metrics": list(PLAIN), "by": ["city"], "compare": "previous", "daily": True, "order": order}
    whole = ask(engine, **WINDOW, **asked).rows
    answer = ask(engine, **WINDOW, **asked, grain=grain, limit=limit)
    here, before = inside(events), inside(events, "2013-03-06", "2013-03-08")
    kept = {row["city"] for row in answer.rows if not row.get("other")}
    if column.endswith(("_compared", "_delta")):
        assert kept == {row["city"] for row in whole[:limit]}
    else:
        seen = {event.fields["city"] for event in here}
        first = [row["city"] for row in whole if row["city"] in seen]
        name = column.removesuffix("_per_day")
        gone = {(row["city"],): row[f"{name}_compared"] for row in whole if row["city"] not in seen}
        assert kept == {*[*first, *(city for (city,) in ranked(gone, descending))][:limit]}
    others = [row for row in answer.rows if row.get("other")]
    left_out = {event.fields["city"] for event in (*here, *before)} - kept
    assert len(others) == (bool(left_out) * (3 if grain == "day" else 1))
    for row in others:
        now = the_day(here, row) if grain == "day" else here
        day = date.fromisoformat(str(row.get("time", FIRST))) - timedelta(days=3)
        then = inside(before, str(day), str(day)) if grain == "day" else before
        holds(row, [event for event in now if event.fields["city"] in left_out])
        compared = plainly([event for event in then if event.fields["city"] in left_out])
        for name in PLAIN:
            assert near(row[f"{name}_compared"], compared[name], name), (name, row)
            assert row[f"{name}_delta"] == delta_of(row[name], row[f"{name}_compared"])


def delta_of(now: object, then: object) -> float | None:
    numbers = isinstance(now, int | float) and isinstance(then, int | float)
    return (now - then) / then if numbers and then else None  # type: ignore[operator]


def test_what_grew_most_is_told_of_both_windows_and_of_what_ranked_them() -> None:
    events = [
        *(trip("2013-03-10T12:00:00Z", city=city) for city in ("Rome", "Rome", "Rome", "Oslo", "Oslo")),
        *(trip("2013-03-09T12:00:00Z", city=city) for city in ("Rome", "Rome", "Oslo", "Bern")),
    ]
    asked = {"from": "2013-03-10", "to": "2013-03-10", "metrics": ["trips"], "by": ["city"], "limit": 1}
    answer = ask(reference(events), **asked, compare="previous", order="trips_delta desc")
    assert answer.rows == (
        {"city": "Oslo", "trips": 2, "trips_compared": 1, "trips_delta": 1.0},
        {"city": None, "trips": 3, "trips_compared": 3, "trips_delta": 0.0, "other": True},
    )
    gone = ask(reference(events), **asked, compare="previous", order="trips_delta")
    assert gone.rows[0] == {"city": "Bern", "trips": 0, "trips_compared": 1, "trips_delta": -1.0}
    assert {"ranking", "rankingComparison"} <= answer.proof.as_json().keys()
    plain = ask(reference(events), **asked, compare="previous", order="trips")
    assert "rankingComparison" not in plain.proof.as_json()


@given(TRIPS, st.sampled_from([None, "previous"]))
@settings(max_examples=40)
def test_totals_are_of_everything_and_not_of_rows(events: list[Event], compare: str | None) -> None:
    """Whatever the grain, the split and the limit; of groups additive metrics add up, sets only at most."""
    engine = reference(events)
    more = {"metrics": list(PLAIN), "compare": compare, "totals": True}
    split = ask(engine, **WINDOW, **more, by=["city"], grain="day")
    limited = ask(engine, **WINDOW, **more, by=["city"], grain="day", limit=1)
    whole = ask(engine, **WINDOW, **more)
    assert split.totals is not None
    assert split.totals == limited.totals == whole.totals == whole.rows[0]
    holds(split.totals, inside(events))
    if compare is not None:
        before = plainly(inside(events, "2013-03-06", "2013-03-08"))
        assert all(near(split.totals[f"{name}_compared"], before[name], name) for name in before)
    for name in ADDITIVE:
        for rows in (split.rows, limited.rows):
            assert near(sum(cast(float, row[name]) for row in rows), split.totals[name], name)
    groups = ask(engine, **WINDOW, metrics=["cars"], by=["city"])
    assert cast(int, split.totals["cars"]) <= sum(cast(int, row["cars"]) for row in groups.rows) or not events


def test_a_group_that_is_named_other_is_no_rest() -> None:
    events = [trip("2013-03-09T12:00:00Z", city=city) for city in ("other", "other", "Rome", None)]
    rows = ask(reference(events), **WINDOW, metrics=["trips"], by=["city"], limit=1).rows
    assert rows == ({"city": "other", "trips": 2}, {"city": None, "trips": 2, "other": True})
    all_kept = ask(reference(events), **WINDOW, metrics=["trips"], by=["city"], limit=3)
    assert all_kept.rows[-1] == {"city": None, "trips": 1}, "a group of nulls is a group"
    assert [column.name for column in all_kept.columns] == ["city", "trips", "other"]


def test_both_windows_of_a_comparison_have_the_same_groups() -> None:
    events = [
        *(trip("2013-03-10T12:00:00Z", city=city) for city in ("Rome", "Rome", "Oslo")),
        *(trip("2013-03-09T12:00:00Z", city=city) for city in ("Bern", "Bern", "Oslo", "Ulm")),
    ]
    asked = {"from": "2013-03-10", "to": "2013-03-10", "metrics": ["trips"], "by": ["city"]}

    def told(**more: object) -> list[tuple[object, ...]]:
        rows = ask(reference(events), **asked, compare="previous", **more).rows
        return [(row["city"], row["trips"], row["trips_compared"], row.get("other")) for row in rows]

    assert told(limit=1) == [("Rome", 2, 0, None), (None, 1, 4, True)]
    assert told(limit=3) == [
        ("Rome", 2, 0, None),
        ("Oslo", 1, 1, None),
        ("Bern", 0, 2, None),
        (None, 0, 1, True),
    ]
    assert told(order="trips_compared desc, city") == [
        ("Bern", 0, 2, None), ("Oslo", 1, 1, None), ("Ulm", 0, 1, None), ("Rome", 2, 0, None),
    ]  # fmt: skip


def test_rows_stand_as_they_are_asked() -> None:
    events = [
        *(trip("2013-03-09T12:00:00Z", city="Rome", delay=1.0) for _ in range(2)),
        *(trip("2013-03-10T12:00:00Z", city="Oslo", delay=5.0) for _ in range(3)),
        trip("2013-03-10T12:00:00Z", city="Rome"),
    ]
    asked = {"from": "2013-03-09", "to": "2013-03-10", "metrics": ["trips", "delay_avg"], "by": ["city"]}

    def told(order: object, grain: str = "day", **more: object) -> list[tuple[object, ...]]:
        rows = ask(reference(events), **asked, grain=grain, order=order, **more).rows
        return [(str(row.get("time"))[-2:], row["city"], row["trips"]) for row in rows]

    assert told("trips desc") == [("10", "Oslo", 3), ("09", "Rome", 2), ("10", "Rome", 1), ("09", "Oslo", 0)]
    assert told("time desc, trips") == [
        ("10", "Rome", 1), ("10", "Oslo", 3), ("09", "Oslo", 0), ("09", "Rome", 2),
    ]  # fmt: skip
    # What has no value comes last, whichever way it goes.
    assert [row[1] for row in told([{"column": "delay_avg"}])[:2]] == ["Rome", "Oslo"]
    assert [row[2] for row in told([{"column": "delay_avg", "descending": True}])[2:]] == [0, 1]
    assert told("trips", limit=1) == [("09", "Oslo", 0), ("10", "Oslo", 3), ("10", None, 1), ("09", None, 2)]


def test_the_rest_comes_after_the_groups_from_the_first_column_that_is_no_time() -> None:
    events = [trip("2013-03-09T12:00:00Z", city=city) for city in ("Rome", "Oslo", "Bern", "Bern")]
    asked = {"from": "2013-03-09", "to": "2013-03-10", "metrics": ["trips"], "by": ["city"], "limit": 1}
    engine = reference([*events, trip("2013-03-10T12:00:00Z", city="Rome")])

    def others(order: str) -> list[object]:
        return [bool(row.get("other")) for row in ask(engine, **asked, grain="day", order=order).rows]

    assert others("time desc, trips desc") == [False, True, False, True]
    assert others("trips") == others("trips desc") == [False, False, True, True]


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"order": "tripz"}, UnknownName, "did you mean 'trips'"),
        ({"order": "trips sideways"}, UnknownName, "direction named 'sideways'"),
        ({"order": "trips desc now"}, InvalidRequest, "no column to order by"),
        ({"order": [{"column": "trips", "descendig": True}]}, InvalidRequest, "descendig"),
        ({"order": "time"}, UnknownName, "no column of this answer named 'time'"),
        ({"order": "trips_delta"}, UnknownName, "no column of this answer"),
        ({"metrics": ["delay_bins"], "order": "delay_bins"}, InvalidRequest, "is a distribution"),
        ({"metrics": ["delay_bins"], "by": ["city"], "limit": 2}, InvalidRequest, "which is a distribution"),
        (
            {"metrics": ["delay_bins"], "compare": "year", "order": "delay_bins_compared"},
            InvalidRequest,
            "is a distribution",
        ),
        (
            {"by": ["city"], "compare": "before", "grain": "day", "order": "trips_delta", "limit": 1},
            InvalidRequest,
            "the buckets before each are no whole",
        ),
        ({"limit": 2}, InvalidRequest, "nothing is split"),
        ({"by": ["city"], "limit": -1}, InvalidRequest, "limit"),
        ({"matchWeekdays": True}, InvalidRequest, "nothing is compared"),
        ({"matchWeekdays": True, "compare": "before", "grain": "day"}, InvalidRequest, "names its own days"),
    ],
)
def test_what_cannot_be_ordered_or_kept_is_told(
    asked: dict[str, object], error: type[InvalidRequest], told: str
) -> None:
    with pytest.raises(error, match=told):
        ask(reference([]), **{"metrics": ["trips"], **asked})


def test_the_proof_tells_what_ranked_and_what_told_the_totals() -> None:
    engine = reference([trip("2013-03-09T12:00:00Z", city="Rome", plate="a")])
    proof = ask(engine, **WINDOW, metrics=["trips"], by=["plate"], limit=1, totals=True).proof.as_json()
    assert (proof["source"], cast(dict[str, object], proof["ranking"])["source"]) == ("raw", "raw")
    assert cast(dict[str, object], proof["totals"])["rollup"] == "whole"
    compared = ask(engine, **WINDOW, metrics=["trips"], by=["city"], totals=True, compare="year").proof
    assert "totalsComparison" in compared.as_json()
    assert ask(engine, **WINDOW, metrics=["trips"], totals=True).proof.reads["trips"].totals is None


def test_raw_events_are_counted_for_everything_that_is_read() -> None:
    events = [trip("2013-03-09T12:00:00Z", plate="a") for _ in range(10)]
    asked = {**WINDOW, "metrics": ["trips"], "by": ["plate"]}
    assert ask(reference(events), limits(raw_rows_limit=10), **asked).rows
    with pytest.raises(QuestionTooLarge, match="about 20 raw events"):
        ask(reference(events), limits(raw_rows_limit=10), **asked, limit=1)


def test_a_limit_makes_room_for_many_groups() -> None:
    events = [trip("2013-03-09T12:00:00Z", city=f"city {number}") for number in range(50)]
    asked = {**WINDOW, "metrics": ["trips"], "by": ["city"]}
    with pytest.raises(QuestionTooLarge, match="'limit'"):
        ask(reference(events), limits(max_rows=11), **asked)
    assert len(ask(reference(events), limits(max_rows=11), **asked, limit=10).rows) == 11


def stop(time: str, city: str | None) -> Event:
    return Event("nyc", "stops", at(time), {"platform": None, "city": city, "line": None})


def asked_of_both(*events: Event, **more: object) -> Answer:
    engine: ReferenceEngine = reference(events)
    return ask(engine, **{**WINDOW, "metrics": ["stops", "trips", "cars"], **more})


def test_metrics_of_several_streams_are_joined_on_bucket_and_group() -> None:
    events = [
        trip("2013-03-09T12:00:00Z", city="Rome", plate="a"),
        trip("2013-03-10T12:00:00Z", city="Oslo", plate="a"),
        stop("2013-03-10T13:00:00Z", "Rome"),
        stop("2013-03-10T14:00:00Z", None),
    ]
    answer = asked_of_both(*events, by=["city"], totals=True)
    assert answer.rows == (
        {"city": "Oslo", "stops": 0, "trips": 1, "cars": 1},
        {"city": "Rome", "stops": 1, "trips": 1, "cars": 1},
        {"city": None, "stops": 1, "trips": 0, "cars": 0},
    )
    assert answer.totals == {"stops": 2, "trips": 2, "cars": 1}
    proof = answer.proof.as_json()
    streams = cast(dict[str, dict[str, object]], proof["streams"])
    assert "source" not in proof
    assert [(name, streams[name]["source"]) for name in streams] == [("stops", "raw"), ("trips", "rollup")]
    limited = asked_of_both(*events, by=["city"], limit=1, grain="day", order="trips desc, city").rows
    rest = [(row["time"], row["stops"], row["trips"]) for row in limited if row.get("other")]
    assert rest == [("2013-03-09", 0, 1), ("2013-03-10", 2, 0), ("2013-03-11", 0, 0)]


def test_what_one_of_several_streams_has_not_is_told() -> None:
    with pytest.raises(UnknownName, match="dimension of stops named 'night'"):
        asked_of_both(by=["night"])
    with pytest.raises(InvalidRequest, match="line is of type string in stops and of type integer in trips"):
        asked_of_both(by=["line"])
    with pytest.raises(UnknownName, match="dimension of trips named 'platform'"):
        asked_of_both(where="platform = 'a'")


@given(st.dictionaries(st.tuples(st.sampled_from(["a", "b", None])), st.sampled_from([None, 1, 2, 2.5])))
def test_ranks_are_total_and_nulls_last(values: dict[tuple[object, ...], object]) -> None:
    up, down = ranked(values, False), ranked(values, True)
    assert set(up) == set(down) == set(values)
    assert [values[group] for group in up if values[group] is None] == [None] * sum(
        value is None for value in values.values()
    )
    for order in (up, down):
        there = [values[group] is None for group in order]
        assert there == sorted(there)
    assert ordered("abc", [2, None, 1], descending=False) == ["c", "a", "b"]

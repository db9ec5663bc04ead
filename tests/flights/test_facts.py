"""What is publicly known of these flights, asked of the rollups."""

from __future__ import annotations

from typing import Any

import pytest
from tests.flights.conftest import Ask

ALL = (
    *("flights", "cancelled", "cancellation_rate", "dep_delay_avg", "dep_delay_p5", "dep_delay_p50"),
    *("dep_delay_p95", "arr_delay_avg", "aircraft", "destinations", "distance_total", "air_time_total"),
)


def by(reply: dict[str, Any], dimension: str, metric: str) -> dict[str, Any]:
    return {row[dimension]: row[metric] for row in reply["rows"]}


def one(reply: dict[str, Any], metric: str) -> Any:
    (row,) = reply["rows"]
    return row[metric]


def test_the_year_in_one_row(ask: Ask) -> None:
    reply = ask(*ALL)
    (row,) = reply["rows"]
    assert (row["flights"], row["cancelled"], row["aircraft"], row["destinations"]) == (
        336_776,
        8_255,
        4_043,
        105,
    )
    assert row["cancellation_rate"] == 8_255 / 336_776
    assert (row["distance_total"], row["air_time_total"]) == (350_217_607, 49_326_610)
    assert reply["proof"]["source"] == "rollup"


def test_flights_by_carrier_and_by_origin(ask: Ask) -> None:
    carriers = by(ask("flights", by=["carrier"]), "carrier", "flights")
    assert {name: carriers[name] for name in ("UA", "B6", "EV", "DL", "AA")} == {
        "UA": 58_665,
        "B6": 54_635,
        "EV": 54_173,
        "DL": 48_110,
        "AA": 32_729,
    }
    origins = by(ask("flights", by=["origin"]), "origin", "flights")
    assert origins == {"EWR": 120_835, "JFK": 111_279, "LGA": 104_662}


def test_the_first_day_is_new_yorks_unless_another_zone_is_asked(ask: Ask) -> None:
    day = {"from": "2013-01-01", "to": "2013-01-01"}
    assert one(ask("flights", **day), "flights") == 842
    assert one(ask("flights", timezone="UTC", **day), "flights") == 709


def test_mean_departure_delays_by_month(ask: Ask) -> None:
    reply = ask("dep_delay_avg", grain="month")
    found = by(reply, "time", "dep_delay_avg")
    wanted = {
        "2013-01-01": 10.036665,
        "2013-02-01": 10.816843,
        "2013-03-01": 13.227076,
        "2013-07-01": 21.727787,
    }
    assert {month: round(found[month], 6) for month in wanted} == wanted
    assert len(reply["rows"]) == 12


def test_aircraft_are_exact_over_any_window_and_split(ask: Ask) -> None:
    assert one(ask("aircraft", **{"from": "2013-01-01", "to": "2013-01-31"}), "aircraft") == 3_148
    assert one(ask("aircraft", **{"from": "2013-01-01", "to": "2013-01-01"}), "aircraft") == 649
    reply = ask("aircraft", by=["origin"])
    assert by(reply, "origin", "aircraft")["EWR"] == 3_040
    assert (reply["proof"]["source"], reply["proof"]["exact"]) == ("rollup", {"aircraft": True})


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ("dep_delay_p95", {"EWR": 96, "JFK": 85, "LGA": 81}),
        ("dep_delay_p5", {"EWR": -8, "JFK": -8, "LGA": -10}),
    ],
)
def test_percentiles_are_within_one_percent_also_below_zero(
    ask: Ask, metric: str, wanted: dict[str, int]
) -> None:
    reply = ask(metric, by=["origin"])
    found = by(reply, "origin", metric)
    assert found.keys() == wanted.keys()
    for origin, value in wanted.items():
        assert found[origin] == pytest.approx(value, rel=0.01)
    assert reply["proof"]["exact"][metric]["relativeError"] < 0.01


@pytest.mark.parametrize(("day", "hours"), [("2013-03-10", 23), ("2013-11-03", 25), ("2013-06-01", 24)])
def test_days_have_the_hours_they_have(ask: Ask, day: str, hours: int) -> None:
    reply = ask("flights", grain="hour", **{"from": day, "to": day})
    assert len(reply["rows"]) == hours
    whole = one(ask("flights", **{"from": day, "to": day}), "flights")
    assert sum(row["flights"] for row in reply["rows"]) == whole


def test_a_year_is_the_sum_of_its_days_weeks_and_slots(ask: Ask) -> None:
    for grain, rows in (("day", 365), ("week", 53), ("slot", 365 * 96)):
        if grain == "slot":
            window = {"from": "2013-01-01", "to": "2013-01-31"}
            wanted, rows = 27_004, 31 * 96
        else:
            window, wanted = {}, 336_776
        reply = ask("flights", grain=grain, **window)
        assert (len(reply["rows"]), sum(row["flights"] for row in reply["rows"])) == (rows, wanted)


def test_a_split_that_no_rollup_keeps_is_read_raw_and_says_so(ask: Ask) -> None:
    reply = ask(
        "flights", "aircraft", by=["dest"], grain="hour", **{"from": "2013-01-01", "to": "2013-01-01"}
    )
    assert reply["proof"]["source"] == "raw"
    assert reply["proof"]["reason"]
    assert sum(row["flights"] for row in reply["rows"]) == 842


def test_rollup_and_raw_agree(ask: Ask) -> None:
    month = {"from": "2013-03-01", "to": "2013-03-31", "by": ["origin"], "grain": "day"}
    folded = ask(*ALL, **month)
    # No rollup keeps the distance, so that the same question with a condition on it is read from the events.
    raw = ask(*ALL, where="distance >= 1", **month)
    assert (folded["proof"]["source"], raw["proof"]["source"]) == ("rollup", "raw")
    assert folded["rows"] == raw["rows"]


MONTHS = (27_004, 24_951, 28_834, 28_330, 28_796, 28_243, 29_425, 29_327, 27_574, 28_889, 27_268, 28_135)


def test_months_weeks_and_the_average_day(ask: Ask) -> None:
    months = ask("flights", "aircraft", grain="month", compare="before", daily=True)
    assert months["proof"]["grains"] == ["month"]
    assert [row["flights"] for row in months["rows"]] == list(MONTHS)
    first, second = months["rows"][:2]
    assert (first["flights_compared"], first["flights_change"], first["flights_delta"]) == (0, 27_004, None)
    assert (second["flights_change"], second["flights_delta"]) == (-2_053, -2_053 / 27_004)
    assert second["flights_per_day"] == 24_951 / 28
    assert max(row["aircraft"] for row in months["rows"]) < 4_043, "a month has not all of a year's aircraft"
    weeks = ask("flights", grain="week")
    assert weeks["proof"]["grains"] == ["day", "week"]
    assert weeks["rows"][0] == {
        "time": "2012-12-31",
        "flights": 842 + 943 + 914 + 915 + 720 + 832,
        "partial": True,
    }


def test_new_yorks_days_over_both_changes_of_its_clocks_are_what_the_events_say(ask: Ask) -> None:
    for first, last in (("2013-03-04", "2013-03-17"), ("2013-10-28", "2013-11-10")):
        window = {"from": first, "to": last}
        for grain, periods in (("day", ["day"]), ("week", ["week"])):
            folded = ask(*ALL, grain=grain, **window)
            assert folded["proof"]["grains"] == periods
            assert folded["rows"] == ask(*ALL, where="distance >= 1", grain=grain, **window)["rows"]

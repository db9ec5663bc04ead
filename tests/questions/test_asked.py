"""From the outer form to a question: defaults, and every fault told with the nearest right word."""

from __future__ import annotations

import pytest
from tests.questions.trips import MODEL, at

from aforo.clock import ManualClock
from aforo.errors import InvalidRequest, QuestionTooLarge, UnknownName
from aforo.model.condition import Condition, Op
from aforo.questions.asked import Asked, AskedCondition, decode
from aforo.questions.question import Question
from aforo.questions.resolve import resolve
from aforo.settings import Questions, Settings
from aforo.windows import Grain, Zone, parse_date, window_of_dates

NEW_YORK = Zone("America/New_York")
NOW = at("2013-07-04T22:00:00-04:00")


def resolved(settings: Settings | None = None, **asked: object) -> Question:
    body = {"tenant": "nyc", "metrics": ["trips"], **asked}
    return resolve(decode(body), MODEL, NEW_YORK, settings or Settings(), ManualClock(NOW))


def refused(**asked: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        resolved(**asked)
    return raised.value


def window(first: str, last: str, zone: Zone = NEW_YORK) -> object:
    return window_of_dates(parse_date(first), parse_date(last), zone)


def test_the_defaults_are_thirty_local_days_up_to_today_in_one_bucket() -> None:
    question = resolved()
    assert question.window == window("2013-06-05", "2013-07-04")
    assert (question.grain, question.zone, question.by, question.where) == (Grain.TOTAL, NEW_YORK, (), ())
    assert question.compare is None
    assert question.stream == "trips"


def test_dates_are_inclusive_and_instants_half_open() -> None:
    asked = {"from": "2013-01-01", "to": "2013-01-31"}
    assert resolved(**asked).window == window("2013-01-01", "2013-01-31")
    kathmandu = resolved(**asked, timezone="Asia/Kathmandu")
    assert kathmandu.window == window("2013-01-01", "2013-01-31", Zone("Asia/Kathmandu"))
    hours = resolved(**{"from": "2013-01-01T10:00:00Z", "to": "2013-01-01T06:30:00-05:00"}).window
    assert (hours.start, hours.end) == (at("2013-01-01T10:00:00Z"), at("2013-01-01T11:30:00Z"))


def test_one_end_alone_makes_the_other() -> None:
    assert resolved(**{"from": "2013-07-01"}).window == window("2013-07-01", "2013-07-04")
    assert resolved(to="2013-03-31").window == window("2013-03-02", "2013-03-31")


def test_the_week_start_is_the_tenants_in_any_zone() -> None:
    settled = resolve(
        decode({"tenant": "ktm", "metrics": ["trips"], "timezone": "UTC"}),
        MODEL,
        Zone("Asia/Kathmandu", "sunday"),
        Settings(),
        ManualClock(NOW),
    )
    assert settled.zone == Zone("UTC", "sunday")


def test_where_comes_as_a_list_or_as_a_text() -> None:
    listed = resolved(
        where=[
            {"dimension": "city", "op": "in", "value": ["Rome", "Oslo"]},
            {"dimension": "line", "op": ">=", "value": 3},
            {"dimension": "plate", "op": "IS  NULL"},
            {"dimension": "night", "value": True},
        ]
    )
    text = resolved(where="city in ('Rome', 'Oslo') and line >= 3 and plate is null and night = true")
    assert listed.where == text.where
    assert listed.where[0] == Condition("city", Op.IN, ("Rome", "Oslo"))
    assert resolved(where=" ").where == ()


UNKNOWN = [
    ({"metrics": ["trip"]}, "metrics[0]", "did you mean 'trips'"),
    ({"by": ["citty"]}, "by[0]", "did you mean 'city'"),
    ({"grain": "dayly"}, "grain", "did you mean 'day'"),
    ({"timezone": "America/New_Yrok"}, "timezone", "did you mean 'America/New_York'"),
    ({"where": [{"dimension": "citty", "value": "Rome"}]}, "where[0]", "did you mean 'city'"),
    ({"where": "citty = 'Rome'"}, "where", "did you mean 'city'"),
    ({"where": [{"dimension": "city", "op": "==", "value": "Rome"}]}, "where[0]", "="),
    ({"metrik": ["trips"]}, "metrik", "did you mean 'metrics'"),
]


@pytest.mark.parametrize(("asked", "path", "said"), UNKNOWN)
def test_an_unknown_name_is_told_with_the_nearest_right_one(
    asked: dict[str, object], path: str, said: str
) -> None:
    error = refused(**asked)
    assert isinstance(error, UnknownName)
    assert said in error.hint
    assert [fault.path for fault in error.faults] == [path]


BAD = [
    ({"metrics": []}, "no metric"),
    ({"metrics": ["trips", "trips"]}, "two columns named trips"),
    ({"by": ["city", "city"]}, "two columns named city"),
    ({"metrics": ["cars"], "by": ["city"], "compare": "last"}, "no comparison"),
    ({"metrics": ["trips", "stops"], "by": ["line"]}, "line is of type integer in trips and of type string"),
    ({"by": ["delay"]}, "number with fractions"),
    ({"from": "2013-02-01", "to": "2013-01-01"}, "ends before it begins"),
    ({"from": "2013-01-01T00:00:00Z", "to": "2013-01-01T00:00:00Z"}, "empty"),
    ({"from": "2014-01-01"}, "ends before it begins"),
    ({"from": "2013-01-01T00:00:00"}, "names no zone"),
    ({"from": "01/02/2013"}, "not a date"),
    ({"from": "yesterday"}, "not a date"),
    ({"from": "2013-01-01T05"}, "not an instant"),
    ({"to": "2013-02-30"}, "not a date"),
    ({"to": "9999-12-31"}, "dates lie between"),
    ({"from": "0001-01-01"}, "dates lie between 1973-01-02 and 2999-12-30: 0001-01-01 came"),
    (
        {"timezone": "Pacific/Apia", "from": "2011-12-30", "to": "2011-12-30"},
        "there was no 2011-12-30 in Pacific/Apia, whose clocks skipped that day",
    ),
    ({"from": "1890-01-01T00:00:00Z"}, "1973"),
    ({"where": [{"dimension": "line", "value": "three"}]}, "whole number"),
    ({"where": [{"dimension": "city", "op": "in", "value": "Rome"}]}, "list"),
    ({"where": [{"dimension": "city", "op": "in", "value": ["Rome", None]}]}, "null"),
    ({"where": [{"dimension": "city", "value": None}]}, "null"),
    ({"where": [{"dimension": "delay", "op": "contains", "value": "1"}]}, "for strings"),
    ({"where": "city = Rome"}, "value"),
    ({"where": "city = 'Rome' or city = 'Oslo'"}, "joined by 'and'"),
]


@pytest.mark.parametrize(("asked", "said"), BAD)
def test_what_is_wrong_is_told(asked: dict[str, object], said: str) -> None:
    assert said in str(refused(**asked))


def test_all_faults_are_told_at_once_each_at_its_place() -> None:
    error = refused(
        metrics=["trips", "delayavg"],
        grain="dya",
        by=["citty", "delay"],
        where=[{"dimension": "line", "op": "~", "value": 1}, {"dimension": "lime", "value": 1}],
        timezone="Mars",
        to="soon",
        compare="never",
    )
    places = {fault.path for fault in error.faults}
    assert places == {
        "metrics[1]", "grain", "by[0]", "by[1]", "where[0]", "where[1]", "timezone", "to", "compare",
    }  # fmt: skip
    assert "did you mean 'delay_avg'?" in str(error)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "a list came"),
        (7, "a number came"),
        ({"tenant": "nyc"}, "metrics is missing"),
        ({"tenant": "nyc", "metrics": ["trips"], "by": "city"}, "by: Expected `array`"),
        ({"tenant": "nyc", "metrics": ["trips"], "where": [{"field": "city"}]}, "named 'field'"),
        ({"tenant": "nyc", "metrics": ["trips"], "where": [{"op": "="}]}, "where[0]"),
        ({"tenant": "nyc", "metrics": [1]}, "metrics[0]"),
        ({"tenant": "nyc", "metrics": ["trips"], "limits": 5}, "no parameter named 'limits'"),
        ({"tenant": "nyc", "metrics": ["trips"], "limit": 0}, "limit"),
        ({"metric": 1, "tenent": 2}, "no parameter named 'metric'; there is no parameter named 'tenent'"),
    ],
)
def test_what_is_no_question(body: object, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        decode(body)
    assert said in raised.value.detail


def test_the_outer_form_may_be_made_without_json() -> None:
    asked = Asked(tenant="nyc", metrics=("trips",), from_="2013-01-01", where=(AskedCondition("city"),))
    assert (
        decode(
            {"tenant": "nyc", "metrics": ["trips"], "from": "2013-01-01", "where": [{"dimension": "city"}]}
        )
        == asked
    )


def test_too_many_buckets_are_refused_before_they_are_made() -> None:
    few = Settings(questions=Questions(max_buckets=24))
    assert resolved(few, **{"from": "2013-07-01", "to": "2013-07-01", "grain": "hour"}).grain is Grain.HOUR
    for last in ("2013-07-02", "2999-01-01"):
        with pytest.raises(QuestionTooLarge, match="an answer may have 24"):
            resolved(few, **{"from": "2013-07-01", "to": last, "grain": "hour"})

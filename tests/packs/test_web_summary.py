"""The summary against the paper's own reply, and against a plain reckoning of the events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.packs.sites import Event, Reckoned, bring, held, made_up

from aforo.assembly import Local
from aforo.errors import InvalidRequest, UnknownName
from aforo.packs.web.asked import MOST_DAYS, asked_of
from aforo.packs.web.summary import summary
from aforo.windows import Zone, parse_instant

PAPER = json.loads((Path(__file__).parent / "summary_of_the_paper.json").read_text(encoding="utf-8"))
ZONES = {"greenwich": "UTC", "madrid": "Europe/Madrid", "patan": "Asia/Kathmandu"}
TODAY = date(2026, 2, 13)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return [event for seed, tenant in enumerate(ZONES) for event in made_up(tenant, seed)]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> Iterator[Local]:
    local = held(tmp_path_factory.mktemp("sites"), ZONES)
    bring(local, *events)
    yield local
    local.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A house in which each test has a tenant of its own."""
    local = held(tmp_path_factory.mktemp("house"))
    yield local
    local.close()


def summed(local: Local, **given: str) -> dict[str, Any]:
    """The reply of the route."""
    reply: dict[str, Any] = json.loads(
        msgspec.json.encode(summary(local.aforo.desk, asked_of(given, "greenwich")))
    )
    return reply


def kinds(value: object) -> object:
    """The names and types in a reply, in whatever order; numbers are of one type."""
    if isinstance(value, dict):
        return {name: kinds(part) for name, part in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])]
    return "number" if type(value) in (int, float) else type(value).__name__


def test_the_shape_is_the_paper_s(sites: Local) -> None:
    reply = summed(sites, **{"from": "2026-01-14", "to": "2026-02-13", "compareTo": "2025-12-15..2026-01-13"})
    assert reply.pop("proof")["exact"]["uniqueVisitors"] is True
    assert reply["metrics"].pop("trafficSourceMix").keys() > PAPER["metrics"]["trafficSourceMix"].keys()
    wanted = {**PAPER, "metrics": {**PAPER["metrics"]}}
    del wanted["metrics"]["trafficSourceMix"]
    assert kinds(reply) == kinds(wanted)
    assert (list(reply), list(reply["metrics"])) == (list(wanted), list(wanted["metrics"]))
    assert (reply["window"], reply["compareTo"]) == (PAPER["window"], PAPER["compareTo"])
    assert [each["day"] for each in reply["trend"]] == [str(TODAY - at * DAY) for at in reversed(range(31))]
    assert reply["freshness"]["generatedAt"] == "2026-02-13T10:20:00Z"
    assert (reply["freshness"]["rolledUpThrough"], reply["freshness"]["lagDays"]) == ("2026-02-12", 1)


def test_counts_are_whole_numbers(sites: Local) -> None:
    reply = summed(sites)
    for value in (
        *(reply["metrics"][name]["value"] for name in ("uniqueVisitors", "totalPageViews")),
        *(reply["ingest"][name] for name in ("p95TtfbMs", "totalEventsAccepted", "totalEventsRejected")),
        *(reply["trend"][0][name] for name in ("uniqueVisitors", "pageViews", "newLeads")),
    ):
        assert type(value) is int


def test_without_a_comparison_deltas_are_null(sites: Local) -> None:
    reply = summed(sites)
    assert reply["compareTo"] is None
    assert len(reply["trend"]) == 30
    deltas = [each["delta"] for name, each in reply["metrics"].items() if name != "trafficSourceMix"]
    assert deltas == [None] * 7


def test_of_nothing_counts_are_zero_and_shares_null(sites: Local) -> None:
    reply = summed(sites, **{"from": "2019-01-01", "to": "2019-01-02", "compareTo": "previous"})
    values = {name: each.get("value") for name, each in reply["metrics"].items()}
    assert values == {
        **dict.fromkeys(values),
        "uniqueVisitors": 0,
        "totalPageViews": 0,
    }
    assert all(each.get("delta") is None for each in reply["metrics"].values())
    assert reply["metrics"]["trafficSourceMix"] == {}
    assert reply["ingest"] == {
        "successPct": None,
        "p95TtfbMs": None,
        "totalEventsAccepted": 0,
        "totalEventsRejected": 0,
    }
    assert [each["pageViews"] for each in reply["trend"]] == [0, 0]


COMPARISONS = ("previous", "year", "2025-08-01..2025-09-15")


@pytest.mark.parametrize("days", [1, 7, 30, 90])
@pytest.mark.parametrize("tenant", ZONES)
def test_every_number_is_what_the_events_say(
    sites: Local, events: list[Event], tenant: str, days: int
) -> None:
    zone = Zone(ZONES[tenant])
    last = TODAY - DAY
    first = last - (days - 1) * DAY
    compare = COMPARISONS[([1, 7, 30, 90].index(days) + list(ZONES).index(tenant)) % 3]
    given = {"propertyId": tenant, "from": str(first), "to": str(last)}
    alone, reply = summed(sites, **given), summed(sites, **given, compareTo=compare)
    for part in ("window", "ingest", "trend"):
        assert alone[part] == reply[part]
    reckoned = Reckoned(events, tenant, zone)
    window = zone.day_start(first), zone.day_start(last + DAY)
    own = reckoned.metrics(*window)
    for each in (alone, reply):
        assert each["metrics"].pop("trafficSourceMix") == pytest.approx(reckoned.mix(*window))
        assert {name: told["value"] for name, told in each["metrics"].items()} == pytest.approx(own)
    assert {told["delta"] for told in alone["metrics"].values()} == {None}
    assert reply["trend"] == reckoned.trend(first, last)
    p95 = reckoned.p95(*window)
    assert reply["ingest"]["p95TtfbMs"] == (p95 if p95 is None else pytest.approx(p95, rel=0.01, abs=1))
    begin, end = other_days(first, last, compare)
    assert reply["compareTo"] == {"from": str(begin), "to": str(end)}
    against = reckoned.metrics(zone.day_start(begin), zone.day_start(end + DAY))
    deltas = {
        name: (own[name] - base) / base if base and own[name] is not None else None
        for name, base in against.items()
    }
    assert {name: told["delta"] for name, told in reply["metrics"].items()} == pytest.approx(deltas)


def other_days(first: date, last: date, compare: str) -> tuple[date, date]:
    """The dates that a comparison means; none of these windows touches a leap day."""
    if compare == "previous":
        return first - (last - first) - DAY, first - DAY
    if compare == "year":
        return first.replace(year=first.year - 1), last.replace(year=last.year - 1)
    begin, _, end = compare.partition("..")
    return date.fromisoformat(begin), date.fromisoformat(end)


def test_a_window_that_is_not_over_is_held_against_as_much_of_the_other(
    sites: Local, events: list[Event]
) -> None:
    reply = summed(sites, **{"from": str(TODAY - 2 * DAY), "to": str(TODAY), "compareTo": "previous"})
    reckoned = Reckoned(events, "greenwich", Zone("UTC"))
    begin = Zone("UTC").day_start(TODAY - 5 * DAY)
    other = reckoned.metrics(begin, begin + parse_instant("1970-01-03T10:15:00Z"))
    views = reply["metrics"]["totalPageViews"]
    assert other["totalPageViews"]
    assert views["delta"] == pytest.approx(views["value"] / other["totalPageViews"] - 1)
    assert reply["compareTo"] == {"from": "2026-02-08", "to": "2026-02-10"}
    assert reply["proof"]["comparison"]["sameElapsed"] is True


def test_a_window_compared_with_itself_has_not_changed(sites: Local) -> None:
    reply = summed(sites, **{"from": "2025-10-01", "to": "2025-11-30", "compareTo": "2025-10-01..2025-11-30"})
    deltas = [each["delta"] for name, each in reply["metrics"].items() if name != "trafficSourceMix"]
    assert deltas == [0.0] * 7


def test_what_arrived_is_counted_by_when_it_came(house: Local) -> None:
    bring(house, view("arrivals", "2026-02-01T10:00:00Z"))
    bring(house, view("arrivals", "2026-02-01T10:00:00Z"), view("arrivals", "2026-02-13T10:00:00Z"))
    reply = summed(house, propertyId="arrivals", **{"from": "2026-02-13"})
    wanted = {"successPct": 1.0, "p95TtfbMs": None, "totalEventsAccepted": 2, "totalEventsRejected": 0}
    assert reply["ingest"] == wanted
    assert reply["metrics"]["totalPageViews"]["value"] == 1


def view(tenant: str, time: str) -> Event:
    event = {"stream": "web_events", "tenant": tenant, "time": time, "event": "page_view"}
    return {**event, "visitor_id": "a", "path": "/"}


def test_a_late_event_lengthens_joins_and_splits_sessions_and_is_in_the_summary(house: Local) -> None:
    names = ["web_sessions", "web_session_seconds", "web_pages_per_session"]
    question = {"tenant": "sessions", "metrics": names, "from": "2026-02-01", "to": "2026-02-01"}

    def brought(*times: str) -> tuple[list[int], list[float]]:
        """The page views of both days, and the sessions of the first of February."""
        bring(house, *(view("sessions", f"2026-{time}:00Z") for time in times))
        reply = summed(house, propertyId="sessions", **{"from": "2026-01-31", "to": "2026-02-01"})
        days = [day["pageViews"] for day in reply["trend"]]
        assert sum(days) == reply["metrics"]["totalPageViews"]["value"]
        rows: Any = house.ask(question)["rows"]
        return days, [rows[0][name] for name in names]

    assert brought("02-01T10:00", "02-01T11:00") == ([0, 2], [2, 0.0, 1.0])
    assert brought("02-01T10:10") == ([0, 3], [2, 300.0, 1.5])  # lengthens the first
    assert brought("02-01T10:35") == ([0, 4], [1, 3_600.0, 4.0])  # joins both
    assert brought("01-31T23:50", "02-01T00:10") == ([1, 5], [2, 1_800.0, 2.5])  # midnight splits
    returning = summed(house, propertyId="sessions", **{"from": "2026-02-01", "to": "2026-02-01"})
    assert returning["metrics"]["returningVisitorsPct"]["value"] == 1.0  # seen the evening before


def test_a_lead_that_was_captured_before_is_not_new(house: Local) -> None:
    def brought(time: str, hours: int) -> tuple[list[int], float | None]:
        event = {"stream": "web_leads", "tenant": "leads", "lead_id": "l", "time": time}
        bring(house, {**event, "time_to_capture_ms": hours * 3_600_000})
        reply = summed(house, propertyId="leads", **{"from": "2026-02-01", "to": "2026-02-02"})
        wait: float | None = reply["metrics"]["avgTimeToFirstCaptureHrs"]["value"]
        return [day["newLeads"] for day in reply["trend"]], wait

    assert brought("2026-02-02T10:00:00Z", 2) == ([0, 1], 2.0)
    assert brought("2026-02-01T10:00:00Z", 1) == ([1, 0], 1.0)  # comes late, was earlier
    assert brought("2026-01-31T10:00:00Z", 0) == ([0, 0], None)


def test_what_waits_for_a_fold_holds_the_freshness_back(house: Local) -> None:
    def fresh() -> tuple[str, int]:
        freshness = summed(house, propertyId="waiting")["freshness"]
        return freshness["rolledUpThrough"], freshness["lagDays"]

    bring(house, view("waiting", "2026-02-12T10:00:00Z"))
    assert fresh() == ("2026-02-12", 1)
    bring(house, view("waiting", "2026-02-10T10:00:00Z"), fold=False)
    assert fresh() == ("2026-02-09", 4)
    house.fold(lambda _slots: None)
    assert fresh() == ("2026-02-12", 1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"from": "2026-13-01"}, "is not a date"),
        ({"to": "2026-02-13T00:00:00Z"}, "is not a date"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "ends before it begins"),
        ({"from": "2025-01-01", "to": "2026-02-05"}, f"401 days, and a summary is of {MOST_DAYS}"),
        ({"compareTo": "2024-01-01..2025-06-01"}, "compareTo: 2024-01-01 to 2025-06-01 are 518 days"),
        ({"compareTo": "before"}, "a summary has one window"),
        ({"compareTo": "last"}, "is no comparison"),
    ],
)
def test_what_cannot_be_asked(sites: Local, given: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        summed(sites, **given)
    assert told in str(raised.value)


def test_400_days_can_be_asked_and_nobody_s_site_cannot(sites: Local) -> None:
    assert len(summed(sites, **{"from": "2025-01-01", "to": "2026-02-04"})["trend"]) == MOST_DAYS
    with pytest.raises(UnknownName):
        summed(sites, propertyId="nobody")

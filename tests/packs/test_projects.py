"""The pack of projects: its names, and every number of its reply as plain Python says."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from aforo.assembly import Local
from aforo.clock import ManualClock
from aforo.errors import InvalidRequest, UnknownName
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.packs import model_file
from aforo.packs.projects.asked import GroupBy, MetricsAsked, Range, asked_of
from aforo.packs.projects.brought import brought
from aforo.packs.projects.metrics import project_metrics, written
from aforo.packs.projects.modules import ANY, MODULES, columns_of
from aforo.settings import Settings
from aforo.windows import DAY, Zone, parse_instant

PAPER = json.loads((Path(__file__).parent / "project_metrics_of_the_paper.json").read_text(encoding="utf-8"))
NOW = parse_instant("2025-10-29T22:40:00Z")  # Madrid's clocks went back three days ago
MADRID, KATHMANDU = "w_madrid", "w_kathmandu"
ZONES = {MADRID: ("Europe/Madrid", 0), KATHMANDU: ("Asia/Kathmandu", 6)}
TENANTS = (
    f"tenants: {{{MADRID}: {{timezone: Europe/Madrid}}, "
    f"{KATHMANDU}: {{timezone: Asia/Kathmandu, week_start: sunday}}}}\n"
    "streams: {}\nmetrics: {}\n"
)

# What each column counts, said once more in plain Python.
Fits = Callable[[str], bool]
OVER = ("budget_over_threshold", "budget_exceeded", "over_budget")
COUNTED: dict[str, Fits] = {
    "project_events": lambda _: True,
    "project_alerts": lambda key: "threshold" in key or "alert" in key,
    "project_errors": lambda key: "error" in key or "failed" in key,
    "project_transactions": lambda key: "transaction" in key,
    "project_over_budget": lambda key: key in OVER,
    "project_mails_sent": lambda key: key == "email_sent",
    "project_mails_opened": lambda key: key == "email_opened",
    "project_mails_clicked": lambda key: key == "email_clicked",
    "project_mails_bounced": lambda key: key == "email_bounced",
    "project_points_awarded": lambda key: key == "points_awarded",
    "project_achievements": lambda key: key == "achievement_unlocked",
    "project_levels": lambda key: key == "level_up",
    "project_page_views": lambda key: key == "page_view",
    "project_form_submits": lambda key: key == "form_submit",
    "project_conversions": lambda key: key == "conversion",
    "project_sites_published": lambda key: key == "site_published",
    "project_site_visits": lambda key: key == "site_visit",
    "project_rsvps": lambda key: key == "rsvp_received",
    "project_sessions": lambda key: key == "session_started",
    "project_sessions_completed": lambda key: key == "session_completed",
    "project_recommendations_accepted": lambda key: key == "recommendation_accepted",
}
KEYS = (
    *OVER,
    *("transaction_added", "transaction_failed", "threshold_alert", "alert_sent", "sync_error"),
    *("failed_error", "email_sent", "email_opened", "email_clicked", "email_bounced", "points_awarded"),
    *("achievement_unlocked", "level_up", "page_view", "form_submit", "conversion", "site_published"),
    *("site_visit", "rsvp_received", "session_started", "session_completed"),
    *("recommendation_accepted", "something else"),
)
ANOTHER = "a module of mine"


@dataclass(frozen=True)
class Fact:
    tenant: str
    module: str
    key: str
    time: int


def some_facts(count: int) -> list[Fact]:
    """Events of two projects over more than the longest range, none of them in two of its weeks."""
    dice = random.Random(11)
    facts = [
        Fact(
            dice.choice((MADRID, MADRID, KATHMANDU)),
            dice.choice((*MODULES, ANOTHER)),
            dice.choice(KEYS),
            NOW - dice.randrange(100 * DAY // 1000) * 1000,
        )
        for _ in range(count)
    ]
    gap = (NOW - 20 * DAY, NOW - 6 * DAY)
    return [fact for fact in facts if not gap[0] <= fact.time < gap[1]]


FACTS = some_facts(1_500)


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model(model_file("projects").read_bytes(), source="projects")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The facts, taken as bodies in two parts and folded, so that folds merge."""
    folder = tmp_path_factory.mktemp("projects")
    settings = replace(Settings(), data=folder / "data", packs=("projects",))
    settings.model_folder.mkdir(parents=True)
    (settings.model_folder / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    local = Local(settings, ManualClock(NOW))
    for part in (FACTS[::2], FACTS[1::2]):
        take(local, [(fact, f"{at}") for at, fact in enumerate(part)])
        local.fold(lambda _slots: None)
    yield local
    local.close()


def body(fact: Fact, id_: str) -> dict[str, Any]:
    return {
        "weddingId": fact.tenant,
        "module": fact.module,
        "event": fact.key,
        "payload": {"timestamp": written(fact.time)},
        "eventId": id_,
    }


def take(local: Local, facts: list[tuple[Fact, str]]) -> None:
    waiting = local.aforo.intake.take([brought(body(*each)).event for each in facts])
    receipt = waiting.result(timeout=60)
    assert receipt.accepted == len(facts), receipt


def told(local: Local, asked: MetricsAsked) -> dict[str, Any]:
    reply: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(project_metrics(local.aforo.desk, local.aforo.lag, asked))
    )
    return reply


def day_of(fact: Fact) -> date:
    return date_in(fact.tenant, fact.time)


def date_in(tenant: str, time: int) -> date:
    return (
        (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time))
        .astimezone(ZoneInfo(ZONES[tenant][0]))
        .date()
    )


def expected(asked: MetricsAsked) -> dict[str, Any]:
    """Points, totals and breakdown in plain Python."""
    last = date_in(asked.wedding_id, NOW)
    first = last - timedelta(days=int(asked.range[:-1]) - 1)
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    mine = [
        fact
        for fact in FACTS
        if (fact.tenant, fact.module) == (asked.wedding_id, asked.module) and first <= day_of(fact) <= last
    ]
    begins = (lambda day: day) if asked.group_by is GroupBy.DAILY else week_of(ZONES[asked.wedding_id][1])
    points = []
    for start in dict.fromkeys(map(begins, days)):
        here = [fact.key for fact in mine if begins(day_of(fact)) == start]
        columns = {name: sum(map(COUNTED[metric], here)) for name, metric in columns_of(asked.module).items()}
        week = [start + timedelta(days=at) for at in range(7)]
        cut = asked.group_by is GroupBy.WEEKLY and not set(week) <= set(days)
        points.append({"date": str(start), **columns, **({"partial": True} if cut else {})})
    keys = [fact.key for fact in mine]
    counts = sorted(Counter(keys).items(), key=lambda each: (-each[1], each[0]))
    return {
        "points": points,
        "totals": {name: sum(map(COUNTED[metric], keys)) for name, metric in ANY.items()},
        "breakdown": [
            {
                "key": key,
                "count": count,
                "lastEventAt": written(max(fact.time for fact in mine if fact.key == key)),
            }
            for key, count in counts
        ],
    }


def week_of(starts_on: int) -> Callable[[date], date]:
    return lambda day: day - timedelta(days=(day.weekday() - starts_on) % 7)


@pytest.mark.parametrize("group_by", list(GroupBy))
@pytest.mark.parametrize("range_", list(Range))
@pytest.mark.parametrize("tenant", ZONES)
def test_every_number_as_plain_python_says(
    local: Local, tenant: str, range_: Range, group_by: GroupBy
) -> None:
    for module in (*MODULES, ANOTHER, "a module without events"):
        asked = MetricsAsked(wedding_id=tenant, module=module, range=range_, group_by=group_by)
        reply = told(local, asked)
        assert {name: reply[name] for name in ("points", "totals", "breakdown")} == expected(asked), module
        assert reply["proof"]["parts"]["points"]["source"] == "rollup"
        assert reply["proof"]["parts"]["breakdown"]["rollup"] == "keys"
        assert "breakdownOther" not in reply


def test_the_reply_is_the_paper_s(local: Local) -> None:
    asked = MetricsAsked(wedding_id=MADRID, module="finance", range=Range.WEEK, group_by=GroupBy.DAILY)
    reply, paper = told(local, asked), PAPER["get"]
    assert reply.keys() == paper.keys() | {"totals", "breakdown", "meta", "sla", "proof"}
    same = ("module", "range", "groupBy", "source")
    assert {name: reply[name] for name in same} == {name: paper[name] for name in same}
    assert all(point.keys() == paper["points"][0].keys() for point in reply["points"])
    assert len(reply["points"]) == 7
    assert reply["refreshedAt"] == written(NOW) == "2025-10-29T22:40:00.000Z"
    document = PAPER["document"]
    assert reply["totals"].keys() == document["totals"].keys()
    assert all(each.keys() == document["breakdown"][0].keys() for each in reply["breakdown"])
    assert reply["meta"] == {"version": document["metadata"]["version"]}


def test_refreshed_is_when_the_oldest_that_waits_was_taken(tmp_path: Path) -> None:
    local = Local(replace(Settings(), data=tmp_path, packs=("projects",)), ManualClock(NOW))
    clock = local.aforo.clock
    assert isinstance(clock, ManualClock)
    asked = MetricsAsked(wedding_id="w", module="finance", range=Range.WEEK, group_by=GroupBy.DAILY)

    def took(id_: str) -> None:
        """One event; with the second receipt, who listens to commits has heard of the first."""
        fact = Fact("w", "finance", "transaction_added", NOW - DAY)
        for accepted in (1, 0):
            receipt = local.aforo.intake.take([brought(body(fact, id_)).event]).result(timeout=60)
            assert receipt.accepted == accepted

    took("1")
    clock.advance(90)
    waiting = told(local, asked)
    assert waiting["refreshedAt"] == written(NOW)
    assert waiting["totals"]["events"] == 0
    sla = {"targetSeconds": 300.0, "met": True, "late": 0, "commits": 0, "longestSeconds": None}
    assert waiting["sla"] == {**sla, "behindSeconds": 90.0}
    local.fold(lambda _slots: None)
    folded = told(local, asked)
    assert folded["refreshedAt"] == written(NOW + 90 * 1_000_000)
    assert folded["totals"]["events"] == 1
    assert (folded["sla"]["longestSeconds"], folded["sla"]["met"]) == (90.0, True)
    took("2")
    clock.advance(301)
    assert told(local, asked)["sla"]["met"] is False
    local.fold(lambda _slots: None)
    late = told(local, asked)["sla"]
    assert (late["longestSeconds"], late["met"], late["behindSeconds"]) == (301.0, False, 0.0)
    assert late["late"] >= 1
    local.close()


def test_what_was_taken_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    settings = replace(Settings(), data=tmp_path, packs=("projects",))
    asked = MetricsAsked(wedding_id="w", module="finance", range=Range.WEEK, group_by=GroupBy.DAILY)
    fact = Fact("w", "finance", "budget_over_threshold", NOW - DAY)
    for accepted in (1, 0):
        local = Local(settings, ManualClock(NOW))
        receipt = local.aforo.intake.take([brought(body(fact, "1")).event]).result(timeout=60)
        assert receipt.accepted == accepted
        local.fold(lambda _slots: None)
        reply = told(local, asked)
        assert reply["totals"] == {"events": 1, "alerts": 1, "errors": 0}
        assert [point["overBudget"] for point in reply["points"]] == [0, 0, 0, 0, 0, 1, 0]
        local.close()


def test_rare_keys_are_told_together_where_there_are_very_many(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = MetricsAsked(wedding_id=MADRID, module="finance", range=Range.QUARTER, group_by=GroupBy.WEEKLY)
    whole = expected(asked)["breakdown"]
    monkeypatch.setattr("aforo.packs.projects.metrics.MOST_KEYS", 5)
    reply = told(local, asked)
    assert [each["count"] for each in reply["breakdown"]] == [each["count"] for each in whole[:5]]
    named = {each["key"] for each in reply["breakdown"]}
    rest = [each for each in whole if each["key"] not in named]
    assert reply["breakdownOther"] == {
        "count": sum(each["count"] for each in rest),
        "lastEventAt": max(each["lastEventAt"] for each in rest),
    }


def test_a_project_that_nobody_knows(local: Local) -> None:
    asked = MetricsAsked(wedding_id="nobody", module="finance", range=Range.WEEK, group_by=GroupBy.DAILY)
    with pytest.raises(UnknownName, match="nobody"):
        told(local, asked)


def test_every_name_is_told_and_none_can_be_another_s(model: Model) -> None:
    assert all(name.startswith("project_") for name in (*model.streams, *model.metrics))
    assert all(metric.unit and metric.owner and metric.description for metric in model.metrics.values())
    (stream,) = model.streams.values()
    assert all(field.description for field in stream.fields.values())


def test_each_column_is_a_metric_and_each_metric_is_counted_here(model: Model) -> None:
    columns = {metric for each in (ANY, *MODULES.values()) for metric in each.values()}
    assert columns == COUNTED.keys() == model.metrics.keys() - {"project_last_event"}


def test_what_is_asked_has_its_defaults() -> None:
    assert asked_of({"weddingId": "w", "module": "finance"}, None) == MetricsAsked(
        wedding_id="w", module="finance", range=Range.WEEK, group_by=GroupBy.DAILY
    )
    assert asked_of({"module": "finance"}, "mine").wedding_id == "mine"
    days = asked_of({"module": "m", "range": "30d"}, "w").days(Zone("UTC"), NOW)
    assert [str(day) for day in days] == ["2025-09-30", "2025-10-29"]


def test_all_that_is_wrong_with_it_is_told_at_once() -> None:
    with pytest.raises(InvalidRequest) as raised:
        asked_of({"range": "31d", "groupBy": "dayly"}, None)
    assert [fault.path for fault in raised.value.faults] == ["weddingId", "module", "range", "groupBy"]
    assert "30d" in str(raised.value)
    assert "one of daily, weekly" in str(raised.value)

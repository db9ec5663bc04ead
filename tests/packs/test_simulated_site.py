"""A site that is made up: the same again, more of it later, and like a site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.packs.sites import NOW, held

from aforo.assembly import LoadOrder, Local
from aforo.errors import InvalidRequest, UnknownName
from aforo.packs.simulating import Wish
from aforo.packs.simulators import SIMULATORS, simulator
from aforo.packs.web.simulated_visits import BATCH_VISITS
from aforo.windows import Zone, parse_instant

Row = dict[str, Any]
WISH = Wish(tenant="demo-site", zone=Zone("Europe/Madrid"), until=NOW, days=28, rate=400, seed=7)


def rows(wish: Wish) -> list[Row]:
    """What is made, in the order in which it comes."""
    found: list[Row] = []
    for chunk in simulator("web").make(wish):
        names = list(chunk.columns)
        columns = [chunk.columns[name].to_pylist() for name in names]  # type: ignore[union-attr]
        found += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


@pytest.fixture(scope="module")
def made() -> list[Row]:
    return rows(WISH)


@pytest.fixture(scope="module")
def events(made: list[Row]) -> list[Row]:
    """The events of the pages, each once."""
    return list({row["id"]: row for row in made if row["stream"] == "web_events"}.values())


def test_the_same_wish_makes_the_same(made: list[Row]) -> None:
    assert rows(WISH) == made
    assert rows(replace(WISH, seed=8)) != made


def test_a_longer_wish_makes_the_same_and_more(made: list[Row]) -> None:
    longer = {(row["stream"], row["id"]): row for row in rows(replace(WISH, days=30))}
    later = {(row["stream"], row["id"]): row for row in rows(replace(WISH, until=NOW + 3_600_000_000))}
    assert len(longer) > len(made)
    for row in made:
        assert longer[row["stream"], row["id"]] == row == later[row["stream"], row["id"]]


def test_as_many_as_were_wished(events: list[Row]) -> None:
    whole_days = WISH.days - 1 + 0.4  # it is half past eleven on the last one
    assert len(events) == pytest.approx(whole_days * WISH.rate, rel=0.12)
    until = datetime.fromtimestamp(NOW / 1_000_000, UTC)
    assert max(row["time"] for row in events) < until


def test_nights_and_weekends_are_quiet(events: list[Row]) -> None:
    local = [row["time"].astimezone(WISH.zone._info) for row in events]
    hours, weekdays = Counter(time.hour for time in local), Counter(time.weekday() for time in local)
    assert 4 * sum(hours[hour] for hour in range(2, 6)) < sum(hours[hour] for hour in range(19, 23))
    assert weekdays[5] < 0.85 * weekdays[1]


def test_people_go_on_fewer_at_each_step(made: list[Row], events: list[Row]) -> None:
    kinds = Counter(row["event"] for row in events)
    leads = [row for row in made if row["stream"] == "web_leads"]
    entrances = [row for row in events if row["is_entrance"]]
    assert kinds["page_view"] > 4 * kinds["form_start"]
    assert kinds["form_start"] > 1.5 * kinds["form_submit"]
    assert kinds["form_submit"] > len(leads) > 0
    assert sum(row["is_conversion"] for row in entrances) == pytest.approx(kinds["form_submit"], abs=2)
    assert len(entrances) == pytest.approx(sum(bool(row["is_exit"]) for row in events), rel=0.02)
    assert all(row["time_to_capture_ms"] > 0 for row in leads)
    seen = {row["visitor_id"] for row in events}
    assert all(row["visitor_id"] in seen for row in leads)


def test_visitors_return_as_who_they_were(events: list[Row]) -> None:
    days: dict[str, set[object]] = {}
    kinds: dict[str, set[object]] = {}
    for row in events:
        days.setdefault(row["visitor_id"], set()).add(row["time"].date())
        kinds.setdefault(row["visitor_id"], set()).add((row["device_type"], row["country"], row["city"]))
    people = {visitor for visitor, kind in kinds.items() if next(iter(kind))[0] != "bot"}  # type: ignore[index]
    again = sum(len(days[visitor]) > 1 for visitor in people)
    assert 0.1 < again / len(people) < 0.5
    assert all(len(kinds[visitor]) == 1 for visitor in people)
    assert {"direct", "organic_search", "social", "email"} <= {row["traffic_source"] for row in events}


def test_bots_do_not_read(events: list[Row]) -> None:
    bots = [row for row in events if row["device_type"] == "bot"]
    assert 0.05 < len(bots) / len(events) < 0.25
    assert all(row["engaged_time_ms"] is None and row["event"] == "page_view" for row in bots)


def test_some_come_late_and_some_twice(made: list[Row], events: list[Row]) -> None:
    pages = [row for row in made if row["stream"] == "web_events"]
    twice = len(pages) - len(events)
    assert 0.002 < twice / len(events) < 0.012
    newest, late = pages[0]["time"], 0
    for row in pages:
        late += (newest - row["time"]).total_seconds() > 26 * 3_600
        newest = max(newest, row["time"])
    assert 0.002 < late / len(events) < 0.03


def test_however_many_are_made_few_are_held() -> None:
    many = replace(WISH, days=1, rate=200_000, until=parse_instant("2026-02-13T23:00:00Z"))
    sizes = [chunk.rows for chunk in simulator("web").make(many)]
    assert sum(sizes) > 150_000
    assert max(sizes) < 4 * BATCH_VISITS


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"tenant": "shop"}, "demo-shop"),
        ({"days": 0}, "days: 0 came"),
        ({"rate": 10**9}, "1 to 100,000,000"),
        ({"seed": -1}, "seed: -1"),
    ],
)
def test_what_cannot_be_wished(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        replace(WISH, **wrong)
    assert told in str(raised.value) + raised.value.hint


def test_a_pack_that_nobody_makes_up() -> None:
    with pytest.raises(UnknownName):
        simulator("wbe")
    assert all(each.tenant.startswith("demo-") for each in SIMULATORS.values())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    local = held(tmp_path_factory.mktemp("house"))
    yield local
    local.close()


def test_all_of_it_is_taken_and_every_answer_says_that_it_is_made_up(
    house: Local, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wish = replace(WISH, days=3, zone=Zone("UTC"))
    order = LoadOrder(path=tmp_path_factory.mktemp("none"), tenant=wish.tenant)
    loaded = house.load(simulator("web").make(wish), order, lambda _loaded: None)
    assert (loaded.refused.total(), loaded.accepted > 800, loaded.duplicates > 0) == (0, True, True)
    again = house.load(simulator("web").make(wish), order, lambda _loaded: None)
    assert (again.accepted, again.duplicates) == (0, loaded.rows)
    house.fold(lambda _slots: None)
    proof: Any = house.ask({"tenant": wish.tenant, "metrics": ["web_page_views"], "to": "2026-02-13"})[
        "proof"
    ]
    assert proof["simulated"] is True
    steps = [{"where": "event = 'form_start'"}, {"where": "event = 'form_submit'"}]
    funnel = {"tenant": wish.tenant, "entity": "visitor", "stream": "web_events", "steps": steps}
    told: Any = house.funnel({**funnel, "to": "2026-02-13"})["proof"]
    assert told["simulated"] is True

"""Laws 3 and 4 where days are odd: zones of half and quarter hours, both hemispheres, a day that never was.

What is asked is held to `Plain`, which takes its dates from the standard library and knows nothing of slots
and rollups.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.engines.gauges import Sent
from tests.laws.shelf import content
from tests.lives.plain import METRICS, QUARTER, Asked, Place
from tests.lives.world import World, micros, model_of

from aforo.questions.asked import decode

PLACES = {
    "new_york": Place("America/New_York"),
    "kolkata": Place("Asia/Kolkata"),
    "kathmandu": Place("Asia/Kathmandu", "sunday"),
    "chatham": Place("Pacific/Chatham"),
    "santiago": Place("America/Santiago"),
    "auckland": Place("Pacific/Auckland", "saturday"),
    "lord_howe": Place("Australia/Lord_Howe"),
    "apia": Place("Pacific/Apia"),
    "greenwich": Place("UTC"),
}
# Changes of clocks, the night over which Apia went without a day, and the turns of ISO years.
DAYS = [
    *(("new_york", day) for day in (date(2013, 3, 10), date(2013, 11, 3))),
    *(("kolkata", day) for day in (date(2013, 3, 31), date(2012, 2, 29))),
    ("kathmandu", date(2013, 4, 14)),
    *(("chatham", day) for day in (date(2013, 4, 7), date(2013, 9, 29))),
    *(("santiago", day) for day in (date(2013, 4, 28), date(2013, 9, 8))),
    *(("auckland", day) for day in (date(2013, 4, 7), date(2013, 9, 29))),
    *(("lord_howe", day) for day in (date(2013, 4, 7), date(2013, 10, 6))),
    ("apia", date(2011, 12, 30)),
    *(("greenwich", date(year, 12, 31)) for year in (2004, 2008, 2009, 2015, 2020)),
]
HOURS = {
    ("new_york", date(2013, 3, 10)): 23,
    ("new_york", date(2013, 11, 3)): 25,
    ("chatham", date(2013, 4, 7)): 25,
    ("chatham", date(2013, 9, 29)): 23,
    ("santiago", date(2013, 4, 27)): 25,  # its clocks go back at midnight, to the day that was over
    ("santiago", date(2013, 9, 8)): 23,  # and forward at midnight: the day begins at one
    ("auckland", date(2013, 4, 7)): 25,
    ("auckland", date(2013, 9, 29)): 23,
    ("lord_howe", date(2013, 4, 7)): 24.5,
    ("lord_howe", date(2013, 10, 6)): 23.5,
    ("apia", date(2011, 12, 30)): 0,
}


def midnight(place: Place, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(place.zone)).astimezone(UTC)


def instants(place: Place, day: date) -> list[datetime]:
    """Every quarter hour around four midnights and one in five hours for some weeks."""
    near = {
        midnight(place, day + timedelta(days=on)) + at * QUARTER
        for on in range(-1, 3)
        for at in range(-9, 14)
    }
    far = {midnight(place, day) + timedelta(hours=5 * at) for at in range(-80, 80)}
    return sorted(near | far)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    models = {"places": model_of(["stations", "wide"], PLACES)}
    world = World(tmp_path_factory.mktemp("places"), model="places", models=models)
    sent = {(name, at) for name, day in DAYS for at in instants(PLACES[name], day)}
    world.append(
        [
            Sent(tenant=name, id=str(number), time=micros(at) + number, fields=content(number))
            for number, (name, at) in enumerate(sorted(sent))
        ]
    )
    world.clock.set(micros(datetime(2022, 1, 1, tzinfo=UTC)))
    world.fold()
    world.keep_periods()
    yield world
    world.close()


def rows(world: World, tenant: str, asked: Asked) -> list[dict[str, object]]:
    """The answer's rows, which come from a rollup and are the plain truth."""
    answer = world.desk.ask(decode(asked.body(tenant, list(METRICS)))).as_json()
    assert world.plain.disagreements(tenant, asked, answer) == []
    proof = answer["proof"]
    assert isinstance(proof, dict)
    assert (proof["source"], proof["staleSeconds"]) == ("rollup", 0)
    found = answer["rows"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("tenant", "day"), DAYS, ids=[f"{name} {day}" for name, day in DAYS])
def test_days_weeks_and_months_are_those_of_the_place(world: World, tenant: str, day: date) -> None:
    place = PLACES[tenant]
    around = (day - timedelta(days=2), day + timedelta(days=2))
    rows(world, tenant, Asked(place, *around, "day"))
    rows(world, tenant, Asked(place, *around, "day", ("probe", "station")))
    rows(world, tenant, Asked(place, *around, "hour"))
    weeks = (day - timedelta(days=17), day + timedelta(days=16))
    for grain in ("week", "month", "total"):
        rows(world, tenant, Asked(place, *weeks, grain, ("station",)))
    # In days that are no tenant's own the slots are read.
    for elsewhere in (Place("UTC", place.week_start), Place("Asia/Kathmandu", place.week_start)):
        rows(world, tenant, Asked(elsewhere, *around, "day"))


@pytest.mark.parametrize(("tenant", "day"), HOURS)
def test_days_are_as_long_as_they_are(world: World, tenant: str, day: date) -> None:
    """Each quarter hour of a day is one of its buckets; a day that was skipped is nobody's row."""
    place, around = PLACES[tenant], (day - timedelta(days=1), day + timedelta(days=1))
    slots = [str(row["time"]) for row in rows(world, tenant, Asked(place, *around, "slot"))]
    found = [place.wall(datetime.fromisoformat(slot)).date() for slot in slots]
    assert found.count(day) == HOURS[tenant, day] * 4
    days = [row["time"] for row in rows(world, tenant, Asked(place, *around, "day"))]
    assert (day.isoformat() in days) is (HOURS[tenant, day] > 0)
    assert len(days) == 2 + (HOURS[tenant, day] > 0)


@pytest.mark.parametrize("year", [2004, 2008, 2009, 2015, 2020])
def test_weeks_from_monday_are_iso_weeks_at_the_turn_of_the_year(world: World, year: int) -> None:
    first, last = date(year, 12, 20), date(year + 1, 1, 11)
    found = [row["time"] for row in rows(world, "greenwich", Asked(PLACES["greenwich"], first, last, "week"))]
    days = (first + timedelta(days=at) for at in range((last - first).days + 1))
    weeks = dict.fromkeys(day.isocalendar()[:2] for day in days)
    assert found == [date.fromisocalendar(*week, 1).isoformat() for week in weeks]

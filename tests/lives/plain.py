"""What a question's answer is, told by nothing but lists, dates of the standard library and sorted values.

It shares no line with planner, engine, windows or states; `disagreements` holds an answer to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from tests.engines.gauges import Sent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEAR = 0.01  # how far a percentile may be from the true one

# Names a bucket: its first date, its slot's start, or its wall hour with the offset.
Key = date | datetime | tuple[datetime, timedelta | None] | None
Fields = Mapping[str, Any]
Value = float | int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tenant's days are."""

    zone: str
    week_start: str = "monday"

    def wall(self, instant: datetime) -> datetime:
        return instant.astimezone(ZoneInfo(self.zone))

    def bucket(self, instant: datetime, grain: str) -> Key:
        """The bucket that an instant is in."""
        if grain == "total":
            return None
        if grain == "slot":
            return instant - (instant - EPOCH) % QUARTER
        wall = self.wall(instant)
        if grain == "hour":
            # A change of clocks in the middle of an hour makes it two.
            return wall.replace(minute=0, second=0, microsecond=0, tzinfo=None), wall.utcoffset()
        return self.first(wall.date(), grain)

    def first(self, day: date, grain: str) -> date:
        """The first day of the bucket that a day is in."""
        match grain:
            case "day":
                return day
            case "week":
                return day - timedelta((day.weekday() - WEEKDAYS.index(self.week_start)) % 7)
        return day.replace(day=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of one tenant; `first` and `last` are dates, or instants of which `last` is left out."""

    place: Place
    first: date | datetime
    last: date | datetime
    grain: str = "total"
    by: tuple[str, ...] = ()
    where: str = ""

    def holds(self, instant: datetime) -> bool:
        """Whether the window does."""
        if isinstance(self.first, datetime):
            return self.first <= instant < self.last  # type: ignore[operator]
        return self.first <= self.place.wall(instant).date() <= self.last

    @lru_cache(maxsize=50)  # noqa: B019 - a handful of windows, asked again and again
    def quarters(self) -> list[datetime]:
        """The starts of the slots that the window touches."""
        if isinstance(self.first, datetime) and isinstance(self.last, datetime):
            start, end = self.first - (self.first - EPOCH) % QUARTER, self.last
            return [start + at * QUARTER for at in range(ceil((end - start) / QUARTER))]
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC) - timedelta(days=1)
        days = (date(self.last.year, self.last.month, self.last.day) - start.date()).days + 2
        # No place is more than a day from UTC: what lies further inside is in the window wherever that is.
        inside = range(3 * 96, (days - 3) * 96)
        times = ((at, start + at * QUARTER) for at in range(days * 96))
        return [time for at, time in times if at in inside or self.holds(time)]

    def buckets(self, born: datetime = EPOCH) -> Mapping[Key, datetime]:
        """Every bucket of the window that lies after an instant, in order, with the end of its last slot."""
        return _buckets(Asked(self.place, self.first, self.last, self.grain), born)

    def body(self, tenant: str, metrics: Sequence[str]) -> dict[str, Any]:
        """The question as a sender writes it."""
        return {
            "tenant": tenant,
            "metrics": list(metrics),
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "grain": self.grain,
            "by": list(self.by),
            **({"where": self.where} if self.where else {}),
            "timezone": self.place.zone,
        }


WHERE: Mapping[str, Callable[[Fields], bool]] = {
    "": lambda _fields: True,
    'station = "north"': lambda fields: fields.get("station") == "north",
    "flow >= 0": lambda fields: fields.get("flow") is not None and fields["flow"] >= 0,
}


def values(events: Iterable[Fields], name: str) -> list[Any]:
    return [value for each in events if (value := each.get(name)) is not None]


def cents(events: Iterable[Fields], name: str) -> int:
    """The sum of what is declared with two digits after the point, in hundredths."""
    return sum(round(value * 100) for value in values(events, name))


def ranked(events: Iterable[Fields], name: str, p: int) -> Value:
    """The least value that has at least p % of all at or below it."""
    found = sorted(values(events, name))
    return found[max(1, ceil(Fraction(p * len(found), 100))) - 1] if found else None


METRICS: Mapping[str, Callable[[list[Fields]], Value]] = {
    "readings": len,
    "low_readings": lambda events: sum(value <= 0 for value in values(events, "flow")),
    "level_total": lambda events: float(Fraction(cents(events, "level"), 100)),
    "flow_total": lambda events: sum(values(events, "flow")),
    "level_min": lambda events: min(values(events, "level"), default=None),
    "flow_max": lambda events: max(values(events, "flow"), default=None),
    "level_avg": lambda events: (
        float(Fraction(cents(events, "level"), 100 * len(events))) if events else None
    ),
    "level_p50": lambda events: ranked(events, "level", 50),
    "level_p95": lambda events: ranked(events, "level", 95),
    "probes_seen": lambda events: len(set(values(events, "probe"))),
}


PERCENTILES = {"level_p50", "level_p95"}


def same(name: str, said: Value, true: Value) -> bool:
    """Exactly, but percentiles."""
    if said is None or true is None or name not in PERCENTILES:
        return said == true
    return abs(said - true) <= NEAR * abs(true)


@dataclass
class Plain:
    """What was accepted, by tenant: name to fields."""

    kept: dict[str, dict[tuple[str, int], Fields]] = field(default_factory=dict)

    def take(self, events: Iterable[Sent], sealed: Callable[[str], int]) -> int:
        """How many of the events are new, of those that are no older than their tenant's seal."""
        new = 0
        for event in events:
            mine = self.kept.setdefault(event.tenant, {})
            if event.time >= sealed(event.tenant) and (event.id, event.time) not in mine:
                mine[event.id, event.time] = event.fields
                new += 1
        return new

    def groups(self, tenant: str, asked: Asked) -> dict[tuple[Key, tuple[Any, ...]], list[Fields]]:
        """The events of each bucket and split."""
        found: dict[tuple[Key, tuple[Any, ...]], list[Fields]] = {}
        for (_id, time), fields in self.kept.get(tenant, {}).items():
            instant = EPOCH + timedelta(microseconds=time)
            if asked.holds(instant) and WHERE[asked.where](fields):
                split = tuple(map(fields.get, asked.by))
                found.setdefault((asked.place.bucket(instant, asked.grain), split), []).append(fields)
        return found

    def disagreements(
        self, tenant: str, asked: Asked, answer: Mapping[str, Any], born: datetime = EPOCH
    ) -> list[str]:
        """What an answer says that is not so, of the buckets that its proof calls complete.

        Of what was purged before its rollup was born nothing can be told: only buckets after that are held.
        """
        groups, buckets = self.groups(tenant, asked), asked.buckets(born)
        until = datetime.fromisoformat(answer["proof"]["completeUntil"])
        if answer["proof"]["source"] == "raw":
            until = datetime.max.replace(tzinfo=UTC)
        wrong: list[str] = []
        told: set[tuple[Key, tuple[Any, ...]]] = set()
        for row in answer["rows"]:
            key, split = _key(asked, row), tuple(row[name] for name in asked.by)
            told.add((key, split))
            if key not in asked.buckets():
                wrong.append(f"{key} is no {asked.grain} of the window")
            elif key in buckets and buckets[key] <= until:
                wrong += _false(row, groups.get((key, split), []), f"{key} {split}")
        for key, split in groups.keys() - told:
            if key in buckets and buckets[key] <= until:
                wrong.append(f"{key} {split} is missing")
        if not asked.by and told != {(key, ()) for key in asked.buckets()}:
            wrong.append(f"not every {asked.grain} of the window is told")
        return wrong


@lru_cache(maxsize=2000)  # a handful of windows, asked again and again whatever the split
def _buckets(asked: Asked, born: datetime) -> Mapping[Key, datetime]:
    return {key: last + QUARTER for key, (first, last) in _spans(asked).items() if first >= born}


@lru_cache(maxsize=500)  # whatever is born when
def _spans(asked: Asked) -> Mapping[Key, tuple[datetime, datetime]]:
    """The first and the last slot of every bucket, in order."""
    first: dict[Key, datetime] = {}
    last: dict[Key, datetime] = {}
    for time, key in _keys(asked):
        first.setdefault(key, time)
        last[key] = time
    return {key: (time, last[key]) for key, time in first.items()}


def _keys(asked: Asked) -> Iterator[tuple[datetime, Key]]:
    place, grain = asked.place, asked.grain
    if grain not in ("day", "week", "month"):
        yield from ((time, place.bucket(time, grain)) for time in asked.quarters())
        return
    for day, times in groupby(asked.quarters(), datetime.date):
        dates = _dates(place.zone, day)
        firsts = {each: place.first(each, grain) for each in {*dates}}
        yield from ((time, firsts[dates[time.hour * 4 + time.minute // 15]]) for time in times)


@lru_cache(maxsize=10_000)  # a year in each of the places, at every question about its weeks or months
def _dates(zone: str, day: date) -> Sequence[date]:
    """Which day it is in a zone, at each quarter hour of a day in UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    there = [(midnight + at * QUARTER).astimezone(ZoneInfo(zone)).date() for at in range(96)]
    return [there[there.index(each)] for each in there]  # a few dates, and not 96


def _key(asked: Asked, row: Mapping[str, Any]) -> Key:
    if asked.grain == "total":
        return None
    if asked.grain in ("slot", "hour"):
        return asked.place.bucket(datetime.fromisoformat(row["time"]).astimezone(UTC), asked.grain)
    return date.fromisoformat(row["time"])


def _false(row: Mapping[str, Any], events: list[Fields], where: str) -> list[str]:
    return [
        f"{where}: {name} is {true!r}, said {row[name]!r}"
        for name, of in METRICS.items()
        if name in row and not same(name, row[name], true := of(events))
    ]

"""The visits of one day of a site that is made up: who comes when, from where, and how far.

Who a visitor is follows from their number, and the number from the day they first came: no day needs to know
what was made before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from aforo.packs.simulating import Wish
from aforo.packs.web import simulated_shapes as shapes
from aforo.windows import Zone

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

BATCH_VISITS = 10_000
MICROSECONDS = 1_000_000
_DAY_BITS = 32  # a visitor's number is the day they first came, and their place among those of that day


@dataclass(frozen=True, slots=True)
class Visits:
    """Some visits of one day, a row each; times in µs. `at` is a number that no other visit has."""

    at: Ints
    visitor: Ints
    start: Ints
    first_seen: Ints
    new: Bools
    bot: Bools
    source: Ints
    pages: Ints
    begins_form: Bools
    sends_form: Bools
    becomes_lead: Bools


def visits_on(day: date, wish: Wish) -> Iterator[tuple[Visits, np.random.Generator]]:
    """The day's visits, some at a time, with the dice that what happens in them is thrown with."""
    count = visits_of(day, wish.rate, wish.seed)
    for batch, first in enumerate(range(0, count, BATCH_VISITS)):
        dice = np.random.default_rng((wish.seed, day.toordinal(), batch + 1))
        rows = min(BATCH_VISITS, count - first)
        yield _visits(day, wish, first, rows, dice), dice


@lru_cache(maxsize=4_096)
def visits_of(day: date, rate: int, seed: int) -> int:
    """How many visits the day has: by its weekday and the season, and by luck."""
    luck = np.random.default_rng((seed, day.toordinal(), 0)).normal(1.0, 0.06)
    season = 1 + 0.12 * np.sin(2 * np.pi * day.timetuple().tm_yday / 365.25)
    mean = rate / shapes.EVENTS_PER_VISIT * shapes.WEEKDAYS[day.weekday()] * season
    return max(1, round(float(mean * max(0.5, luck))))


def _visits(day: date, wish: Wish, first: int, rows: int, dice: np.random.Generator) -> Visits:
    places = first + np.arange(rows)
    new_of_day = _newcomers(day, wish)
    bot = dice.random(rows) < shapes.BOTS
    new = (places < new_of_day) & ~bot
    came = np.where(new, day.toordinal(), _earlier_day(day, rows, dice))
    place = np.where(
        new, places, (dice.random(rows) * _newcomers_by_ordinal(day, wish, came)).astype(np.int64)
    )
    visitor = np.where(bot, dice.integers(1, shapes.BOT_NUMBERS + 1, rows), (came << _DAY_BITS) + place)
    # A newcomer's first visit is at a time that follows from their number, so that it is known on later days.
    own = _moment(day, wish.zone, dice.random(rows))
    first_seen = _moments(came, visitor, wish)
    begins = (dice.random(rows) < shapes.BEGINS_FORM) & ~bot
    sends = begins & (dice.random(rows) < shapes.SENDS_FORM)
    return Visits(
        at=(np.int64(day.toordinal()) << _DAY_BITS) + places,
        visitor=visitor,
        start=np.where(new, first_seen, own),
        first_seen=first_seen,
        new=new,
        bot=bot,
        source=np.where(
            new, chosen(shapes.OF_NEW, dice.random(rows)), chosen(shapes.OF_RETURNING, dice.random(rows))
        ),
        pages=np.where(
            bot,
            shapes.BOT_PAGES,
            np.minimum(dice.geometric(1 - shapes.ONE_MORE_PAGE, rows), shapes.MOST_PAGES),
        ),
        begins_form=begins,
        sends_form=sends,
        becomes_lead=sends & (dice.random(rows) < shapes.BECOMES_LEAD),
    )


def chosen(weights: tuple[float, ...], at: Floats) -> Ints:
    """Which of some weighted things lies at each number from 0 to 1."""
    return np.minimum(np.searchsorted(shapes.shares(weights), at, side="right"), len(weights) - 1)


def trait(numbers: Ints, seed: int, what: int) -> Floats:
    """A number from 0 to 1 that follows from each number, another for each trait (splitmix64)."""
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed * 1_000 + what)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


_ARRIVAL = 1  # the trait of when somebody came first


def _newcomers(day: date, wish: Wish) -> int:
    return max(1, round(shapes.NEW * visits_of(day, wish.rate, wish.seed)))


def _earlier_day(day: date, rows: int, dice: np.random.Generator) -> Ints:
    """The days on which those who return came first."""
    gaps = 1 + dice.exponential(shapes.RETURNS_AFTER_DAYS, rows).astype(np.int64)
    return day.toordinal() - np.minimum(gaps, shapes.LONGEST_ABSENCE_DAYS)


def _newcomers_by_ordinal(day: date, wish: Wish, came: Ints) -> Ints:
    back = [_newcomers(day - timedelta(days=gap), wish) for gap in range(shapes.LONGEST_ABSENCE_DAYS + 1)]
    return np.array(back)[day.toordinal() - came]


def _moments(came: Ints, visitor: Ints, wish: Wish) -> Ints:
    """When each visitor came first."""
    at, found = trait(visitor, wish.seed, _ARRIVAL), np.zeros(len(came), np.int64)
    for ordinal in np.unique(came).tolist():
        here = came == ordinal
        found[here] = _moment(date.fromordinal(ordinal), wish.zone, at[here])
    return found


def _moment(day: date, zone: Zone, at: Floats) -> Ints:
    """Instants of a local day, as busy as its hours are; of a day of 23 hours the last of 24 are left out."""
    start, end = zone.day_start(day), zone.day_start(day + timedelta(days=1))
    edges = np.concatenate(([0.0], shapes.shares(shapes.HOURS)))
    hours = np.interp(at, edges, np.arange(len(edges)))
    return np.minimum(start + (hours * 3_600 * MICROSECONDS).astype(np.int64), end - 1)

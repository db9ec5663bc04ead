"""A project that is made up: what its modules tell by day, late and repeated events among it.

A project grows busier until its day: most of what happens in it happens in its last weeks, at lunch and in
the evening, and sites are visited at weekends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.events.columns import Source
from aforo.events.readers import Chunk
from aforo.packs.projects import STREAM
from aforo.packs.simulating import Simulator, Wish
from aforo.windows import Zone

ROWS = 10_000  # of a chunk
MICROSECONDS = 1_000_000
DAYS_LATE = 3
LATE = 0.015  # share of the events that come days after others of their time
TWICE = 0.01  # share of the events that are sent a second time
SEASON_DAYS = 180  # in so many days it goes from a quiet project to its day, and the next begins

# How often each event happens, by module; a weight of 1 is one in a thousand.
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "finance": {
        "transaction_added": 120,
        "transaction_updated": 30,
        "transaction_failed": 2,
        "budget_over_threshold": 9,
        "price_alert": 5,
    },
    "emailMetrics": {
        "email_sent": 140,
        "email_opened": 82,
        "email_clicked": 24,
        "email_bounced": 5,
        "delivery_error": 1,
    },
    "gamification": {"points_awarded": 60, "achievement_unlocked": 12, "level_up": 4},
    "websiteEvents": {"page_view": 260, "form_submit": 14, "conversion": 6},
    "publicSites": {"site_visit": 150, "rsvp_received": 16, "site_published": 1},
    "aiBudgetAdvisorSessions": {
        "session_started": 24,
        "session_completed": 17,
        "recommendation_accepted": 8,
        "advice_failed": 1,
    },
}
ONLINE = ("websiteEvents", "publicSites")
WEEKEND = (0.7, 1.5)  # how busy it is then: what planners do, and what guests do
HOURS = (
    *(0.8, 0.4, 0.2, 0.1, 0.1, 0.3, 0.9, 2.2, 4.0, 5.2, 5.6, 5.8),
    *(6.4, 6.6, 5.2, 5.0, 5.0, 5.3, 6.0, 7.2, 8.4, 9.0, 6.8, 3.5),
)
CATEGORIES = ("venue", "catering", "music", "flowers", "photography", "dress")

KINDS = tuple((module, event) for module, events in WEIGHTS.items() for event in events)
_OFTEN = np.array([WEIGHTS[module][event] for module, event in KINDS])
_ONLINE = np.array([module in ONLINE for module, _ in KINDS])

Ints = npt.NDArray[np.int64]


def make(wish: Wish) -> Iterator[Chunk]:
    """The project's events, day by day; late ones come with one of the days after their own."""
    last = wish.zone.date_of(wish.until - 1)
    first = last - timedelta(days=wish.days - 1)
    held: list[pa.Table] = []
    row = 0
    waiting: dict[int, list[pa.Table]] = {}
    for at in range(wish.days + DAYS_LATE):
        if at < wish.days:
            held.append(_of_day(first + timedelta(days=at), wish, at, waiting))
        held += waiting.pop(at, [])
        whole = at == wish.days + DAYS_LATE - 1
        if whole or sum(part.num_rows for part in held) >= ROWS:
            table = pa.concat_tables(held)
            for start in range(0, table.num_rows, ROWS):
                part = table.slice(start, ROWS)
                yield _chunk(part, row, (min(at + 1, wish.days), wish.days))
                row += part.num_rows
            held = []


def _of_day(day: date, wish: Wish, at: int, waiting: dict[int, list[pa.Table]]) -> pa.Table:
    """What comes on the day of what happened on it; the rest waits for later days."""
    dice = np.random.default_rng((wish.seed, day.toordinal()))
    weekend = day.weekday() >= 5
    often = _OFTEN * (np.where(_ONLINE, WEEKEND[1], WEEKEND[0]) if weekend else 1.0)
    count = _count(day, wish, float(often.sum() / _OFTEN.sum()), dice)
    kind = dice.choice(len(KINDS), count, p=often / often.sum())
    time = _moments(day, wish.zone, dice.random(count))
    percentage = np.round(dice.uniform(0.8, 1.3, count), 2)
    category = dice.integers(0, len(CATEGORIES), count)
    late, twice = dice.random(count) < LATE, dice.random(count) < TWICE
    days = dice.integers(1, DAYS_LATE + 1, count)
    place = np.arange(count)
    kept = time < wish.until
    table = _table(day, place, time, kind, percentage, category)
    for wait in range(1, DAYS_LATE + 1):
        waiting.setdefault(at + wait, []).append(table.filter(pa.array(kept & late & (days == wait))))
    own = table.filter(pa.array(kept & ~late))
    return pa.concat_tables([own, table.filter(pa.array(kept & ~late & twice))])


def _count(day: date, wish: Wish, weekday: float, dice: np.random.Generator) -> int:
    """How many events the day has: by how near the project's day is, the weekday, and luck."""
    near = (day.toordinal() % SEASON_DAYS) / SEASON_DAYS
    busy = (0.4 + 1.8 * near**2) * weekday
    return max(1, round(wish.rate * busy * max(0.5, float(dice.normal(1.0, 0.08)))))


def _moments(day: date, zone: Zone, at: npt.NDArray[np.float64]) -> Ints:
    """Instants of a local day, as busy as its hours are, in whole milliseconds."""
    start, end = zone.day_start(day), zone.day_start(day + timedelta(days=1))
    edges = np.concatenate(([0.0], np.cumsum(HOURS) / sum(HOURS)))
    hours = np.interp(at, edges, np.arange(len(edges)))
    times = start + (hours * 3_600 * MICROSECONDS).astype(np.int64)
    return np.minimum(times, end - 1) // 1000 * 1000


def _table(
    day: date, place: Ints, time: Ints, kind: Ints, percentage: npt.NDArray[np.float64], category: Ints
) -> pa.Table:
    modules, events = (pa.array(names).take(pa.array(kind)) for names in zip(*KINDS, strict=True))
    about_money = np.array([module == "finance" for module, _ in KINDS])[kind]
    over = np.array([event == "budget_over_threshold" for _, event in KINDS])[kind]
    categories = pa.array(CATEGORIES).take(pa.array(category))
    payloads = [
        _payload(CATEGORIES[which] if money else None, float(share) if spent else None)
        for which, money, share, spent in zip(
            category.tolist(), about_money.tolist(), percentage.tolist(), over.tolist(), strict=True
        )
    ]
    rows = len(place)
    return pa.table(
        {
            "id": pa.array([f"p{day.toordinal()}-{at}" for at in place.tolist()], pa.string()),
            "time": pa.array(time).cast(pa.timestamp("us", "UTC")),
            "module": modules,
            "event": events,
            "category_id": pa.array(np.where(about_money, categories.to_numpy(False), None), pa.string()),
            "percentage": pa.array(percentage, mask=~over),
            "payload": pa.array(payloads, pa.string()),
            "source": pa.array(["simulator"] * rows, pa.string()),
            "version": pa.array(["1.0.0"] * rows, pa.string()),
        }
    )


def _payload(category: str | None, percentage: float | None) -> str | None:
    """What the event tells, as the intake of projects writes it."""
    told: dict[str, object] = {}
    if category is not None:
        told["categoryId"] = category
    if percentage is not None:
        told["percentage"] = percentage
    return msgspec.json.encode(told, order="deterministic").decode() if told else None


def _chunk(table: pa.Table, first: int, progress: tuple[int, int]) -> Chunk:
    """A chunk whose progress is told in days."""
    whole = table.combine_chunks()
    columns = {name: pa.concat_arrays(whole[name].chunks) for name in whole.column_names if whole.num_rows}
    rows = table.num_rows
    return Chunk(
        first_row=first,
        rows=rows,
        columns={"stream": pa.array([STREAM] * rows, pa.string()), **columns},
        bytes_read=progress[0],
        bytes_total=progress[1],
        source=Source.ARROW,
        numbers=np.arange(first, first + rows),
    )


PROJECTS = Simulator(make=make, tenant="demo-project", ask="project_events,project_alerts")

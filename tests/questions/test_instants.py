"""The earliest and the latest: measures of instants, the event's own time among them, told as times."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.events.buffer import Buffer
from aforo.events.intake import Intake
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.questions.formats import as_csv, table_of
from aforo.rollups.folder import Folder
from aforo.settings import Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, Zone, parse_instant

MODEL = read_model(
    """
tenants: {home: {timezone: America/New_York}}
streams:
  posts:
    fields: {box: string, written: timestamp}
    measures:
      all_posts: count
      newest: {maximum: time}
      oldest: {minimum: time}
      newest_red: {maximum: time, where: "box = 'red'"}
      first_written: {minimum: written}
    rollups:
      all: {by: []}
      boxes: {by: [box], grain: day}
metrics:
  posts: {formula: all_posts}
  newest: {formula: newest}
  oldest: {formula: oldest}
  newest_red: {formula: newest_red}
  first_written: {formula: first_written}
  span_seconds: {formula: (newest - oldest) / 1000000}
""",
    source="posts",
)
START = parse_instant("2013-10-30T04:00:00Z")  # New York's clocks go back on the 3rd of November
ZONE = Zone("America/New_York")
NAMES = ("posts", "newest", "oldest", "newest_red", "first_written", "span_seconds")


@dataclass(frozen=True)
class Post:
    time: int
    box: str | None
    written: int | None


def some_posts(count: int) -> list[Post]:
    dice = random.Random(3)
    times = [
        START + dice.randrange(8 * 24 * 60) * 60_000_000 + dice.choice([0, 0, 250_000]) for _ in range(count)
    ]
    return [
        Post(time, dice.choice(["red", "blue", None]), dice.choice([None, time - dice.randrange(10**9)]))
        for time in times
    ]


POSTS = some_posts(400)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk over the posts, folded, brought in two parts so that folds merge."""
    clock, telemetry = ManualClock(START + 20 * DAY), Telemetry()
    engine = EmbeddedEngine(tmp_path_factory.mktemp("posts"), memory_mb=64, threads=1, untimed_id_seconds=60)
    engine.apply_model(MODEL, Tenant(name="default"))
    buffer = Buffer(
        engine, clock, telemetry, future_seconds=0, commit_rows=1_000, after_seconds=0.0, queue_rows=1_000
    )
    intake = Intake(MODEL, buffer, clock, future_seconds=0)
    folder = Folder(engine, clock, telemetry, batch_rows=50, wake_after_seconds=1)
    for part in (POSTS[::2], POSTS[1::2]):
        waiting = intake.take([event(post, at) for at, post in enumerate(part)], tenant="home")
        buffer.run_once()
        assert waiting.result(timeout=0).accepted == len(part)
        folder.run_until_clean()
    yield Desk(engine, MODEL, Settings(), clock, telemetry)
    engine.close()


def event(post: Post, at: int) -> dict[str, Any]:
    written = None if post.written is None else Zone("UTC").rfc3339(post.written)
    return {
        "stream": "posts",
        "id": f"{at}",
        "time": Zone("UTC").rfc3339(post.time),
        "fields": {"box": post.box, "written": written},
    }


def told(posts: list[Post]) -> dict[str, object]:
    """The metrics of some posts, in plain Python."""
    times = [post.time for post in posts]
    red = [post.time for post in posts if post.box == "red"]
    written = [post.written for post in posts if post.written is not None]
    return {
        "posts": len(posts),
        "newest": shown(max(times, default=None)),
        "oldest": shown(min(times, default=None)),
        "newest_red": shown(max(red, default=None)),
        "first_written": shown(min(written, default=None)),
        "span_seconds": (max(times) - min(times)) / 1_000_000 if times else None,
    }


def shown(time: int | None) -> str | None:
    return None if time is None else ZONE.rfc3339(time)


def ask(desk: Desk, **more: Any) -> Any:
    asked = {"tenant": "home", "metrics": NAMES, "from": "2013-10-29", "to": "2013-11-09", **more}
    return desk.ask(decode(asked))


@pytest.mark.parametrize("grain", ["total", "day", "week", "hour"])
def test_by_time_as_plain_python_says(desk: Desk, grain: str) -> None:
    answer = ask(desk, grain=grain)
    zone_of = {
        "total": lambda time: None,
        "day": lambda time: str(ZONE.date_of(time)),
        "week": lambda time: str(ZONE.date_of(time - ZONE.date_of(time).weekday() * DAY)),
        "hour": lambda time: ZONE.rfc3339(time - time % 3_600_000_000),
    }[grain]
    seen = 0
    for row in answer.rows:
        mine = [post for post in POSTS if zone_of(post.time) == row.get("time")]
        seen += len(mine)
        if mine or grain != "week":
            assert {name: row[name] for name in NAMES} == told(mine)
    assert seen == len(POSTS)
    assert {column.name: column.type for column in answer.columns if column.name in NAMES} == {
        **dict.fromkeys(NAMES, "instant"),
        "posts": "integer",
        "span_seconds": "number",
    }


def test_split_and_ordered_by_when_the_last_was(desk: Desk) -> None:
    answer = ask(desk, by=["box"], order="newest desc", timezone="America/New_York")
    assert answer.proof.source.rollup == "boxes"
    for row in answer.rows:
        assert {name: row[name] for name in NAMES} == told([post for post in POSTS if post.box == row["box"]])
    times = [parse_instant(row["newest"]) for row in answer.rows]
    assert times == sorted(times, reverse=True)
    assert ask(desk, by=["box"], order="newest", limit=1).rows[0]["newest"] == answer.rows[-1]["newest"]


def test_rows_by_time_stand_in_the_order_of_the_instants_and_not_of_their_texts(desk: Desk) -> None:
    rows = ask(desk, grain="hour", order="newest").rows
    times = [parse_instant(row["newest"]) for row in rows if row["newest"] is not None]
    assert times == sorted(times)


def test_raw_events_say_the_same(desk: Desk) -> None:
    raw = ask(desk, where="written is not null")
    assert raw.proof.source.rollup is None
    mine = [post for post in POSTS if post.written is not None]
    assert {name: raw.rows[0][name] for name in NAMES} == told(mine)


def test_times_have_no_relative_change(desk: Desk) -> None:
    (row,) = ask(desk, **{"from": "2013-11-03", "to": "2013-11-03", "compare": "previous"}).rows
    assert row["newest_compared"] < row["newest"]
    assert row["newest_delta"] is None
    assert row["posts_delta"] is not None


def test_in_tables_they_are_times(desk: Desk) -> None:
    answer = ask(desk)
    assert str(table_of(answer).schema.field("newest").type) == "timestamp[us, tz=America/New_York]"
    assert str(answer.rows[0]["newest"]).encode() in as_csv(answer)

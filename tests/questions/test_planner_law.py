"""The planner's law: whichever rollup may serve a question, its answer is the one from the raw events.

The rollups are drawn by lot, over the trips' fields and measures, and each is made to serve alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questions.test_ask import EVENTS, NOW, appended, folder
from tests.questions.trips import MODEL, NAMES, TRIPS

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.model.model import Model
from aforo.model.rollup import Rollup, RollupGrain
from aforo.model.tenant import Tenant
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked, decode
from aforo.questions.parts import by_stream
from aforo.settings import Settings
from aforo.telemetry import Telemetry

DIMENSIONS = ("city", "line", "night", "plate", "ordered")


def some_rollups(count: int, seed: int = 3) -> dict[str, Rollup]:
    """Of every grain, by none to three dimensions, of all measures or only some, with days and without."""
    dice = random.Random(seed)
    rollups = {}
    for at in range(count):
        grain = dice.choice([*RollupGrain, RollupGrain.SLOT])
        rollup = Rollup(
            name=f"rollup_{at:02}",
            dimensions=tuple(dice.sample(DIMENSIONS, dice.randrange(4))),
            grain=grain,
            measures=NAMES if dice.random() < 0.7 else tuple(dice.sample(NAMES, 4)),
            days=grain is RollupGrain.DAY or dice.random() < 0.7,
        )
        rollups[rollup.name] = rollup
    return rollups


ROLLUPS = some_rollups(12)
METRICS = ("trips", "lost_share", "delay_avg", "delay_total", "delay_p95", "cars", "distance", "longest")
WINDOWS = st.sampled_from(
    [
        ("2013-03-07", "2013-11-04"),
        ("2013-03-09", "2013-03-10"),
        ("2013-03-08T23:45:00-05:00", "2013-11-03T06:30:00Z"),  # rims of slots around days
        ("2012-03-10", "2013-03-12"),
    ]
)
QUESTIONS = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(["nyc", "nyc", "ktm"]),
        "window": WINDOWS,
        "grain": st.sampled_from(["total", "total", "month", "week"]),
        "by": st.sampled_from([[], [], *([name] for name in DIMENSIONS), ["line", "city"]]),
        "where": st.sampled_from(["", "", "city = 'Rome'", "line >= 2", "night is null"]),
        "compare": st.sampled_from([None, None, "previous", "year"]),
        "limit": st.sampled_from([None, 1, 2]),
        "totals": st.booleans(),
        "timezone": st.sampled_from([None, None, "Asia/Kathmandu"]),
        "metrics": st.lists(st.sampled_from(METRICS), min_size=1, max_size=4, unique=True),
    }
)


def having(rollups: dict[str, Rollup]) -> Model:
    return replace(MODEL, streams={**MODEL.streams, "trips": replace(TRIPS, rollups=rollups)})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """An engine that keeps all of the rollups, folded."""
    directory = tmp_path_factory.mktemp("planner")
    engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(having(ROLLUPS), Tenant(name=""))
    engine.append(appended(EVENTS[:400]))
    folder(engine).run_until_clean()
    yield engine
    engine.close()


def desk(engine: EmbeddedEngine, rollups: dict[str, Rollup]) -> Desk:
    return Desk(engine, having(rollups), Settings(), ManualClock(NOW), Telemetry())


def as_asked(question: dict[str, Any]) -> Asked:
    """The question without what is not asked; groups are kept only where there are any."""
    first, last = question.pop("window")
    limit = question["limit"] if question["by"] else None
    body = {**question, "from": first, "to": last, "limit": limit}
    return decode({key: value for key, value in body.items() if value})


def reads_rollups_alone(desk: Desk, asked: Asked) -> bool:
    """Whether the rows of both windows are read from rollups."""
    parts = [desk.plan(part) for part in by_stream(desk.resolve(asked), desk.model)]
    return all(plan.rollup is not None for part in parts for _, plan in part.reads)


def told(answer: Answer) -> tuple[object, ...]:
    """All of an answer but its proof."""
    return answer.columns, answer.rows, answer.totals, answer.comparison


def test_law_of_the_planner(engine: EmbeddedEngine) -> None:
    served: Counter[str] = Counter()

    @given(QUESTIONS)
    @settings(max_examples=20, deadline=None)
    def law(question: dict[str, Any]) -> None:
        asked = as_asked(question)
        raw = desk(engine, {}).ask(asked)
        assert raw.proof.source.kind == "raw"
        for name, rollup in ROLLUPS.items():
            alone = desk(engine, {name: rollup})
            if reads_rollups_alone(alone, asked):
                answer = alone.ask(asked)
                assert answer.proof.source.rollup == name
                assert told(answer) == told(raw), name
                served[name] += 1
        assert told(desk(engine, ROLLUPS).ask(asked)) == told(raw), (
            "and of those that can, whichever is taken"
        )

    law()
    assert sum(served.values()) >= 15
    assert len(served) >= 6, "not always the same few"

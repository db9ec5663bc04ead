"""Ordered funnels from kept sets: exact or not told, against trying every chain of the events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from tests.questions.visits import START, Event, appended, paths, visit

from aforo.clock import ManualClock
from aforo.engines.embedded.engine import EmbeddedEngine
from aforo.engines.keeping import PurgeAsked
from aforo.errors import NotServable
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.questions import funnel_asked, ordered
from aforo.questions.ask import Desk
from aforo.questions.funnel import Funnel, funnel
from aforo.questions.paths import Traces, reached
from aforo.questions.proof import Source
from aforo.rollups.folder import Folder
from aforo.settings import Questions, Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, HOUR, SLOT, Zone

TEXT = """
streams:
  visits:
    fields: {visitor: string, page: string, country: string, seconds: number}
    entities: {person: visitor}
    measures: {people: {distinct: person}, readers: {distinct: person, where: "page = 'book'"}}
    rollups: {whole: {by: []}, pages: {by: [page]}}
  orders:
    fields: {buyer: string, amount: integer}
    entities: {person: buyer}
    measures: {buyers: {distinct: person}}
    rollups: {all: {by: []}}
metrics:
  people: {formula: people}
"""
MODEL = read_model(TEXT, source="visits")
NOW = START + 300 * DAY
PAGES = ("home", "book", "cart")
STEPS = [{"where": f"page = '{page}'"} for page in PAGES]
ZONE = "Asia/Kathmandu"  # whose midnight is no full hour of UTC
MIDNIGHT = Zone(ZONE).day_start(Zone(ZONE).date_of(START + DAY))


def opened(directory: Path, model: Model = MODEL) -> EmbeddedEngine:
    engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(model, Tenant(name="", timezone=ZONE))
    return engine


def fold(engine: EmbeddedEngine) -> None:
    Folder(engine, ManualClock(NOW), Telemetry(), batch_rows=400, wake_after_seconds=1).run_until_clean()


def funnelled(
    engine: EmbeddedEngine, *, model: Model = MODEL, raw_rows: int | None = None, **asked: object
) -> Funnel:
    limited = Settings() if raw_rows is None else Settings(questions=Questions(raw_rows_limit=raw_rows))
    body = {"entity": "person", "stream": "visits", "from": "2011-12-21", "to": "2011-12-26", "steps": STEPS}
    body |= {name: value for name, value in asked.items() if value is not None}
    return funnel(Desk(engine, model, limited, ManualClock(NOW), Telemetry()), funnel_asked.decode(body))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    engine = opened(tmp_path_factory.mktemp("funnels"))
    yield engine
    engine.close()


def from_events(told: Funnel) -> list[Source]:
    """What was read of the events beside the sets."""
    return [each for each in told.proof.source.also_read if each.kind == "raw"]


def told_from_sets(engine: EmbeddedEngine, raw_rows: int | None = 0, **asked: object) -> object:
    """The counts; or of why they are not told, what became of the events."""
    try:
        return funnelled(engine, raw_rows=raw_rows, **asked).counts
    except NotServable as refused:
        told = re.search(
            "(tell no order within one|keeps quarter hours since).* (may not be read|were purged)",
            refused.detail,
        )
        return refused.detail if told is None else told[2]


NUMBERS = count()


def came(engine: EmbeddedEngine, *visits: tuple[str, int, str]) -> str:
    """A new tenant with these visits, folded: who, how long after the first midnight, and the page."""
    tenant = f"tenant{next(NUMBERS)}"
    events = [visit(tenant, MIDNIGHT + at, who, page, None) for who, at, page in visits]
    engine.append(appended(events))
    fold(engine)
    return tenant


# Who, when (often within one quarter hour of another), and what.
CAME = st.tuples(
    st.sampled_from([f"v{at}" for at in range(5)]),
    st.one_of(
        st.integers(0, 6 * DAY // SLOT - 1).map(lambda at: at * SLOT),
        st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, SLOT - 1)).map(
            lambda at: at[0] * DAY + at[1] * SLOT + at[2]
        ),
    ),
    st.sampled_from(PAGES),
)
WITHIN = {None: None, "20m": 20 * 60_000_000, "1h": HOUR, "26h": 26 * HOUR, "3d": 3 * DAY}
WINDOWS = {None: (0, 6 * DAY), "2011-12-21T17:30:00Z": (23 * HOUR + HOUR // 4, 6 * DAY)}


@settings(max_examples=12)
@given(
    st.lists(CAME, min_size=1, max_size=24),
    st.sampled_from(list(WITHIN)),
    st.sampled_from(list(WINDOWS)),
    st.lists(st.sampled_from(PAGES), min_size=2, max_size=4),
    st.integers(0, 7),
    st.booleans(),
)
def test_counts_are_those_of_trying_every_chain(
    engine: EmbeddedEngine,
    visits: list[tuple[str, int, str]],
    within: str | None,
    begin: str | None,
    steps: list[str],
    gone_days: int,
    slots_too: bool,
) -> None:
    """Of everything first, then of what a purge leaves: then the same, or it is not told."""
    tenant = came(engine, *visits)
    start, end = WINDOWS[begin]
    events = [
        (who, at, frozenset(place for place, step in enumerate(steps) if step == page))
        for who, at, page in visits
        if start <= at < end
    ]
    wanted = paths(events, len(steps), WITHIN[within])
    asked = {
        "tenant": tenant,
        "within": within,
        "from": begin,
        "steps": [{"where": f"page = '{page}'"} for page in steps],
    }
    whole = funnelled(engine, **asked)
    assert whole.counts == wanted
    assert whole.proof.source.kind == "rollup"
    assert told_from_sets(engine, **asked) in (wanted, "may not be read")
    gone = MIDNIGHT + gone_days * DAY
    while engine.purge(PurgeAsked("visits", tenant, gone, gone if slots_too else 0, 10**6)).more:
        pass
    assert told_from_sets(engine, raw_rows=None, **asked) in (wanted, "were purged" if gone_days else wanted)


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.frozensets(st.integers(0, 2), min_size=1)),
    max_size=20,
)


@given(EVENTS, st.frozensets(st.integers(1, 30), max_size=8), st.one_of(st.none(), st.integers(0, 30)))
def test_spans_decide_nobody_wrongly(
    events: list[tuple[int, int, frozenset[int]]], cuts: frozenset[int], within: int | None
) -> None:
    """However time is cut into spans: who is decided came as far as that, and no further."""
    edges = np.array([0, *sorted(cuts), 31])
    times = np.array([time for _, time, _ in events], np.int64)
    span = np.searchsorted(edges, times, side="right") - 1
    told = reached(
        Traces(
            np.array([who for who, _, _ in events], np.uint32),
            edges[span].astype(np.int64),
            edges[span + 1].astype(np.int64) - 1,
            np.array([sum(1 << step for step in steps) for _, _, steps in events], np.uint8),
        ),
        3,
        within,
    )
    for who in range(4):
        mine = paths([each for each in events if each[0] == who], 3, within)
        if who in told.undecided:
            assert all(who not in decided for decided in told.decided)
        else:
            assert tuple(int(who in decided) for decided in told.decided) == mine
    if len(cuts) == 30:
        assert told.undecided == BitMap()


def test_days_alone_decide_where_steps_are_of_different_days(engine: EmbeddedEngine) -> None:
    tenant = came(engine, ("a", 0, "home"), ("a", DAY, "book"), ("b", DAY, "home"), ("b", HOUR, "book"))
    told = funnelled(engine, tenant=tenant, steps=STEPS[:2], raw_rows=0)
    assert told.counts == (2, 1)
    assert told.proof.source.grains == ("day",)
    assert from_events(told) == []


def test_slots_decide_what_days_leave_open(engine: EmbeddedEngine) -> None:
    tenant = came(engine, ("a", 0, "home"), ("a", SLOT, "book"), ("b", 3 * SLOT, "home"), ("b", HOUR, "cart"))
    told = funnelled(engine, tenant=tenant, raw_rows=0)
    assert told.counts == (2, 1, 0)
    assert told.proof.source.grains == ("slot", "day")
    near = funnelled(engine, tenant=tenant, raw_rows=0, within="30m")
    assert near.counts == (2, 1, 0)
    with pytest.raises(
        NotServable, match=r"sets of quarter hours leave open how far 1 came \(each one person\)"
    ):
        funnelled(engine, tenant=tenant, raw_rows=0, within="20m")


def test_events_are_read_of_those_alone_whom_slots_leave_open(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [(f"v{at}", at * SLOT + hour * HOUR, page) for at in range(30) for hour, page in enumerate(PAGES)]
    tenant = came(engine, *many, ("near", 7, "book"), ("near", 9, "home"), ("near", 9 + SLOT, "book"))
    told = funnelled(engine, tenant=tenant, raw_rows=0)
    assert told.counts == (31, 31, 30)  # the second book lies in the next quarter hour
    same = came(engine, *many, ("near", 7, "book"), ("near", 9, "home"))
    told = funnelled(engine, tenant=same)
    assert told.counts == (31, 30, 30)
    [read] = from_events(told)
    assert read.rows_read == len(many) + 2  # of 92 events no sets of slots are read first
    monkeypatch.setattr(ordered, "EVENTS_FOR_A_SET", 0)
    told = funnelled(engine, tenant=same)
    assert told.counts == (31, 30, 30)
    [read] = from_events(told)
    assert read.rows_read == 2
    said = "sets of quarter hours leave open how far 1 came (each one person), since they tell no order"
    said = f"{said} within one"
    assert read.reason == said
    also = told.proof.as_json()["alsoRead"]
    assert isinstance(also, list)
    assert also[-1] == {"source": "raw", "reason": said, "rowsRead": 2}


def test_a_step_of_nobody_needs_no_order(engine: EmbeddedEngine) -> None:
    tenant = came(engine, ("a", 1, "home"), ("a", 2, "book"))
    told = funnelled(engine, tenant=tenant, steps=[STEPS[0], STEPS[2], STEPS[1]], raw_rows=0)
    assert (told.counts, from_events(told)) == ((1, 0, 0), [])


def test_steps_that_no_set_means_are_read_from_the_events(engine: EmbeddedEngine) -> None:
    tenant = came(engine, ("a", 1, "home"), ("a", 2, "book"))
    told = funnelled(engine, tenant=tenant, steps=[STEPS[0], {"where": "page = 'book' and seconds > 1"}])
    assert told.counts == (1, 1)
    assert told.proof.source.reason == "visits has no rollup split by page and seconds"
    odd = funnelled(engine, tenant=tenant, **{"from": "2011-12-21T18:15:00.000002Z"})
    assert (odd.counts, odd.proof.source.kind) == ((0, 0, 0), "raw")
    assert odd.proof.source.reason.startswith("no rollup of visits split by page can serve: ")


def test_steps_of_several_rollups_and_streams_are_all_told(engine: EmbeddedEngine) -> None:
    tenant = came(engine, ("a", 0, "home"), ("b", 0, "home"), ("b", HOUR, "book"))
    bought = [
        Event(tenant, "orders", MIDNIGHT + at, {"buyer": who, "amount": 1})
        for who, at in (("a", 5), ("b", DAY))
    ]
    engine.append(appended(bought, 100))
    fold(engine)
    told = funnelled(engine, tenant=tenant, steps=[{}, {"stream": "orders"}])
    assert told.counts == (2, 2)
    source = told.proof.source
    assert [source.rollup, *(each.rollup for each in source.also_read)] == ["whole", "all", None, None]
    read = [source.as_json(), *(each.brief() for each in source.also_read)]
    assert [each["stream"] for each in read] == ["visits", "orders", "visits", "orders"]
    unordered = funnelled(engine, tenant=tenant, steps=[{}, {"stream": "orders"}], ordered=False)
    assert [each.rollup for each in unordered.proof.source.also_read] == ["all"]


def test_a_set_that_was_not_kept_from_the_beginning_tells_nothing(tmp_path: Path) -> None:
    """A rollup that was declared after a purge lacks all who came before."""
    fewer = read_model(TEXT.replace(", pages: {by: [page]}", ""), source="visits")
    engine = opened(tmp_path, fewer)
    try:
        tenant = came(engine, ("a", 0, "home"), ("a", 3 * DAY, "book"))
        while engine.purge(PurgeAsked("visits", tenant, MIDNIGHT + DAY, MIDNIGHT + DAY, 10**6)).more:
            pass
        engine.apply_model(MODEL, Tenant(name="", timezone=ZONE))
        while engine.build(1_000) is not None:
            pass
        for ordered in (True, False):
            with pytest.raises(NotServable, match=r"people is kept from .* on: what came before was purged"):
                funnelled(engine, tenant=tenant, steps=STEPS[:2], ordered=ordered)
        later = {"from": "2011-12-23", "steps": [STEPS[1], STEPS[0]]}
        assert funnelled(engine, tenant=tenant, **later).counts == (1, 0)
    finally:
        engine.close()

"""Who is new, who returns, who is retained and who comes how far: against plain Python over the events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.questions.outline import outline
from tests.questions.visits import (
    MODEL,
    START,
    TENANTS,
    Event,
    appended,
    cohorts,
    paths,
    people,
    some_visits,
    visit,
)
from tests.reference_engine import ReferenceEngine

from aforo.clock import ManualClock
from aforo.engines.embedded.engine import EmbeddedEngine
from aforo.engines.engine import Engine
from aforo.engines.keeping import PurgeAsked
from aforo.engines.reads import Paths
from aforo.errors import InvalidRequest, NotServable, QuestionTooLarge
from aforo.model.tenant import Tenant
from aforo.questions import funnel_asked
from aforo.questions import retention_asked as retentions
from aforo.questions.answer import Answer
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.questions.funnel import Funnel, funnel
from aforo.questions.paths import of_events, reached
from aforo.questions.retention import Retention, retention
from aforo.rollups.folder import Folder
from aforo.settings import Questions, Settings
from aforo.telemetry import Telemetry
from aforo.windows import DAY, HOUR, Grain, Window, Zone, parse_date, window_of_dates

NOW = START + 300 * DAY
EVENTS = some_visits(700, seed=4)
LATE = some_visits(120, seed=5)
ALL = [*EVENTS, *LATE]


def folder(engine: Engine) -> Folder:
    return Folder(engine, ManualClock(NOW), Telemetry(), batch_rows=400, wake_after_seconds=1)


def opened(directory: Path) -> EmbeddedEngine:
    engine = EmbeddedEngine(directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
    engine.apply_model(MODEL, Tenant(name=""))
    return engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """All that came in time was folded before what came late did, and was folded as well."""
    engine = opened(tmp_path_factory.mktemp("visits"))
    for first, events in ((0, EVENTS), (len(EVENTS), LATE)):
        engine.append(appended(events, first))
        folder(engine).run_until_clean()
    yield engine
    engine.close()


def reference() -> ReferenceEngine:
    engine = ReferenceEngine(MODEL)
    engine.take(ALL, NOW)
    engine.fold()
    return engine


REFERENCE = reference()


def desk(engine: object, limited: Settings | None = None, now: int = NOW) -> Desk:
    return Desk(engine, MODEL, limited or Settings(), ManualClock(now), Telemetry())  # type: ignore[arg-type]


def ask(engine: object, limited: Settings | None = None, **asked: object) -> Answer:
    body = {
        "tenant": "madrid",
        "metrics": ["people", "new_people", "back", "new_share", "new_readers"],
        **asked,
    }
    return desk(engine, limited).ask(decode({key: value for key, value in body.items() if value}))


def retained(engine: object, now: int = NOW, **asked: object) -> Retention:
    body = {"tenant": "madrid", "metric": "people", "from": "2011-12-22", "to": "2012-01-18", **asked}
    return retention(desk(engine, now=now), retentions.decode(body))


def funnelled(engine: object, limited: Settings | None = None, **asked: object) -> Funnel:
    body = {
        "tenant": "madrid",
        "entity": "person",
        "stream": "visits",
        "from": "2011-12-20",
        "to": "2012-01-18",
    }
    return funnel(desk(engine, limited), funnel_asked.decode({**body, **asked}))


def of(tenant: str) -> list[Event]:
    return [event for event in ALL if event.tenant == tenant]


def reads_book(event: Event) -> bool:
    return event.fields["page"] == "book"


WINDOWS = [
    ("2011-12-25", "2012-01-10"),
    ("2011-12-29", "2011-12-31"),
    ("2011-12-26T07:15:00Z", "2012-01-12T22:45:00Z"),
]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("grain", [Grain.TOTAL, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.HOUR])
@pytest.mark.parametrize("zone", [None, "Asia/Kolkata"])
def test_new_are_those_never_seen_before_the_bucket(
    engine: EmbeddedEngine, tenant: str, grain: Grain, zone: str | None
) -> None:
    mine = of(tenant)
    for start, end in WINDOWS:
        asked = {"tenant": tenant, "from": start, "to": end, "grain": str(grain), "timezone": zone}
        answer = ask(engine, **asked)
        question = desk(engine).resolve(
            decode({"metrics": ["people"], **{k: v for k, v in asked.items() if v}})
        )
        buckets = question.zone.buckets(question.window, grain)
        assert len(buckets) == len(answer.rows)
        for bucket, row in zip(buckets, answer.rows, strict=True):
            here = people(mine, bucket.start, bucket.end)
            before = people(mine, 0, bucket.start)
            readers = people(mine, bucket.start, bucket.end, reads_book)
            assert row["people"] == len(here)
            assert row["new_people"] == len(here - before)
            assert row["back"] == len(here & before)
            assert row["new_share"] == (len(here - before) / len(here) if here else None)
            assert row["new_readers"] == len(readers - people(mine, 0, bucket.start, reads_book))
        before = answer.proof.source.seen_before
        assert before is not None
        assert before.kind == "rollup"


def test_a_split_or_a_filter_makes_nobody_new(engine: EmbeddedEngine) -> None:
    mine = of("madrid")
    window = window_of_dates(parse_date("2011-12-25"), parse_date("2012-01-10"), Zone("Europe/Madrid"))
    answer = ask(engine, **{"from": "2011-12-25", "to": "2012-01-10"}, by=["country"], where="page = 'book'")
    before = people(mine, 0, window.start)
    assert {row["country"] for row in answer.rows} == {"ES", "NP", None}
    for row in answer.rows:

        def fits(event: Event, country: object = row["country"]) -> bool:
            return event.fields["country"] == country and reads_book(event)

        here = people(mine, window.start, window.end, fits)
        assert (row["new_people"], row["back"]) == (len(here - before), len(here & before))
    source = answer.proof.source
    assert (source.rollup, source.seen_before and source.seen_before.rollup) == ("pages", "whole")


@settings(max_examples=15)
@given(
    st.sampled_from(TENANTS),
    st.sampled_from(WINDOWS),
    st.sampled_from([Grain.TOTAL, Grain.DAY, Grain.WEEK]),
    st.sampled_from([[], ["country"], ["page"], ["visitor"]]),
    st.sampled_from(["", "country = 'ES'", "seconds > 1"]),
    st.sampled_from([None, "previous", "2011-12-21..2011-12-24"]),
)
def test_both_engines_give_one_answer(
    engine: EmbeddedEngine,
    tenant: str,
    window: tuple[str, str],
    grain: Grain,
    by: list[str],
    where: str,
    compare: str | None,
) -> None:
    asked = {"tenant": tenant, "from": window[0], "to": window[1], "grain": str(grain), "by": by}
    asked |= {"where": where, "compare": compare}
    here, there = ask(engine, **asked), ask(REFERENCE, **asked)
    assert here.columns == there.columns
    assert here.rows == there.rows


def test_law_4_new_in_the_parts_are_new_in_the_whole(engine: EmbeddedEngine) -> None:
    window = {"from": "2011-12-25", "to": "2012-01-10"}
    parts, whole = ask(engine, **window, grain="day"), ask(engine, **window)
    assert sum(int(str(row["new_people"])) for row in parts.rows) == whole.rows[0]["new_people"]
    cohorts_ = retained(engine, **window, grain="week").cohorts
    assert sum(cohort.size for cohort in cohorts_) == whole.rows[0]["new_people"]


def test_law_3_a_late_event_moves_the_first_sighting_back(engine: EmbeddedEngine, tmp_path: Path) -> None:
    """Nothing but the events decides who is new: not in which order they came, nor how often was folded."""
    other = opened(tmp_path)
    try:
        other.append(appended(list(reversed(ALL))))
        folder(other).run_until_clean()
        for grain in ("total", "day", "week"):
            asked = {"from": "2011-12-21", "to": "2012-01-15", "grain": grain}
            assert ask(engine, **asked).rows == ask(other, **asked).rows
        other.append(appended([visit("madrid", START - 40 * DAY, "v7", "home", None)], 10_000))
        waiting = ask(other, **{"from": "2011-12-25", "to": "2012-01-10"})
        assert waiting.proof.freshness.complete_until == START - 40 * DAY
        folder(other).run_until_clean()
        cohorts_ = retained(other, **{"from": "2011-11-01", "to": "2012-01-18"}, grain="month").cohorts
        assert (cohorts_[0].size, cohorts_[0].returned[0]) == (1, 1)
    finally:
        other.close()


@pytest.fixture(scope="module")
def hills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """An engine for which every tenant lives in Nepal, with weeks from Sunday."""
    engine = opened(tmp_path_factory.mktemp("hills"))
    engine.apply_model(MODEL, Tenant(name="", timezone="Asia/Kathmandu", week_start="sunday"))
    yield engine
    engine.close()


CAME = st.tuples(st.integers(0, 20 * 96), st.integers(0, 6), st.sampled_from(["home", "book"]))
NUMBERS = count()


@settings(max_examples=8)
@given(
    st.lists(st.lists(CAME, min_size=1, max_size=10), min_size=1, max_size=4),
    st.sampled_from(retentions.GRAINS),
    st.integers(21, 31),
)
def test_laws_3_and_4_whatever_comes_in_whatever_batches(
    hills: EmbeddedEngine, batches: list[list[tuple[int, int, str]]], grain: Grain, first: int
) -> None:
    """Folded after every batch, so that all that is earlier than what came before it is late."""
    tenant, mine = f"hill{next(NUMBERS)}", list[Event]()
    for batch in batches:
        events = [visit(tenant, START + at * DAY // 96, f"v{who}", page, None) for at, who, page in batch]
        hills.append(appended(events, len(mine)))
        folder(hills).run_until_clean()
        mine += events
    window = {"from": f"2011-12-{first}", "to": "2012-01-08", "grain": str(grain), "tenant": tenant}
    zone = hills.zone(tenant)
    periods = zone.buckets(window_of_dates(date(2011, 12, first), date(2012, 1, 8), zone), grain)
    rows = ask(hills, **window).rows
    for period, row in zip(periods, rows, strict=True):
        here, before = people(mine, period.start, period.end), people(mine, 0, period.start)
        assert (row["new_people"], row["back"]) == (len(here - before), len(here & before))
    found = retained(hills, **window, metric="people", returns="readers").cohorts
    assert [(cohort.size, list(cohort.returned)) for cohort in found] == cohorts(
        mine, periods, lambda _: True, reads_book, lambda _: True
    )


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("grain", retentions.GRAINS)
@pytest.mark.parametrize(
    ("joined", "returns"), [("people", "people"), ("people", "readers"), ("readers", "people")]
)
@pytest.mark.parametrize("where", ["", "country = 'ES'"])
def test_retention(
    engine: EmbeddedEngine, tenant: str, grain: Grain, joined: str, returns: str, where: str
) -> None:
    answer = retained(engine, tenant=tenant, grain=str(grain), metric=joined, returns=returns, where=where)
    zone = engine.zone(tenant)
    periods = zone.buckets(window_of_dates(date(2011, 12, 22), date(2012, 1, 18), zone), grain)
    fits = {"people": lambda _: True, "readers": reads_book}
    wanted = cohorts(
        of(tenant),
        periods,
        fits[joined],
        fits[returns],
        lambda event: not where or event.fields["country"] == "ES",
    )
    assert [(cohort.size, list(cohort.returned)) for cohort in answer.cohorts] == wanted
    assert [cohort.bucket for cohort in answer.cohorts] == list(periods)
    assert answer.proof.source.kind == "rollup"


def test_periods_that_have_not_begun_are_null(engine: EmbeddedEngine) -> None:
    now = START + 10 * DAY + HOUR
    answer = retained(engine, now=now, grain="week")
    assert [None in cohort.returned for cohort in answer.cohorts] == [True] * 5
    assert answer.cohorts[0].returned[2:] == (None, None, None)
    assert [cohort.partial for cohort in answer.cohorts] == [True, True, True, True, True]
    assert answer.cohorts[-1].size == 0
    assert answer.cohorts[0].shares[0] == 1.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"metric": "visits"}, "visits is 'all_visits', but cohorts are of a metric that counts entities"),
        ({"metric": "new_share"}, "hint: such as people or readers"),
        ({"metric": "poeple"}, "did you mean 'people'"),
        ({"grain": "hour"}, "there is no period of cohorts named 'hour'"),
        ({"returns": "buyers"}, "but cohorts are of metrics of one stream"),
        ({"metrics": ["people"]}, "did you mean 'metric'"),
    ],
)
def test_cohorts_that_cannot_be(engine: EmbeddedEngine, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        retained(engine, **asked)
    assert said in str(raised.value)


def test_a_fault_names_the_place_in_the_question_of_retention(engine: EmbeddedEngine) -> None:
    for asked, places in (
        ({"returns": "reeders"}, ["returns"]),
        ({"metric": "visits"}, ["metric"]),
        ({"metric": "visits", "returns": "new_share"}, ["metric", "returns"]),
        ({"returns": "buyers"}, ["returns"]),
        ({"grain": "hour"}, ["grain"]),
        ({"grain": "hour", "metric": "peeple", "to": "soon"}, ["grain", "metric", "to"]),
    ):
        with pytest.raises(InvalidRequest) as raised:
            retained(engine, **asked)
        assert [fault.path for fault in raised.value.faults] == places
    assert "did you mean 'people'?" in raised.value.faults[1].message


def test_a_fault_names_the_place_in_a_funnel(engine: EmbeddedEngine) -> None:
    for asked, places in (
        ({"stream": "vists", "steps": [{}, {}, {"stream": "oders"}]}, ["stream", "steps[2].stream"]),
        ({"stream": None, "steps": [{}, {}]}, ["stream"]),
        ({"stream": "vists", "steps": [{"stream": "visits"}]}, ["stream"]),
        ({"steps": []}, ["steps"]),
    ):
        with pytest.raises(InvalidRequest) as raised:
            funnelled(engine, **asked)
        assert [fault.path for fault in raised.value.faults] == places


STEPS = [{"where": "page = 'home'"}, {"where": "page = 'book'"}, {"where": "page = 'cart'"}]
PAGES = ("home", "book", "cart")


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("within", "length"), [(None, None), ("9d", 9 * DAY), ("130h", 130 * HOUR)])
def test_an_ordered_funnel(
    engine: EmbeddedEngine, tenant: str, within: str | None, length: int | None
) -> None:
    answer = funnelled(engine, tenant=tenant, steps=STEPS, within=within)
    zone = engine.zone(tenant)
    window = window_of_dates(date(2011, 12, 20), date(2012, 1, 18), zone)
    events = [
        (event.fields["visitor"], event.time, frozenset({PAGES.index(str(event.fields["page"]))}))
        for event in of(tenant)
        if window.contains(event.time) and event.fields["visitor"] is not None
    ]
    assert answer.counts == paths(events, 3, length)
    assert answer.counts[0] > answer.counts[-1] > 0
    source = answer.proof.source
    assert (source.kind, source.grains) == ("rollup", ("day",))
    rollups, events = {source.rollup}, [each for each in source.also_read if each.kind == "raw"]
    assert rollups | {each.rollup for each in source.also_read if each.rollup} == {"whole", "pages"}
    assert all(each.reason.startswith("sets of days leave open how far") for each in events)


def test_steps_in_any_order_are_told_by_sets(engine: EmbeddedEngine) -> None:
    answer = funnelled(engine, steps=STEPS, ordered=False)
    zone = engine.zone("madrid")
    window = window_of_dates(date(2011, 12, 20), date(2012, 1, 18), zone)
    sets = [
        people(of("madrid"), window.start, window.end, lambda event, page=page: event.fields["page"] == page)
        for page in PAGES
    ]
    assert answer.counts == (len(sets[0]), len(sets[0] & sets[1]), len(sets[0] & sets[1] & sets[2]))
    assert answer.proof.source.kind == "rollup"


def test_one_step_is_read_from_a_rollup_where_one_serves(engine: EmbeddedEngine) -> None:
    kept = funnelled(engine, steps=[{"where": "page = 'book'"}])
    assert kept.proof.source.rollup == "whole"  # by the measure that means it
    events = funnelled(engine, steps=[{"where": "page = 'book' and seconds > 1"}])
    assert events.counts == kept.counts
    assert events.proof.source.kind == "raw"
    assert "has no rollup split by page and seconds" in events.proof.source.reason


def test_a_funnel_through_two_streams(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    try:
        noon = START + 12 * HOUR
        order = Event("madrid", "orders", noon + 5, {"buyer": "ana", "amount": 3})
        early = Event("madrid", "orders", noon - 5, {"buyer": "bea", "amount": 3})
        engine.append(appended([visit("madrid", noon, each, "home", None) for each in ("ana", "bea")]))
        engine.append(appended([order, early], 100))
        folder(engine).run_until_clean()
        answer = funnelled(engine, steps=[{"name": "came"}, {"name": "bought", "stream": "orders"}])
        assert answer.as_json()["steps"] == [
            {"step": 1, "name": "came", "count": 2, "share": 1.0, "shareOfPrevious": 1.0},
            {"step": 2, "name": "bought", "count": 1, "share": 0.5, "shareOfPrevious": 0.5},
        ]
        assert funnelled(engine, steps=[{"stream": "orders"}], tenant="apia").counts == (0,)
    finally:
        engine.close()


EVENT = st.tuples(
    st.integers(0, 3), st.integers(0, 8), st.frozensets(st.integers(0, 3), min_size=1, max_size=4)
)


@given(st.lists(EVENT, max_size=24), st.one_of(st.none(), st.integers(0, 8)), st.randoms())
def test_reached_is_what_trying_every_chain_finds(
    events: list[tuple[int, int, frozenset[int]]], within: int | None, dice: object
) -> None:
    found = [
        Paths(
            np.array([entity for entity, _, _ in part], np.uint32),
            np.array([time for _, time, _ in part], np.int64),
            np.array([sum(1 << step for step in steps) for _, _, steps in part], np.uint8),
        )
        for part in (events[::2], events[1::2])
    ]
    told = reached(of_events(found), 4, within)
    assert tuple(map(len, told.decided)) == paths(events, 4, within)
    assert not told.undecided


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"steps": []}, "0 steps came, and a funnel has 1 to 8"),
        ({"steps": [{}] * 9}, "9 steps came"),
        ({"steps": [{"where": "pgae = 'a'"}]}, "did you mean 'page'"),
        ({"steps": [{}, {}], "entity": "persn"}, "there is no entity of visits named 'persn'\nhint: did you"),
        ({"steps": [{"stream": "visit"}]}, "did you mean 'visits'"),
        ({"steps": [{}], "stream": None}, "not said of which stream"),
        ({"steps": [{}], "within": "soon"}, "'soon' is no length of time"),
        ({"steps": [{}, {}], "within": "1d", "ordered": False}, "no time from the first to the last"),
        ({"steps": [{}], "tenat": "x"}, "did you mean 'tenant'"),
    ],
)
def test_funnels_that_cannot_be(engine: EmbeddedEngine, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        funnelled(engine, **asked)
    assert said in str(raised.value)


def test_raw_funnels_and_histories_are_guarded(engine: EmbeddedEngine) -> None:
    none, few = (Settings(questions=Questions(raw_rows_limit=limit)) for limit in (0, 10))
    with pytest.raises(NotServable, match="tell no order within one, and raw events may not be read"):
        funnelled(engine, none, steps=STEPS)
    with pytest.raises(QuestionTooLarge, match="it may read 10"):
        funnelled(engine, few, steps=STEPS)
    assert funnelled(engine, none, steps=STEPS, ordered=False).counts[0]
    with pytest.raises(NotServable, match="whole slots"):
        ask(engine, none, **{"from": "2011-12-25T00:00:01Z", "to": "2012-01-10"})


def test_the_guard_of_funnels_and_cohorts_is_in_their_proofs(engine: EmbeddedEngine) -> None:
    """Before anything is read it tells how many events that will be, and how many bytes they have."""
    told = funnelled(engine, steps=[{"where": "seconds > 1"}, {"where": "page = 'book'"}])
    events = of("madrid")
    here = [event for event in events if madrid_days("2011-12-20", "2012-01-18").contains(event.time)]
    guard = told.proof.guarded
    assert guard is not None
    pages = sum(len(str(event.fields["page"])) for event in here) / len(here)
    each = 8 + len("madrid") + 8 + pages + 4  # the time, the tenant, seconds, the page, and who it was
    assert (guard.raw_rows_expected, guard.raw_bytes_expected) == (len(here), round(len(here) * each))
    assert guard.raw_rows_expected >= told.proof.source.rows_read > 0
    assert funnelled(engine, steps=STEPS[:1]).proof.guarded is None
    window = {"from": "2012-01-02T00:00:01Z", "to": "2012-01-09T00:00:00Z"}
    cohorts_ = retained(engine, **window, where="seconds > 1").proof
    assert cohorts_.guarded is not None
    assert cohorts_.guarded.raw_rows_expected >= cohorts_.source.rows_read
    assert retained(engine).proof.guarded is None
    limited = Settings(questions=Questions(raw_bytes_limit=guard.raw_bytes_expected - 1))
    with pytest.raises(QuestionTooLarge, match="raw events with"):
        funnelled(engine, limited, steps=[{"where": "seconds > 1"}, {"where": "page = 'book'"}])


def madrid_days(first: str, last: str) -> Window:
    return window_of_dates(parse_date(first), parse_date(last), Zone("Europe/Madrid"))


def test_law_7_who_came_is_known_after_the_events_are_gone(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    try:
        engine.append(appended(of("madrid")))
        folder(engine).run_until_clean()
        asked = {"from": "2012-01-03", "to": "2012-01-15", "grain": "day"}
        rows, cohorts_ = ask(engine, **asked).rows, retained(engine, grain="day").cohorts
        unordered = funnelled(engine, steps=STEPS, ordered=False).counts
        in_order = funnelled(engine, steps=STEPS).counts
        gone = START + 12 * DAY
        while engine.purge(PurgeAsked("visits", "madrid", gone, gone, 10**6)).more:
            pass
        sealed = engine.seal("visits", "madrid")
        assert 0 < sealed.events_from <= gone
        assert ask(engine, **asked).rows == rows
        assert ask(engine, **asked).proof.sealed_until == sealed.events_from
        assert retained(engine, grain="day").cohorts == cohorts_
        answer = funnelled(engine, steps=STEPS, ordered=False)
        assert (answer.counts, answer.proof.sealed_until) == (unordered, sealed.events_from)
        assert funnelled(engine, steps=STEPS).counts == in_order
        with pytest.raises(NotServable, match=r"sets of days leave open .* tell no order .* were purged"):
            funnelled(engine, steps=STEPS, within="12h")
        assert funnelled(engine, steps=STEPS, **{"from": "2012-01-03"}).counts[0]
    finally:
        engine.close()


def test_explained(engine: EmbeddedEngine) -> None:
    body = {"tenant": "madrid", "metrics": ["new_people"], "from": "2011-12-25", "to": "2012-01-10"}
    told = outline(desk(engine), decode(body))
    assert "\nseen before: read from rollup whole (day rows)" in told


def test_the_window_of_all_time_has_nothing_before_it(engine: EmbeddedEngine) -> None:
    answer = ask(engine, **{"from": "1973-01-02", "to": "2012-01-18"})
    assert (answer.rows[0]["back"], answer.rows[0]["new_people"]) == (0, answer.rows[0]["people"])

"""Law 6 of answers that were kept: whatever happened meanwhile, they say what reading again would say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.gauges import NOON, Sent, fold_once
from tests.laws.shelf import MODEL, READINGS, Shelf, of_tenant

from aforo.engines.keeping import PurgeAsked
from aforo.errors import AforoError
from aforo.model import formula
from aforo.model.model import Model
from aforo.questions import funnel_asked, retention_asked
from aforo.questions.ask import Desk
from aforo.questions.asked import decode
from aforo.questions.cache import Cache, Lifetimes
from aforo.questions.funnel import funnel
from aforo.questions.retention import retention
from aforo.questions.shelf import MemoryShelf
from aforo.rollups.erasure import Eraser
from aforo.settings import Settings
from aforo.store.act import Actor
from aforo.store.connect import Store
from aforo.store.erasures import Erasures
from aforo.telemetry import Telemetry
from aforo.windows import DAY

OF_NOW = {"tookMs", "cached", "ageSeconds", "rowsRead", "grains"}
"""What a proof says of the reading itself: weeks that were put together meanwhile are fewer rows."""
LIFETIMES = Lifetimes(300.0, 3_600.0, 86_400.0)
_SUM = formula.parse("flow_sum")
OTHER = replace(
    MODEL,
    metrics={
        **MODEL.metrics,
        "readings": replace(
            MODEL.metrics["readings"], formula=_SUM, text="flow_sum", measures=formula.measures(_SUM)
        ),
    },
)
"""A model in which a metric of the same name means something else."""

STEPS = [{"where": "station = 'north'"}, {"where": "station = 'south'"}]
QUESTIONS: tuple[dict[str, object], ...] = (
    {"metrics": ["readings", "level_avg", "probes_seen"]},
    {"metrics": ["readings"], "grain": "day", "compare": "previous"},
    {"metrics": ["readings", "level_p50"], "grain": "day", "by": ["station"], "totals": True, "limit": 1},
    {"metrics": ["readings"], "by": ["probe"]},
    {"metrics": ["readings"], "by": ["probe"], "where": "flow <= 2"},
    {"metrics": ["readings"], "grain": "day", "daily": True},
    {"metrics": ["readings"], "from": "2013-03-09", "to": "2013-03-09"},
    {"metric": "probes_seen", "grain": "day"},
    {"metric": "probes_seen", "grain": "week", "where": "flow <= 2"},
    {"entity": "probe", "steps": STEPS, "stream": "readings"},
    {"entity": "probe", "steps": STEPS[:1], "stream": "readings"},
    {"entity": "probe", "steps": [{}, {}], "stream": "readings"},
    {"entity": "probe", "steps": [{}, {}, {}], "stream": "readings", "within": "1d"},
    {"entity": "probe", "steps": [*STEPS, {}], "stream": "readings", "ordered": False},
)
WHOLE = {"from": "2013-03-08", "to": "2013-03-14"}

sents = st.lists(
    st.builds(
        lambda number, day: Sent(
            id=str(number),
            time=NOON + day * DAY + number * 1_000_000,
            fields={
                "station": ("north", "south")[number % 2],
                "level": number,
                "flow": number,
                "probe": f"p{number % 3}",
            },
        ),
        st.integers(0, 40),
        st.integers(-2, 2),
    ),
    min_size=1,
    max_size=4,
)
steps = st.one_of(
    st.tuples(st.just("send"), sents),
    st.tuples(st.just("fold"), st.just(10**6)),
    st.tuples(st.just("fold"), st.just(1)),
    st.tuples(st.just("erase"), st.sampled_from(["p0", "p1"])),
    st.tuples(st.just("purge"), st.integers(-2, 2)),
    st.tuples(st.just("clear"), st.sampled_from(["tenant", "stream:readings", "metric:readings", None])),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 400.0, 90_000.0])),
)


@dataclass
class Asking:
    """Two desks of each model over one engine: one with a cache, one that reads every time."""

    shelf: Shelf
    store: Store

    def __post_init__(self) -> None:
        memory = MemoryShelf(self.shelf.clock, 2**20, lambda _: None)
        self.cache = Cache(memory, LIFETIMES, Telemetry())
        erasures = Erasures(self.store, self.shelf.clock)
        self.eraser = Eraser(
            self.shelf.engine, MODEL, erasures, b"key", lambda: None, self.cache.clear_tenant
        )

    def answer(self, model: Model, asked: dict[str, object], cache: Cache | None) -> dict[str, object]:
        desk = Desk(self.shelf.engine, model, Settings(), self.shelf.clock, Telemetry(), cache)
        try:
            if "metric" in asked:
                return retention(desk, retention_asked.decode(asked)).as_json()
            if "steps" in asked:
                return funnel(desk, funnel_asked.decode(asked)).as_json()
            return desk.ask(decode(asked)).as_json()
        except AforoError as error:
            return {"refused": str(error)}

    def agree(self, tenant: str, question: dict[str, object], model: Model) -> bool:
        """Whether it was answered, twice, and the second time from the cache."""
        asked = {**WHOLE, **question, "tenant": tenant}
        for _ in range(2):
            kept, read = (told(self.answer(model, asked, cache)) for cache in (self.cache, None))
            assert kept == read
        return "refused" not in read

    def step(self, kind: str, what: object, tenant: str) -> None:
        engine = self.shelf.engine
        match kind, what:
            case "send", list():
                sent = of_tenant(tenant, what)
                self.shelf.bench(tenant).send(*sent, stream=READINGS, arrival=self.shelf.clock.now())
            case "fold", int():
                fold_once(engine, what)
            case "erase", str() if engine.seen(tenant, "probe", what) is not None:
                self.eraser.request(tenant, "probe", what, Actor("tests"))
                self.eraser.run_once()
            case "purge", int():
                engine.purge(PurgeAsked("readings", tenant, NOON + what * DAY, 0, 10**6))
                self.cache.clear_tenant(tenant)
            case "clear", tag:
                self.cache.clear(f"tenant:{tenant}" if tag == "tenant" else tag)  # type: ignore[arg-type]
            case "wait", float():
                self.shelf.clock.advance(what)


def told(answer: dict[str, object]) -> dict[str, object]:
    """An answer without what its proof says of the reading itself."""
    if "proof" not in answer:
        return answer

    def without(told: object) -> object:
        if isinstance(told, dict):
            return {name: without(value) for name, value in told.items() if name not in OF_NOW}
        return told

    return {**answer, "proof": without(answer["proof"])}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("store"))
    yield store
    store.close()


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(steps, st.sampled_from(QUESTIONS), st.sampled_from([MODEL, OTHER])), min_size=2, max_size=7
    )
)
def test_a_kept_answer_is_what_reading_again_would_give(
    shelf: Shelf,
    store: Store,
    history: list[tuple[tuple[str, object], dict[str, object], Model]],
) -> None:
    tenant, asking = shelf.tenant(), Asking(shelf, store)
    first = [Sent(id="0", time=NOON, fields={"station": "north", "level": 1, "flow": 1, "probe": "p0"})]
    asking.step("send", first, tenant)
    for step, question, model in history:
        asking.step(*step, tenant)
        asking.agree(tenant, question, model)
    answered = [asking.agree(tenant, question, MODEL) for question in QUESTIONS]
    found = asking.cache.statistics()
    assert found.hits >= sum(answered), "every question but those that are refused was asked twice"


def test_events_that_wait_leave_an_answer_kept_and_make_its_proof_stale(shelf: Shelf, store: Store) -> None:
    tenant, asking = shelf.tenant(), Asking(shelf, store)
    asked = {**WHOLE, "metrics": ["readings"], "tenant": tenant}
    asking.step("send", [Sent(id="0", time=NOON)], tenant)
    while fold_once(shelf.engine):
        pass
    first = asking.answer(MODEL, asked, asking.cache)
    shelf.clock.advance(10)
    asking.step("send", [Sent(id="1", time=NOON)], tenant)
    shelf.clock.advance(7)
    again = asking.answer(MODEL, asked, asking.cache)
    proofs = [first["proof"], again["proof"]]
    assert isinstance(proofs[0], dict)
    assert isinstance(proofs[1], dict)
    assert (again["rows"], proofs[1]["cached"], proofs[1]["ageSeconds"]) == (first["rows"], True, 17.0)
    assert "cached" not in proofs[0]
    assert (proofs[0]["staleSeconds"], proofs[1]["staleSeconds"]) == (0, 7)
    assert proofs[1]["completeUntil"] < proofs[0]["completeUntil"]
    assert proofs[1]["commit"] == proofs[0]["commit"] + 1
    while fold_once(shelf.engine):
        pass
    assert asking.answer(MODEL, asked, asking.cache)["rows"] == [{"readings": 2}]


def test_what_is_erased_is_not_told_from_the_cache(shelf: Shelf, store: Store) -> None:
    tenant, asking = shelf.tenant(), Asking(shelf, store)
    asked = {**WHOLE, "metrics": ["readings"], "by": ["probe"], "tenant": tenant}
    asking.step("send", [Sent(id="0", time=NOON, fields={"probe": "p0"})], tenant)
    while fold_once(shelf.engine):
        pass
    assert "p0" in str([asking.answer(MODEL, asked, asking.cache) for _ in range(2)][-1])
    asking.step("erase", "p0", tenant)
    assert asking.cache.shelf.held().entries == 0
    assert "p0" not in str(asking.answer(MODEL, asked, asking.cache)["rows"])

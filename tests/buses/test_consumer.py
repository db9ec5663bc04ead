"""Consumers: each message is handled, given back or buried, and stays in hand while it is handled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from tests.buses.rig import MOST_RECEIVES, VISIBILITY_SECONDS, Rig, message, numbers

from aforo.buses.bus import Delivery
from aforo.buses.consumer import Consumer, back_off_seconds
from aforo.buses.local import LocalQueue
from aforo.clock import ManualClock, SystemClock
from aforo.errors import BusUnavailable, MessageRejected, StorageError
from aforo.store.bus_messages import BusMessages
from aforo.store.channel import Channel
from aforo.store.connect import Store
from aforo.telemetry import Telemetry

PATIENCE = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """What consumers do is the same on each kind of store."""
    store = Store(tmp_path)
    yield store
    store.close()


def number_in(body: bytes) -> int:
    return int(json.loads(body)["number"])


def told(carrier: Rig, name: str) -> float:
    wanted = f'aforo_{name}{{queue="{carrier.channel}"}} '
    for line in carrier.telemetry.exposition().decode().splitlines():
        if line.startswith(wanted):
            return float(line.removeprefix(wanted))
    return 0.0


def test_what_one_may_not_hold_is_left_to_others(carrier: Rig) -> None:
    carrier.send(1, group="a")
    carrier.send(2, group="b")
    seen: list[list[int]] = []
    carrier.consumer(lambda body: seen.append(numbers(carrier.take())), most_at_once=1).run_once()
    assert seen == [[2]]


def failing(error: Exception) -> Callable[[bytes], None]:
    def handle(_body: bytes) -> None:
        raise error

    return handle


def test_what_is_handled_is_deleted_and_counted(carrier: Rig) -> None:
    seen: list[int] = []
    consumer = carrier.consumer(lambda body: seen.append(number_in(body)))
    assert consumer.run_once() == 0
    for number in range(3):
        carrier.send(number, group=f"g{number}")
    assert consumer.run_once() == 3
    assert sorted(seen) == [0, 1, 2]
    assert carrier.queue.depth() == (0, 0, 0)
    assert told(carrier, "bus_received_total") == told(carrier, "bus_handled_total") == 3
    assert (
        told(carrier, "bus_handle_seconds_count") == told(carrier, "bus_sent_to_handled_seconds_count") == 3
    )


def test_what_is_rejected_is_buried_at_once_and_the_rest_is_handled(carrier: Rig) -> None:
    def handle(body: bytes) -> None:
        if number_in(body) == 1:
            raise MessageRejected("one is not a number here")

    for number in range(3):
        carrier.send(number, group=f"g{number}")
    with capture_logs() as logs:
        assert carrier.consumer(handle).run_once() == 3
    assert carrier.queue.depth() == (0, 0, 1)
    assert carrier.queue.buried(1)[0].reason == "one is not a number here"
    assert told(carrier, "bus_rejected_total") == told(carrier, "bus_buried_total") == 1
    assert [each["reason"] for each in logs] == ["one is not a number here"]


def test_what_fails_is_tried_again_and_buried_in_the_end(carrier: Rig) -> None:
    consumer = carrier.consumer(failing(ValueError("no such run")))
    carrier.send(1)
    with capture_logs() as logs:
        assert [consumer.run_once() for _ in range(MOST_RECEIVES)] == [0, 0, 0, 0, 1]
    assert carrier.queue.depth() == (0, 0, 1)
    assert carrier.queue.buried(1)[0].reason == "failed 5 times, at last by ValueError: no such run"
    assert told(carrier, "bus_failed_total") == 4
    assert told(carrier, "bus_buried_total") == 1
    assert told(carrier, "bus_handled_total") == 0
    assert [each["log_level"] for each in logs] == ["warning"] * 4 + ["error"]


def test_what_was_redriven_is_tried_as_often_again(carrier: Rig) -> None:
    consumer = carrier.consumer(failing(ValueError()))
    carrier.send(1)
    with capture_logs():
        for _ in range(2):
            assert [consumer.run_once() for _ in range(MOST_RECEIVES)] == [0, 0, 0, 0, 1]
            assert carrier.queue.redrive(1) == 1


def test_no_message_is_blamed_for_a_store_that_is_down(carrier: Rig) -> None:
    down, seen = [True], list[int]()

    def handle(body: bytes) -> None:
        if down[0]:
            raise StorageError("the database is away")
        seen.append(number_in(body))

    consumer = carrier.consumer(handle)
    carrier.send(1, group="a")
    carrier.send(2, group="b")
    for _ in range(2 * MOST_RECEIVES):
        with pytest.raises(StorageError):
            consumer.run_once()
    assert told(carrier, "bus_received_total") == 2 + 9  # one is enough to see that it is still down
    down[0] = False
    consumer.run_once()
    consumer.run_once()
    assert sorted(seen) == [1, 2]
    assert carrier.queue.depth() == (0, 0, 0)


def test_what_was_handled_before_is_deleted_though_the_store_goes_down_then(carrier: Rig) -> None:
    seen: list[int] = []

    def handle(body: bytes) -> None:
        if seen:
            raise StorageError("the database is away")
        seen.append(number_in(body))

    for number in range(3):
        carrier.send(number, group=f"g{number}")
    with pytest.raises(StorageError):
        carrier.consumer(handle).run_once()
    left = [*numbers(carrier.take()), *numbers(carrier.take())]
    assert sorted(left + seen) == [0, 1, 2]


def test_what_kills_whoever_opens_it_is_buried_unopened(carrier: Rig) -> None:
    carrier.send(1)
    for _ in range(3):
        (found,) = carrier.take()
        carrier.again(found)
    with capture_logs():
        assert carrier.consumer(failing(AssertionError("it is not opened")), vain_receives=3).run_once() == 1
    assert carrier.queue.buried(1)[0].reason == "given out 3 times, and dealt with by nobody"


def test_those_behind_one_that_failed_wait_for_it(carrier: Rig) -> None:
    if not carrier.ordered:
        pytest.skip("a standard queue keeps no order")
    seen: list[int] = []

    def handle(body: bytes) -> None:
        seen.append(number_in(body))
        if seen == [1]:
            raise ValueError

    carrier.send(1, 2, 3)
    consumer = carrier.consumer(handle)
    while carrier.queue.depth() != (0, 0, 0):
        consumer.run_once()
    assert seen == [1, 1, 2, 3]


def test_a_consumer_works_in_the_background_and_ends_with_the_message_under_way(carrier: Rig) -> None:
    begun, go_on = Event(), Event()
    seen: list[int] = []

    def handle(body: bytes) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        seen.append(number_in(body))

    consumer = carrier.consumer(handle)
    for number in range(3):
        carrier.send(number, group=f"g{number}")
    consumer.start()
    assert begun.wait(PATIENCE)
    consumer.close()
    go_on.set()
    consumer.stop()
    assert len(seen) == 1
    assert carrier.queue.depth() == (2, 0, 0)  # the others are anybody's at once


def test_a_bus_that_is_down_is_tried_again(local: Rig, store: Store) -> None:
    done = Event()
    consumer = local.consumer(lambda _body: done.set())
    with store.working() as connection:
        connection.execute(text("ALTER TABLE bus_messages RENAME TO away"))
    with capture_logs() as logs, pytest.raises(BusUnavailable, match="no such table"):
        consumer.run_once()
    with store.working() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO bus_messages"))
    assert logs == []
    local.send(1)
    assert consumer.run_once() == 1
    assert done.is_set()


def test_a_failed_message_comes_again_after_longer_each_time(local: Rig) -> None:
    assert isinstance(local.clock, ManualClock)
    local.back_off = back_off_seconds
    consumer = local.consumer(failing(ValueError()))
    local.send(1)
    with capture_logs():
        for seconds in (1, 2, 4, 8):
            assert consumer.run_once() == 0
            local.clock.advance(seconds - 0.1)
            assert local.take() == []
            local.clock.advance(0.1)
        assert consumer.run_once() == 1
    assert [back_off_seconds(receives) for receives in (9, 10, 10_000)] == [256, 300, 300]


@pytest.mark.parametrize("extended", [True, False])
def test_a_message_stays_in_hand_for_as_long_as_it_is_extended(local: Rig, extended: bool) -> None:
    clock, beside = local.clock, list[int]()
    assert isinstance(clock, ManualClock)

    def handle(_body: bytes) -> None:
        for _ in range(5):
            clock.advance(VISIBILITY_SECONDS - 1)
            if extended:
                consumer.extend()
            beside.extend(numbers(local.take()))

    consumer = local.consumer(handle)
    local.send(1)
    consumer.run_once()
    assert bool(beside) is not extended
    assert local.queue.depth().waiting == 0


def test_the_time_of_what_is_in_hand_is_extended_while_the_handler_works(store: Store) -> None:
    extended = Event()

    class Watched(LocalQueue):
        def extend(self, deliveries: Sequence[Delivery], seconds: float) -> None:
            super().extend(deliveries, seconds)
            extended.set()

    clock = SystemClock()
    channel = Channel.PROJECTION_UPDATES
    queue = Watched(channel, BusMessages(store, clock), clock, visibility_seconds=0.3, look_seconds=0.05)
    done = Event()

    def handle(_body: bytes) -> None:
        assert extended.wait(PATIENCE)
        done.set()

    consumer = Consumer(
        queue, handle, clock, Telemetry(), wait_seconds=1, visibility_seconds=0.3, most_receives=5
    )
    consumer.start()
    queue.publish(message(1))
    assert done.wait(PATIENCE)
    consumer.stop()
    assert queue.depth() == (0, 0, 0)

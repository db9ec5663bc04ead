"""The bus in the store: nothing is lost by any end of a process, and several share it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import insert, text
from tests.buses.rig import CHANNEL, NOW, VISIBILITY_SECONDS, Rig, local_rig, message, numbers
from tests.store_kinds import Stores

from aforo.buses.bell import Bell
from aforo.buses.bus import Delivery
from aforo.buses.local import REMEMBERED_SECONDS, LocalBus
from aforo.clock import ManualClock, SystemClock
from aforo.errors import BusUnavailable
from aforo.store.bus_free import WINDOW
from aforo.store.bus_tables import bus_messages
from aforo.store.channel import Channel
from aforo.store.connect import Store

PATIENCE = 60.0
ROOT = Path(__file__).parents[2]

SENDS = """
import sys
from pathlib import Path
from aforo.buses.local import LocalBus
from aforo.clock import SystemClock
from aforo.store.connect import Store
from tests.buses.rig import CHANNEL, message

store = Store(Path("unused"), sys.argv[1])
bus = LocalBus(store, SystemClock(), visibility_seconds=60, look_seconds=0.05)
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    bus.topic(CHANNEL).publish(message(number, f"g{number % 7}"))
    print(number, flush=True)
"""
RECEIVES = """
import sys
from pathlib import Path
from aforo.buses.local import LocalBus
from aforo.clock import SystemClock
from aforo.store.connect import Store
from tests.buses.rig import CHANNEL, number_of

store = Store(Path("unused"), sys.argv[1])
queue = LocalBus(store, SystemClock(), visibility_seconds=600, look_seconds=0.05).queue(CHANNEL)
print("ready", flush=True)
sys.stdin.readline()
while queue.depth().waiting:
    found = queue.receive(3, 1)
    queue.delete(found)
    for each in found:
        print(number_of(each), flush=True)
"""


class Begun:
    """Begins programs on a store, and ends those that still run."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._children: list[subprocess.Popen[str]] = []

    def __call__(self, program: str, *more: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, self._url, *map(str, more)]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._children.append(child)
        return child

    def end(self) -> None:
        for child in self._children:
            child.kill()
            child.communicate()


@pytest.fixture
def begun(stores: Stores) -> Iterator[Begun]:
    begun = Begun(stores.url)
    yield begun
    begun.end()


def lines(child: subprocess.Popen[str]) -> list[int]:
    assert child.stdout is not None
    return [int(line) for line in child.stdout.read().split()]


def started(look_seconds: float, store: Store) -> Rig:
    clock = SystemClock()
    bus = LocalBus(store, clock, visibility_seconds=VISIBILITY_SECONDS, look_seconds=look_seconds)
    return Rig(bus, clock, ordered=True)


def test_what_was_sent_outlives_the_process_that_sent_it(store: Store, begun: Begun) -> None:
    child = begun(SENDS, 0, 10_000)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    told += lines(child)
    child.wait(PATIENCE)
    rig, found = started(0.05, store), list[int]()
    while taken := rig.take():
        found += numbers(taken)
        rig.queue.delete(taken)
    assert sorted(found) in (told, [*told, len(told)])  # of one more the process may have been told nothing


def test_what_a_killed_process_had_in_hand_is_given_out_again(local: Rig, store: Store) -> None:
    assert isinstance(local.clock, ManualClock)
    local.send(1)
    other = LocalBus(store, local.clock, visibility_seconds=VISIBILITY_SECONDS, look_seconds=0.05)
    assert len(other.queue(CHANNEL).receive(1, 0)) == 1
    local.clock.advance(VISIBILITY_SECONDS - 1)
    assert local.take() == []
    local.clock.advance(1)
    assert numbers(local.take()) == [1]


def test_several_processes_share_a_queue_and_none_gets_what_another_got(store: Store, begun: Begun) -> None:
    children = [begun(RECEIVES) for _ in range(3)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    rig = started(0.05, store)
    for number in range(60):
        rig.send(number, group=f"g{number % 20}")
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    got = [lines(child) for child in children]
    assert [child.wait(PATIENCE) for child in children] == [0, 0, 0]
    assert Counter(number for each in got for number in each) == Counter(range(60))


def test_whoever_waits_is_woken_by_what_is_sent_in_the_same_process(store: Store) -> None:
    rig = started(PATIENCE, store)  # so long that looking again would not find it in time
    found: list[Delivery] = []
    waiting = Thread(target=lambda: found.extend(rig.queue.receive(1, 2 * PATIENCE)))
    waiting.start()
    rig.send(1)
    waiting.join(PATIENCE / 2)
    assert numbers(found) == [1]


def test_what_another_process_sends_is_seen_by_looking_again(store: Store) -> None:
    here, there = started(0.01, store), started(0.01, store)
    found: list[Delivery] = []

    def look() -> None:
        while not found:
            found.extend(here.queue.receive(1, PATIENCE))

    waiting = Thread(target=look)
    waiting.start()
    there.send(1)
    waiting.join(PATIENCE)
    assert numbers(found) == [1]


def test_a_wait_that_nothing_ends_ends_by_itself(store: Store) -> None:
    assert started(0.01, store).queue.receive(1, 0.05) == []


def test_who_finds_nothing_wakes_nobody(store: Store) -> None:
    bus = LocalBus(store, SystemClock(), visibility_seconds=VISIBILITY_SECONDS, look_seconds=PATIENCE)
    rig, found, ended = Rig(bus, SystemClock(), ordered=True), list[Delivery](), Event()

    def wait() -> None:
        found.extend(rig.queue.receive(1, PATIENCE))
        ended.set()

    Thread(target=wait, daemon=True).start()
    beside = rig.consumer(lambda _body: None)
    for _ in range(100):
        beside.run_once()
    assert not ended.is_set(), "nothing has come"
    rig.send(1)
    assert ended.wait(PATIENCE)
    assert numbers(found) == [1]


def test_a_bell_that_was_rung_meanwhile_is_not_waited_for() -> None:
    bell, ended = Bell(), Event()
    before = bell.rung
    bell.ring()

    def wait() -> None:
        bell.wait(before, 2 * PATIENCE)
        ended.set()

    Thread(target=wait, daemon=True).start()
    assert ended.wait(PATIENCE)


def test_an_id_is_known_for_a_while_only_and_then_forgotten(local: Rig, store: Store) -> None:
    assert isinstance(local.clock, ManualClock)
    local.send(1, 2)
    local.queue.delete(local.take())
    local.queue.delete(local.take())
    local.clock.advance(REMEMBERED_SECONDS - 1)
    local.send(1)
    assert local.take() == []
    local.clock.advance(1)
    local.send(1)
    assert numbers(local.take()) == [1]
    with store.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM bus_dedups")) == 1


def test_channels_are_apart(local: Rig) -> None:
    local.send(1)
    other = local.bus.queue(Channel.PROJECTION_UPDATES)
    assert other.receive(1, 0) == []
    local.bus.topic(Channel.PROJECTION_UPDATES).publish(message(1))
    assert len(other.receive(10, 0)) == 1
    assert numbers(local.take()) == [1]


def test_a_message_that_is_shown_late_waits_for_the_later_one_in_hand(local: Rig, store: Store) -> None:
    """A transaction with a lower number may commit after a higher one was given out."""
    local.send(1, 2)
    with store.working() as connection:
        connection.execute(text("UPDATE bus_messages SET id = 100 WHERE id = 1"))
    (later,) = local.take()
    with store.working() as connection:
        connection.execute(text("UPDATE bus_messages SET id = 1 WHERE id = 100"))
    assert local.take() == []
    local.again(later)
    assert [each.id for each in local.take()] == [later.id]
    local.queue.delete([later])
    assert local.take() == []  # the time of the second receipt is not over


def test_a_long_queue_of_one_group_keeps_no_other_waiting(local: Rig, store: Store) -> None:
    local.send(1, group="long")
    row = {"queue": CHANNEL, "group_id": "long", "body": message(2).body, "receives": 0}
    with store.working() as connection:
        connection.execute(insert(bus_messages), [{**row, "sent_at": NOW, "visible_at": NOW}] * 2 * WINDOW)
    for number in (3, 4, 5):
        local.send(number, group=f"g{number}")
    first = local.take(1)
    assert numbers(first) == [1]
    assert sorted(numbers(local.take())) == [3, 4, 5]
    assert local.take() == []
    local.queue.delete(first)
    assert numbers(local.take()) == [2]


def test_two_that_take_of_a_group_at_the_same_moment_do_not_both_get_one(stores: Stores) -> None:
    """One has taken the later message, and that is not to be seen before its transaction ends."""
    local = local_rig(stores.store)
    local.send(1, 2)
    found: list[Delivery] = []
    taking = Thread(target=lambda: found.extend(local.take()))
    in_hand = "SET receipt = 'r', visible_at = visible_at + 60000000 WHERE id = 2"
    beside = stores.beside()
    with beside.working() as connection:
        connection.execute(text(f"UPDATE bus_messages {in_hand}"))
        taking.start()
        while taking.is_alive() and not waits(stores.kind, beside):
            taking.join(0.01)
    taking.join(PATIENCE)
    assert found == []
    assert local.queue.depth() == (1, 1, 0)


def waits(kind: str, store: Store) -> bool:
    """Whether somebody waits for another's transaction; in a file of SQLite all but one writer do."""
    if kind == "sqlite":
        return True
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with store.reading() as connection:
        return bool(connection.scalar(waiting))


def test_one_of_a_group_is_in_hand_by_constraint(local: Rig, store: Store) -> None:
    local.send(1, 2)
    local.take()
    with pytest.raises(Exception, match=r"(?i)unique"), store.working() as connection:
        connection.execute(text("UPDATE bus_messages SET receipt = 'other' WHERE receipt IS NULL"))


def test_a_store_that_cannot_be_used_is_a_bus_that_is_unavailable(tmp_path: Path) -> None:
    store = Store(tmp_path)
    local = local_rig(store)
    with store.working() as connection:
        connection.execute(text("DROP TABLE bus_messages"))
    for ask in (local.take, local.queue.depth, lambda: local.send(1), lambda: local.queue.redrive(1)):
        with pytest.raises(BusUnavailable):
            ask()
    store.close()

"""A life of three processes, workers, senders and people: who does what when is told by one seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.runs.desk import ME, NOW, TENANT, Desk, Ticking, dataset, event, growth, ratio, wipe
from tests.runs.simulation.bus import CALM, Wire, WireQueue
from tests.runs.simulation.replica import Replica
from tests.runs.simulation.worker import Worker
from tests.runs.watched import WatchedStore, nobody

from aforo.buses.bus import Message
from aforo.errors import BusUnavailable, Conflict
from aforo.runs.messages import ProjectionUpdateEvent, encode
from aforo.runs.reactive import Reactive
from aforo.store import outbox
from aforo.store import run as kept_runs
from aforo.store.channel import Channel

STEPS = 60
REPLICAS, WORKERS = 3, 3
CRASH, BETWEEN = 0.008, 0.12
"""How likely a process ends at a point, and that another has its turn where it holds nothing."""
HOUR, DAY = 3_600 * 1_000_000, 86_400 * 1_000_000
DATASETS = ("a", "b", "c")
METRICS = ("M1", "M2", "M3", "M4")
DRAIN_ROUNDS = 60


@dataclass
class Sent:
    """Updates as their senders know them: sent again until somebody has said that they were taken."""

    events: dict[str, ProjectionUpdateEvent] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    @property
    def open(self) -> list[ProjectionUpdateEvent]:
        return [event for key, event in self.events.items() if key not in self.taken]


class Life:
    """Made anew for each seed, over stores that are emptied for it."""

    def __init__(self, stores: list[WatchedStore], seed: int, tell: Callable[[str], None]) -> None:
        self.dice = random.Random(seed)
        self.clock = Ticking(NOW)
        self.wire = Wire(self.clock, self.dice)
        self.sent = Sent()
        self.times = 0
        self._tell = tell
        self._busy: list[Replica] = []
        for each in stores:
            each.at = nobody
        wipe(stores[0])
        self.desk = Desk(stores[0], self.clock)
        self._define()
        self.replicas = [
            Replica(f"replica {number}", store, self.wire, self.clock, self.dice, self._between)
            for number, store in enumerate(stores[1:])
        ]
        self.workers = [
            Worker(f"worker {number}", self.wire, self.clock, self.dice) for number in range(WORKERS)
        ]

    def live(self, steps: int) -> None:
        """All that may go wrong, and then nothing any more until all has come to rest."""
        for replica in self.replicas:
            replica.crash = CRASH
        for name in DATASETS:
            self._send(name)
        for _ in range(steps):
            self.step()
        for replica in self.replicas:
            replica.crash = 0.0
        self.wire.faults = CALM
        self.drain()

    def step(self) -> None:
        """Somebody does something."""
        roll = self.dice.random()
        if roll < 0.30:
            self._work()
        elif roll < 0.65:
            self._serve(self.dice.choice(SERVICES))
        elif roll < 0.86:
            self._send()
        elif roll < 0.91:
            self._ask()
        else:
            self._pass_time(self.dice.choice((0.5, 5, 29, 31, 61, 61, 301, 400, 90_000)))

    def drain(self) -> None:
        """Senders send again what nobody has said was taken, everybody does all there is to do."""
        for _ in range(DRAIN_ROUNDS):
            self.wire.hurry()
            for told in self.sent.open:
                self._serve(("take again", lambda parts, told=told: self._taken(parts, told)))  # type: ignore[misc]
            for service in SERVICES:
                for replica in self.replicas:
                    self._serve(service, replica)
            for worker in self.workers:
                worker.finish()
            if self.quiet():
                return
            self._pass_time(self.desk.turns.rules.start_within_seconds + 1)
        raise AssertionError("something is never done with")

    def quiet(self) -> bool:
        """Nothing is under way anywhere."""
        at_work = any(run.state in ("REQUESTED", "RUNNING", "LOST") for run in self.desk.all())
        with self.desk.store.reading() as connection:
            to_send = outbox.next_due(connection) is not None
        return not (at_work or to_send or any(self.wire.lying.values()) or self.sent.open)

    def _between(self) -> None:
        if len(self._busy) < REPLICAS and self.dice.random() < BETWEEN and self.replicas[0].crash > 0:
            self._tell("  meanwhile")
            self.step()

    def _serve(self, service: Service, by: Replica | None = None) -> None:
        free = [replica for replica in self.replicas if replica not in self._busy]
        if not free or by in self._busy:
            return
        replica = by or self.dice.choice(free)
        what, deed = service
        self._busy.append(replica)
        try:
            came = replica.do(deed)
        finally:
            self._busy.remove(replica)
        self._tell(f"{replica.name}: {what}: {came}")

    def _work(self) -> None:
        worker = self.dice.choice(self.workers)
        self._tell(f"{worker.name} {worker.step()}")

    def _send(self, name: str | None = None) -> None:
        """A new version of a dataset, mostly newer than those before, or one that was sent already."""
        name = name or self.dice.choice(DATASETS)
        if self.sent.events and self.dice.random() < 0.25:
            told = self.dice.choice([*self.sent.events.values()])
        else:
            self.times += self.dice.choice((HOUR, HOUR, DAY))
            late = self.dice.choice((0, 0, 0, 5 * HOUR, 3 * DAY))
            key = f"{name}-{len(self.sent.events)}"
            told = event(name, NOW - 90 * DAY + self.times - late, key)
            self.sent.events[key] = told
        if self.dice.random() < 0.5:
            self._serve((f"take {told.key}", lambda parts: self._taken(parts, told)))
            return
        message = Message(encode(told), told.dataset_id, f"{told.key}:{self.dice.random()}")
        try:
            WireQueue(Channel.PROJECTION_UPDATES, self.wire, nobody).publish(message)
        except BusUnavailable:
            self._tell(f"a sender hears nothing of {told.key}")
        else:
            self._tell(f"a sender has sent {told.key}")

    def _taken(self, parts: Reactive, told: ProjectionUpdateEvent) -> str:
        reaction = parts.reactor.take(told)
        self.sent.taken.add(told.key)
        return "repeated" if reaction.repeated else "older" if reaction.older else "taken"

    def _ask(self) -> None:
        code = self.dice.choice(METRICS)
        known = self.desk.all(code)[-3:]
        roll = self.dice.random()
        if roll < 0.3 or not known:
            self._serve(
                (f"run {code} by hand", _allowed(lambda parts: parts.asking.by_hand(TENANT, code, ME).id))
            )
            return
        run_id = self.dice.choice(known).id
        if roll < 0.65:
            self._serve((f"cancel {run_id}", _allowed(lambda parts: parts.asking.cancel(run_id, ME).state)))
        else:
            self._serve((f"run {run_id} again", _allowed(lambda parts: parts.asking.again(run_id, ME).id)))

    def _pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._tell(f"{seconds:g} s pass")

    def _define(self) -> None:
        self.desk.define(
            *(dataset(name, f"S{name.upper()}") for name in DATASETS),
            metrics=[
                ratio("M1", "SA", "SB", 3),
                growth("M2", "M1"),
                ratio("M3", "SA", "SC"),
                ratio("M4", "M1", "SC", 1),
            ],
        )


Service = tuple[str, Callable[[Reactive], object]]

SERVICES: tuple[Service, ...] = (
    ("relay", lambda parts: parts.relay.run_once()),
    ("oversee", lambda parts: parts.overseer.run_once()),
    *(
        (f"consume {number}", lambda parts, number=number: parts.consumers[number].run_once())  # type: ignore[misc]
        for number in range(4)
    ),
)


def _allowed(ask: Callable[[Reactive], object]) -> Callable[[Reactive], object]:
    """What a person asks may be refused."""

    def asked(parts: Reactive) -> object:
        try:
            return ask(parts)
        except Conflict as refused:
            return refused.detail

    return asked


class Seeded:
    """Gives runs names that a seed gives again."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def token_hex(self, count: int) -> str:
        return self._dice.randbytes(count).hex()


@contextmanager
def named_by(seed: int) -> Iterator[None]:
    """Runs are named by a seed within; else a life would not come again."""
    real = kept_runs.secrets
    kept_runs.secrets = Seeded(seed)  # type: ignore[attr-defined, assignment]
    try:
        yield
    finally:
        kept_runs.secrets = real  # type: ignore[attr-defined]

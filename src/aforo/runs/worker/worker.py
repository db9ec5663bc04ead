"""A worker: takes requests from a queue, and computes several runs at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from threading import Timer

from aforo.buses.consumer import Consumer, Handle
from aforo.clock import Clock
from aforo.objects.opening import Opener
from aforo.rounds import Rounds
from aforo.runs.worker.answers import Answers, Topics
from aforo.runs.worker.attempts import Attempts
from aforo.runs.worker.children import Children
from aforo.runs.worker.gathering import AsksRollup, Gathering
from aforo.runs.worker.publishing import Shelves
from aforo.runs.worker.whereabouts import Whereabouts
from aforo.settings import Worker as Rules
from aforo.telemetry import Telemetry


class Worker:
    """Computes what is asked for, in processes of its own, and tells how it goes.

    `consume` makes a consumer of the queue of requests that hands over one message at a time; the worker has
    one for each run that may go on at once. `ask_rollup` reads series of our own rollups.
    """

    def __init__(
        self,
        consume: Callable[[Handle], Consumer],
        topics: Topics,
        objects: Opener,
        whereabouts: Whereabouts,
        ask_rollup: AsksRollup,
        clock: Clock,
        telemetry: Telemetry,
        rules: Rules,
    ) -> None:
        answers = Answers(topics, clock, rules.name or f"{socket.gethostname()}:{os.getpid()}")
        gathering = Gathering(objects, whereabouts, ask_rollup, rules)
        shelves = Shelves(objects, whereabouts, most_bytes=rules.max_manifest_bytes)
        self._children = Children()
        self._attempts = Attempts(answers, gathering, shelves, self._children, clock, telemetry, rules)
        self._consumers = [consume(self._attempts.take) for _ in range(rules.parallel)]
        self._heart = Rounds(
            "heartbeat",
            self._beat,
            again_seconds=rules.heartbeat_seconds,
            first_after_seconds=rules.heartbeat_seconds,
        )
        self._rules = rules

    def start(self) -> None:
        """Begins to take requests in the background."""
        self._heart.start()
        for each in self._consumers:
            each.start()

    def stop(self) -> None:
        """Takes nothing new, lets runs under way end for a while, and gives back those that have not."""
        for each in self._consumers:
            each.close()
        patience = Timer(self._rules.drain_seconds, self._children.end)
        patience.daemon = True
        patience.start()
        for each in self._consumers:
            each.close()
        for each in self._consumers:
            each.stop()
        patience.cancel()
        self._children.end()
        self._heart.stop()

    def run_once(self, wait_seconds: float = 0.0) -> int:
        """Receives once and deals with what comes; how many requests that settled for good."""
        return self._consumers[0].run_once(wait_seconds)

    def beat(self) -> None:
        """Tells of every run under way that it is."""
        self._attempts.beat()

    def _beat(self) -> float:
        self.beat()
        return self._rules.heartbeat_seconds

"""Lives by seed over one store, each emptied before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.runs.judged import all_sent, judge
from tests.runs.simulation.life import REPLICAS, STEPS, Life, named_by
from tests.runs.watched import WatchedStore


@dataclass
class Lived:
    """What happened in all lives: a simulation in which nothing goes wrong would prove nothing."""

    crashes: int = 0
    runs: int = 0
    lost: int = 0
    updates: int = 0


class Lives:
    """Three processes and who looks on, over the store at a URL, which is of the newest schema."""

    def __init__(self, url: str) -> None:
        self.stores = [WatchedStore(url) for _ in range(REPLICAS + 1)]
        self.lived = Lived()

    def one(self, seed: int, tell: Callable[[str], None], steps: int = STEPS) -> None:
        """Raises AssertionError where the life of a seed did not end well."""
        with named_by(seed):
            life = Life(self.stores, seed, tell)
            life.live(steps)
            assert not life.wire.buried, f"buried: {life.wire.buried}"
            all_sent(life.desk)
            judge(life.desk, life.sent.events)
        every = life.desk.all()
        self.lived.crashes += sum(replica.crashes for replica in life.replicas)
        self.lived.runs += len(every)
        self.lived.lost += sum(run.attempt > 1 for run in every)
        self.lived.updates += len(life.sent.events)

    def all(self, seeds: Iterable[int]) -> Lived:
        """Raises AssertionError with the command that has the life that failed again."""
        for seed in seeds:
            try:
                self.one(seed, lambda _line: None)
            except BaseException as error:
                again = f"python -m tests.runs.simulation --seed {seed} --trace"
                raise AssertionError(f"the life of seed {seed} did not end well; again: {again}") from error
        return self.lived

    def close(self) -> None:
        for each in self.stores:
            each.close()

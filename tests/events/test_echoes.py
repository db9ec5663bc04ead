"""Equal content with neither id nor time is one event for a while, across restarts, and each tenant's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.events.buffer import Buffer
from aforo.events.echoes import Echoes
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.telemetry import Telemetry
from aforo.windows import DAY, Window, parse_instant

MODEL = read_model(
    """
streams:
  rings:
    same_content_minutes: 10
    fields: {bell: string, loud: number}
    measures: {all_rings: count}
    rollups: {all: {by: []}}
  knocks: {fields: {bell: string}, measures: {all_knocks: count}, rollups: {all: {by: []}}}
metrics: {rings: {formula: all_rings}}
""",
    source="rings",
)
NOW = parse_instant("2025-10-14T10:00:00Z")
MINUTE = 60_000_000


@dataclass
class Porch:
    """An engine with an intake whose groups are committed at once; it may be closed and opened again."""

    home: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def open(self) -> None:
        self.engine = EmbeddedEngine(self.home, memory_mb=64, threads=1, untimed_id_seconds=86_400)
        self.engine.apply_model(MODEL, Tenant(name="default"))

        def kept(stream: str, tenant: str, since: int) -> tuple[str, ...]:
            self.asked.append((stream, tenant, since))
            return self.engine.untimed_ids(stream, tenant, since)

        self.buffer = Buffer(
            self.engine,
            self.clock,
            Telemetry(),
            future_seconds=600,
            commit_rows=100,
            after_seconds=0.0,
            queue_rows=1_000,
            echoes=Echoes(kept, self.clock),
        )
        self.intake = Intake(MODEL, self.buffer, self.clock, future_seconds=600)

    def take(self, *events: dict[str, object]) -> Receipt:
        waiting = self.intake.take(events)
        assert self.buffer.run_once()
        return waiting.result(timeout=0)

    def count(self, tenant: str = "a", stream: str = "rings") -> int:
        return self.engine.estimate_raw(stream, tenant, Window(NOW - DAY, NOW + DAY))


@pytest.fixture
def porch(tmp_path: Path) -> Iterator[Porch]:
    porch = Porch(tmp_path)
    porch.open()
    yield porch
    porch.engine.close()


def ring(bell: str = "door", tenant: str = "a", **more: object) -> dict[str, object]:
    return {"stream": "rings", "tenant": tenant, "fields": {"bell": bell, "loud": 0.5}, **more}


def test_ten_minutes_from_the_first(porch: Porch) -> None:
    accepted, ids = [], []
    for minutes in (0.0, 3.0, 10.0, 10.01, 15.0, 20.01, 20.03):
        porch.clock.set(NOW + round(minutes * MINUTE))
        receipt = porch.take(ring())
        accepted.append(receipt.accepted)
        ids.append(receipt.ids[0][1])
    assert accepted == [1, 0, 0, 1, 0, 0, 1]
    assert [ids.index(each) for each in ids] == [0, 0, 0, 3, 3, 3, 6]
    assert porch.count() == 3


def test_a_clock_that_was_set_back(porch: Porch) -> None:
    assert porch.take(ring()).accepted == 1
    porch.clock.set(NOW - 9 * MINUTE)
    assert porch.take(ring()).accepted == 0


def test_in_one_batch_and_in_others_at_once(porch: Porch) -> None:
    waiting = [porch.intake.take([ring(), ring("gate"), ring(tenant="b"), ring()]) for _ in range(3)]
    while porch.buffer.run_once():
        pass
    assert [each.result(timeout=0).accepted for each in waiting] == [3, 0, 0]
    assert (porch.count("a"), porch.count("b")) == (2, 1)


def test_what_has_an_id_or_a_time_is_no_echo(porch: Porch) -> None:
    assert porch.take(ring(), ring(id="1"), ring(id="2"), ring(time="2025-10-14T09:00:00Z")).accepted == 4
    assert porch.take(ring(), ring(id="1"), ring(id="2"), ring(time="2025-10-14T09:00:00Z")).accepted == 0


def test_a_stream_that_does_not_say_so_counts_each(porch: Porch) -> None:
    knock = {"stream": "knocks", "tenant": "a", "fields": {"bell": "door"}}
    assert porch.take(knock, knock).accepted == 2


@pytest.mark.parametrize(("minutes", "accepted"), [(9, 0), (11, 1)])
def test_another_process_knows_what_came_before_it_began(porch: Porch, minutes: int, accepted: int) -> None:
    first = porch.take(ring())
    porch.engine.close()
    porch.open()
    porch.clock.set(NOW + minutes * MINUTE)
    again = porch.take(ring())
    assert (again.accepted, again.ids == first.ids) == (accepted, not accepted)


def test_it_is_asked_for_once_and_not_at_all_when_it_cannot_matter(porch: Porch) -> None:
    porch.take(ring(), ring("gate"))
    porch.take(ring(), ring(tenant="b"))
    assert [(stream, tenant) for stream, tenant, _ in porch.asked] == [("rings", "a"), ("rings", "b")]
    porch.clock.advance(601)
    porch.take(ring(tenant="c"))
    assert len(porch.asked) == 2


def test_the_oldest_go_where_there_are_too_many() -> None:
    echoes = Echoes(lambda *_: (), ManualClock(NOW), most=2)
    stream, content = MODEL.streams["rings"], [f"{at:032x}" for at in range(3)]
    first = echoes.ids(stream, ["a"] * 3, content, NOW)
    assert echoes.ids(stream, ["a"] * 3, content[::-1], NOW + 1)[:2] == first[::-1][:2]
    assert echoes.ids(stream, ["a"], content[:1], NOW + 2) != first[:1]


def test_an_id_that_somebody_gave_is_read_as_it_is() -> None:
    stream = MODEL.streams["rings"]
    kept = (f"{7:032x}-{NOW - MINUTE}", "7", f"{8:032x}-later", f"x{7:032x}-{NOW}")
    echoes = Echoes(lambda *_: kept, ManualClock(NOW))
    assert echoes.ids(stream, ["a"], [f"{7:032x}"], NOW) == [kept[0]]

"""Engines that stand ready for the laws: every example takes fresh tenants of one that is already open."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from hypothesis import strategies as st
from tests.engines.gauges import NOON, Bench, Sent

from aforo.clock import ManualClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.events.buffer import Buffer
from aforo.events.intake import Intake
from aforo.events.receipt import Receipt
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.tenant import Tenant
from aforo.rollups.folder import Folder
from aforo.telemetry import Telemetry
from aforo.windows import DAY, SLOT, Zone

YAML = """
tenants: {}
streams:
  readings:
    fields:
      station: {type: string, max_length: 10}
      level: {type: number, scale: 2, maximum: 1000}
      flow: {type: integer}
      probe: {type: string}
    entities: {probe: probe}
    measures:
      all_readings: count
      low: {count: true, where: "flow <= 0"}
      level_sum: {sum: level}
      flow_sum: {sum: flow}
      lowest: {minimum: level}
      highest: {maximum: flow}
      levels: {histogram: level}
      probes: {distinct: probe}
    rollups:
      stations: {by: [station]}
      wide: {by: [station, probe], grain: day}
metrics:
  readings: {formula: all_readings, unit: "", format: integer, owner: tests, description: How many}
  level_avg: {formula: level_sum / all_readings, unit: m, format: number, owner: tests, description: Mean}
  level_p50: {formula: "percentile(levels, 50)", unit: m, format: number, owner: tests, description: Median}
  probes_seen: {formula: probes, unit: "", format: integer, owner: tests, description: Which}
"""
MODEL = read_model(YAML, source="laws.yaml")
READINGS = MODEL.streams["readings"]


def content(number: int) -> dict[str, object]:
    """What the event of a number says, always the same; every third value is null."""
    values: dict[str, object] = {
        "station": ("north", "south", "")[number % 3],
        "level": (number * 7919 % 2003) / 8 - 100,
        "flow": number * 31 % 17 - 8,
        "probe": f"probe {number % 4}",
    }
    return {name: value for at, (name, value) in enumerate(values.items()) if (number + at) % 3}


@dataclass
class Shelf:
    """One engine whose undeclared tenants live in `zone`."""

    directory: Path
    zone: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON + 400 * DAY))
    engine: EmbeddedEngine = field(init=False)
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.engine = EmbeddedEngine(self.directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        self.engine.apply_model(MODEL, Tenant(name="", timezone=self.zone))

    def reopen(self) -> None:
        self.engine.close()
        self.open()

    def tenant(self) -> str:
        """A tenant that nobody has used."""
        return f"tenant {next(self._numbers)}"

    def bench(self, *tenants: str) -> Bench:
        """The engine beside a reference that knows the tenants' zone."""
        return Bench(self.engine, self.model(*tenants))

    def model(self, *tenants: str) -> Model:
        return replace(MODEL, tenants={name: Tenant(name=name, timezone=self.zone) for name in tenants})

    def buffer(self, commit_rows: int = 1000, *, tenants: frozenset[str] | None = None) -> Buffer:
        return Buffer(
            self.engine,
            self.clock,
            Telemetry(),
            future_seconds=600,
            tenants=tenants,
            commit_rows=commit_rows,
            after_seconds=0.001,
            queue_rows=100_000,
        )

    def folder(self) -> Folder:
        return Folder(self.engine, self.clock, Telemetry(), batch_rows=10**6, wake_after_seconds=1)


@dataclass
class Desk:
    """An intake whose groups are committed when the test says so."""

    shelf: Shelf
    buffer: Buffer
    intake: Intake

    @classmethod
    def of(cls, shelf: Shelf, commit_rows: int = 1000) -> Desk:
        buffer = shelf.buffer(commit_rows)
        return cls(shelf, buffer, Intake(MODEL, buffer, shelf.clock, future_seconds=600))

    def take(self, events: Sequence[object], tenant: str | None = None) -> Receipt:
        """One batch, and its receipt."""
        waiting = self.intake.take(events, tenant=tenant)
        self.commit()
        return waiting.result(timeout=0)

    def commit(self) -> None:
        while self.buffer.run_once():
            pass

    def receipts(self, waiting: Sequence[Future[Receipt]]) -> list[Receipt]:
        """What several senders are told, once all is committed."""
        self.commit()
        return [each.result(timeout=0) for each in waiting]


def as_json(event: Sent) -> dict[str, object]:
    """The event as a sender writes it."""
    return {
        "stream": "readings",
        "tenant": event.tenant,
        "id": event.id,
        "time": instant(event.time),
        "fields": event.fields,
    }


def instant(time: int) -> str:
    """RFC 3339 in UTC."""
    return Zone("UTC").rfc3339(time)


# Slots of three days around a change of New York's clocks; some events share a slot, some a day.
SLOTS = [NOON + hours * 4 * SLOT for hours in (-20, 0, 11, 12, 13, 14, 15, 34, 35, 36)]
events = st.builds(
    lambda number, slot: Sent(id=str(number), time=slot + number, fields=content(number)),
    st.integers(0, 40),
    st.sampled_from(SLOTS),
)
batches = st.lists(events, max_size=6)


def of_tenant(tenant: str, batch: Sequence[Sent]) -> list[Sent]:
    return [replace(event, tenant=tenant) for event in batch]

"""A site whose requests make sessions and first sightings, beside plain Python that makes the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.engines.gauges import Bench, Sent, fold_once, stream_rows
from tests.reference_engine import Event

from aforo.engines.appends import Append
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.folds import Derived
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.windows import Zone, parse_instant

YAML = """
tenants:
  site: {timezone: America/New_York}
streams:
  requests:
    fields:
      visitor: {type: string}
      path: {type: string}
      bot: {type: boolean}
    entities: {visitor: visitor}
    measures: {received: count}
    rollups: {all: {by: []}}
  sessions:
    derive: {sessions: {from: requests, entity: visitor, gap_minutes: 30, where: "bot = false"}}
    fields:
      entry: {type: string, first: path}
      exit: {type: string, last: path}
      pages: {type: integer, count: true, where: "path is not null"}
      seconds: {type: number, duration: true}
    entities: {entry: entry}
    measures:
      begun: count
      stayed: {sum: seconds}
      pages_seen: {sum: pages}
      bounced: {count: true, where: "pages = 1"}
      people: {distinct: visitor}
      entries: {distinct: entry}
    rollups: {all: {by: []}, entries: {by: [entry, exit]}, wide: {by: [entry], grain: day}}
  firsts:
    derive: {firsts: {from: requests, entity: visitor}}
    fields: {landing: {type: string, first: path}}
    measures: {newcomers: count, people: {distinct: visitor}}
    rollups: {landings: {by: [landing]}}
metrics: {}
"""
MODEL = read_model(YAML, source="derived.yaml")
REQUESTS, SESSIONS, FIRSTS = (MODEL.streams[name] for name in ("requests", "sessions", "firsts"))
MINUTE = 60_000_000
GAP = 30 * MINUTE
TENANT = "site"


def at(clock: str, day: str = "2013-03-09") -> int:
    """An instant by New York's clock of a day before its clocks go forward."""
    return parse_instant(f"{day}T{clock}:00-05:00")


@dataclass(frozen=True, slots=True)
class Row:
    """A derived event."""

    time: int
    fields: Mapping[str, object]


def hit(visitor: str | None, time: int, path: str | None, *, bot: bool = False, tenant: str = TENANT) -> Sent:
    """A request; the same visitor asks for a path once at a time."""
    fields = {"visitor": visitor, "path": path, "bot": bot}
    known = {name: value for name, value in fields.items() if value is not None}
    return Sent(tenant=tenant, id=f"{visitor} {path} {bot}", time=time, fields=known)


def sessions_of(events: Iterable[Sent], zone: Zone) -> list[Row]:
    """What the sessions are, worked out one event after the other."""
    runs: list[list[Sent]] = []
    for event in sorted(events, key=lambda each: (each.fields.get("visitor", ""), each.time, each.id)):
        if event.fields["bot"] or "visitor" not in event.fields:
            continue
        last = runs[-1][-1] if runs else None
        goes_on = (
            last is not None
            and last.fields["visitor"] == event.fields["visitor"]
            and event.time - last.time < GAP
            and zone.date_of(last.time) == zone.date_of(event.time)
        )
        runs[-1].append(event) if goes_on else runs.append([event])
    return [
        Row(
            run[0].time,
            known(
                visitor=run[0].fields["visitor"],
                entry=run[0].fields.get("path"),
                exit=run[-1].fields.get("path"),
                pages=sum("path" in event.fields for event in run),
                seconds=(run[-1].time - run[0].time) / 1e6,
            ),
        )
        for run in runs
    ]


def firsts_of(events: Iterable[Sent]) -> list[Row]:
    """Each visitor's earliest request, bots' too."""
    found: dict[object, Sent] = {}
    for event in sorted(events, key=lambda each: (each.time, each.id)):
        if "visitor" in event.fields:
            found.setdefault(event.fields["visitor"], event)
    return [
        Row(event.time, known(visitor=visitor, landing=event.fields.get("path")))
        for visitor, event in found.items()
    ]


def known(**fields: object) -> dict[str, object]:
    """The fields that are not null."""
    return {name: value for name, value in fields.items() if value is not None}


class Site:
    """An engine, and the requests it has accepted; what it derives and folds is held against plain Python."""

    def __init__(self, directory: Path, model: Model = MODEL, zone: str = "America/New_York") -> None:
        self.directory = directory
        self.model = model
        self.default = Tenant(name="", timezone=zone)
        self.events: dict[tuple[str, str, int], Sent] = {}
        self.open()

    def open(self) -> None:
        self.engine = EmbeddedEngine(self.directory, memory_mb=128, threads=1, untimed_id_seconds=86_400)
        self.engine.apply_model(self.model, self.default)

    def reopen(self, model: Model | None = None) -> None:
        self.engine.close()
        self.model = model or self.model
        self.open()

    def close(self) -> None:
        self.engine.close()

    def send(self, *events: Sent, arrival: int = at("23:59")) -> None:
        """One append of requests."""
        self.engine.append(Append((stream_rows(REQUESTS, events),), (), arrival))
        for event in events:
            self.events.setdefault(event.name, event)

    def derive(self, max_rows: int = 10**6) -> list[Derived]:
        """Derives until nothing waits."""
        found = []
        while (derived := self.engine.derive(max_rows)) is not None:
            found.append(derived)
        return found

    def fold(self) -> None:
        """Derives and folds until nothing waits."""
        self.derive()
        while fold_once(self.engine, 10**6):
            pass

    def rows(self, stream: Stream, tenant: str = TENANT) -> list[Row]:
        """The derived events that are kept."""
        names = ", ".join(stream.fields)
        with self.engine._database.snapshot() as cursor:
            found = cursor.execute(
                f"SELECT epoch_us(time), {names} FROM events_{stream.name} "
                "WHERE tenant = $tenant ORDER BY ALL",
                {"tenant": tenant},
            ).fetchall()
        return [Row(time, known(**dict(zip(stream.fields, row, strict=True)))) for time, *row in found]

    def dirty(self, stream: Stream) -> list[int]:
        """The slots of a stream that wait for a fold."""
        with self.engine._database.snapshot() as cursor:
            found = cursor.execute(
                "SELECT DISTINCT epoch_us(slot) AS slot FROM ledger WHERE stream = $stream ORDER BY slot",
                {"stream": stream.name},
            ).fetchall()
        return [slot for (slot,) in found]

    def check(self, tenant: str = TENANT) -> None:
        """Derived events, and every rollup of them, are what plain Python makes of the accepted requests."""
        zone = self.engine.zone(tenant)
        mine = [event for event in self.events.values() if event.tenant == tenant]
        bench = Bench(self.engine, replace(self.model, tenants=self._tenants(tenant)))
        for stream, wanted in ((SESSIONS, sessions_of(mine, zone)), (FIRSTS, firsts_of(mine))):
            kept = sorted(self.rows(stream, tenant), key=_order)
            assert kept == sorted(wanted, key=_order)
            bench.reference.take((Event(tenant, stream.name, row.time, row.fields) for row in wanted), 0)
        bench.reference.fold()
        for stream in (SESSIONS, FIRSTS):
            if self.rows(stream, tenant):
                bench.check_everything(tenant, stream)

    def _tenants(self, tenant: str) -> dict[str, Tenant]:
        return {
            **self.model.tenants,
            tenant: self.model.tenants.get(tenant, replace(self.default, name=tenant)),
        }


def _order(row: Row) -> tuple[int, str]:
    return row.time, str(row.fields["visitor"])

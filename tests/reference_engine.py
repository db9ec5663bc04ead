"""The plainest engine that keeps the protocol's promises on reading: a list of events, folded in Python.

It is what answers are checked against, and shares nothing with an engine's SQL but the states' own meaning.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aforo.engines.builds import Build
from aforo.engines.folds import Period
from aforo.engines.keeping import Seal
from aforo.engines.reads import Standing, States, StatesRequest, few_enough
from aforo.model.condition import Condition, Op
from aforo.model.measure import Measure, MeasureKind
from aforo.model.model import Model
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.states import KINDS, distinct
from aforo.states.sum import scaled
from aforo.windows import Window, Zone, parse_instant, slot_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Event:
    """One fact."""

    tenant: str
    stream: str
    time: int
    fields: Mapping[str, object]


@dataclass
class ReferenceEngine:
    """Events, those of them that were folded, and when each commit was made."""

    model: Model
    events: list[Event] = field(default_factory=list)
    folded: list[Event] = field(default_factory=list)
    waiting: dict[tuple[str, str, int], int] = field(
        default_factory=dict
    )  # (stream, tenant, slot) -> instant
    commit: int = 0
    revision: int = 0
    requests: list[StatesRequest] = field(default_factory=list)
    ordinals: dict[object, int] = field(default_factory=dict)

    def take(self, events: Iterable[Event], at: int) -> None:
        """One commit."""
        new = list(events)
        self.events += new
        self.commit += 1
        for event in new:
            self.waiting.setdefault((event.stream, event.tenant, slot_of(event.time)), at)

    def fold(self) -> None:
        """Makes every rollup true."""
        self.folded = list(self.events)
        self.revision += len(self.waiting)
        self.waiting.clear()

    def writes(self) -> int:
        return self.commit + self.revision

    def builds(self, stream: str | None = None) -> tuple[Build, ...]:
        """Nothing is built here: every rollup is what the folded events say."""
        return ()

    def tenant(self, name: str) -> Tenant | None:
        return self.model.tenants.get(name)

    def days_wait(self, stream: str, tenant: str) -> bool:
        return False

    def seal(self, stream: str, tenant: str) -> Seal:
        return Seal()

    def births(self, stream: str, tenant: str) -> Mapping[str, Mapping[str, int]]:
        return {}

    def estimate_raw(self, stream: str, tenant: str, window: Window) -> int:
        return sum(
            (event.stream, event.tenant) == (stream, tenant) and window.contains(event.time)
            for event in self.events
        )

    def event_bytes(self, stream: str, tenant: str, window: Window, fields: Collection[str]) -> float:
        """Each thing that is read counts as ten bytes."""
        return 10.0 * (2 + len(fields))

    def standing(self, stream: str, tenant: str, window: Window) -> Standing:
        first = slot_of(window.start)
        here = {
            slot: at
            for (of, whose, slot), at in self.waiting.items()
            if (of, whose) == (stream, tenant) and first <= slot < window.end
        }
        return Standing(self.commit, min(here, default=None), min(here.values(), default=None), self.revision)

    def read_states(self, request: StatesRequest, *, time_limit_seconds: float) -> States:
        self.requests.append(request)
        groups: dict[tuple[int, tuple[object, ...]], list[Event]] = {}
        read = 0
        for event in self.events if request.rollup is None else self.folded:
            bucket = self._bucket(event, request)
            if bucket is not None:
                read += 1
                split = tuple(_shown(event.fields.get(name), name, request.stream) for name in request.by)
                if request.kept is not None and split not in request.kept:
                    split = ()
                groups.setdefault((bucket, split), []).append(event)
        few_enough(len(groups), request.most_keys)
        values = {
            measure.name: [
                self._set(measure, request.stream, events)
                if measure.name in request.sets
                else _state(measure, request.stream, events)
                for events in groups.values()
            ]
            for measure in request.measures
        }
        return States(tuple(groups), values, read)

    def _set(self, measure: Measure, stream: Stream, events: Sequence[Event]) -> object:
        """The ordinals of a distinct measure's values, each numbered when it is first asked for."""
        entity = (measure.entity, events[0].tenant)
        found = {value for value in _values(measure, stream, events) if value is not None}
        return distinct.fold(self.ordinals.setdefault((entity, value), len(self.ordinals)) for value in found)

    def _bucket(self, event: Event, request: StatesRequest) -> int | None:
        """The bucket of the event by the row it is in; None where no row that is read holds it."""
        if (event.tenant, event.stream) != (request.tenant, request.stream.name):
            return None
        if not all(holds(condition, event.fields, request.stream) for condition in request.where):
            return None
        if request.rollup is not None:
            split = {*request.by, *(condition.field for condition in request.where)}
            assert split <= set(request.rollup.dimensions), "a rollup is read by what it is kept by"
        starts = {Period.SLOT: slot_of(event.time), Period.DAY: self._day(event)}
        found = []
        for segment in request.segments:
            row = event.time if request.rollup is None else starts[segment.period]
            if segment.start <= row < segment.end:
                found.append(bisect_right(request.edges, row) - 1)
        assert len(found) <= 1, "no event is read twice"
        return found[0] if found and found[0] >= 0 else None

    def _day(self, event: Event) -> int:
        tenant = self.model.tenants[event.tenant]
        zone = Zone(tenant.timezone, tenant.week_start)
        return zone.day_start(zone.date_of(event.time))


def _shown(value: object, name: str, stream: Stream) -> object:
    """A split's value as engines give it: instants are naive UTC."""
    if isinstance(value, int) and stream.fields[name].type == "timestamp":
        return EPOCH + timedelta(microseconds=value)
    return value


def holds(condition: Condition, fields: Mapping[str, object], stream: Stream) -> bool:
    """Whether a condition holds of an event; a comparison with null never does."""
    value = fields.get(condition.field)
    against = condition.value
    if condition.op in (Op.IS_NULL, Op.NOT_NULL):
        return (value is None) is (condition.op is Op.IS_NULL)
    if value is None:
        return False
    if stream.fields[condition.field].type == "timestamp":
        listed = isinstance(against, tuple)
        instants = tuple(parse_instant(str(text)) for text in (against if listed else (against,)))
        against = instants if listed else instants[0]
    compared = {
        Op.EQ: lambda: value == against,
        Op.NE: lambda: value != against,
        Op.LT: lambda: value < against,
        Op.LE: lambda: value <= against,
        Op.GT: lambda: value > against,
        Op.GE: lambda: value >= against,
        Op.IN: lambda: value in against,
        Op.CONTAINS: lambda: against in value,
    }
    return bool(compared[condition.op]())


def _state(measure: Measure, stream: Stream, events: Sequence[Event]) -> object:
    """The finished count, sum, extreme or set's size, and the histogram itself."""
    kind, values = KINDS[measure.kind], _values(measure, stream, events)
    if measure.kind is MeasureKind.SUM and measure.field is not None:
        scale = stream.fields[measure.field].scale
        values = [None if value is None else scaled(value, scale) for value in values]
    if measure.kind is MeasureKind.DISTINCT:
        return len({value for value in values if value is not None})
    return kind.fold(values)


def _values(measure: Measure, stream: Stream, events: Sequence[Event]) -> list[object]:
    """What the events for which the measure's conditions hold give to it."""
    kept = [event for event in events if all(holds(each, event.fields, stream) for each in measure.where)]
    if measure.field == "time":
        return [event.time for event in kept]
    return [event.fields.get(measure.field) if measure.field else event for event in kept]

"""A declared kind of event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aforo.errors import UnknownName
from aforo.model.derivation import Derivation
from aforo.model.field import TIME, Field, FieldType
from aforo.model.measure import Measure
from aforo.model.rollup import Rollup
from aforo.model.segment import CallRule

__all__ = ["Entity", "Extra", "Field", "FieldType", "Retention", "Stream"]


class Extra(StrEnum):
    """What becomes of fields an event brings that its stream does not know."""

    REFUSE = "refuse"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A thing that is counted distinctly, and the field that identifies it."""

    name: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How many days events, and rollups' slots, are kept; None: for good. Rollups' days are, always."""

    events_days: int | None = None
    slots_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Fields, and what is measured over them; every mapping keeps the declared order.

    With `ledger` its rows are what the engine counts of arrivals: nobody sends them, and there are no events.
    With a `derivation` its events follow from those of another stream, and nobody sends them either.
    """

    name: str
    description: str = ""
    fields: Mapping[str, Field]
    id: tuple[str, ...] = ()  # fields whose values make the id when an event brings none; () = none
    same_content_minutes: int | None = None  # with neither id nor time, equal content is one event so long
    extra: Extra = Extra.REFUSE
    entities: Mapping[str, Entity]
    measures: Mapping[str, Measure]
    rollups: Mapping[str, Rollup]
    retention: Retention = Retention()  # no part of its meaning either
    segment: tuple[CallRule, ...] = ()  # what it takes of Segment's API, which is no part of its meaning
    ledger: bool = False
    derivation: Derivation | None = None

    def field(self, name: str) -> Field:
        """The field named so; UnknownName otherwise."""
        if name not in self.fields:
            raise UnknownName.of(f"field of {self.name}", name, self.fields)
        return self.fields[name]

    def measure(self, name: str) -> Measure:
        """The measure named so; UnknownName otherwise."""
        if name not in self.measures:
            raise UnknownName.of(f"measure of {self.name}", name, self.measures)
        return self.measures[name]

    def measured(self, measure: Measure) -> Field | None:
        """What a measure is over: a field, or the event's own time; None where it only counts."""
        if measure.field is None:
            return None
        return TIME if measure.field == TIME.name else self.fields[measure.field]

    def dimensions(self) -> tuple[str, ...]:
        """Every field that some rollup is kept by, in the order of the fields."""
        kept = {dimension for rollup in self.rollups.values() for dimension in rollup.dimensions}
        return tuple(name for name in self.fields if name in kept)

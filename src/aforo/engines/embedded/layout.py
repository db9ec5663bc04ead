"""How a model's streams, entities and rollups are laid out as tables and columns.

A rollup keeps one table a period, with a row for each split: of counts, sums, least and greatest values a
column each, of a set the gaps between its ascending ordinals as a list, of a histogram its ascending keys
and their counts as two lists. Small numbers in lists are what the file packs best: a set of one takes two or
three bytes, and a large one a few bits for each member.
"""

from __future__ import annotations

from dataclasses import dataclass

from aforo.engines.folds import Period
from aforo.model.measure import Measure, MeasureKind
from aforo.model.rollup import Rollup
from aforo.model.stream import Field, FieldType, Stream
from aforo.model.version import measure_hash, rollup_hash

SQL_TYPES = {
    FieldType.STRING: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.NUMBER: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.TIMESTAMP: "TIMESTAMP",
}

EXTREME_TYPES = {**SQL_TYPES, FieldType.TIMESTAMP: "BIGINT"}
"""Of the least and the greatest of values; instants are kept in microseconds, as they are everywhere else."""

PERIODS = tuple(Period)
PERIODS_OF_DAYS = (Period.WEEK, Period.MONTH)


def quoted(name: str) -> str:
    """An identifier as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


EVENTS = "events_"
ENTITY = "entity_"


def events_table(stream: str) -> str:
    return quoted(f"{EVENTS}{stream}")


OUTCOMES = "outcomes"


def rows_of(stream: Stream) -> tuple[str, str]:
    """The table of a stream's rows and its column of time: of the events, or of the ledger's own counts."""
    return (OUTCOMES, "start") if stream.ledger else (events_table(stream.name), "time")


def entity_table(entity: str) -> str:
    return quoted(f"{ENTITY}{entity}")


ORDINALS = "__ordinal_"


def ordinal_column(entity: str, field: str) -> str:
    """The column of the ordinals that a field's values have as an entity's."""
    return quoted(f"{ORDINALS}{entity}.{field}")


@dataclass(frozen=True, slots=True)
class StateColumn:
    """A column of numbers that add up or compare: how it is computed from inputs and merged with its like."""

    name: str
    type: str
    fold: str
    merge: str


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column of ascending numbers, or of counts beside them; the name is as Arrow has it, unquoted."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class MeasureLayout:
    """Where a measure's states stand; `key` names it in columns."""

    measure: Measure
    key: str
    field: Field | None

    @property
    def input(self) -> str:
        """The column of what an event gives to the measure, null where it gives nothing."""
        return quoted(self.key)

    @property
    def size(self) -> str:
        """The column of a histogram's value beside its bucket."""
        return quoted(f"{self.key}_value")

    @property
    def columns(self) -> tuple[StateColumn, ...]:
        kind, name = self.measure.kind, self.input
        if kind is MeasureKind.COUNT:
            return (StateColumn(name, "BIGINT", f"count({name})", f"sum({name})::BIGINT"),)
        if kind is MeasureKind.SUM:
            return (StateColumn(name, "HUGEINT", f"sum({name})", f"sum({name})"),)
        if kind in (MeasureKind.MINIMUM, MeasureKind.MAXIMUM):
            pick = "min" if kind is MeasureKind.MINIMUM else "max"
            assert self.field is not None
            return (StateColumn(name, EXTREME_TYPES[self.field.type], f"{pick}({name})", f"{pick}({name})"),)
        if kind is MeasureKind.HISTOGRAM:
            return tuple(
                StateColumn(column, "DOUBLE", f"{pick}({self.size})", f"{pick}({column})")
                for pick, column in (("min", self.least), ("max", self.greatest))
            )
        return ()

    @property
    def lists(self) -> tuple[ListColumn, ...]:
        """The columns of a set or histogram, empty lists where there was nothing."""
        if self.measure.kind is MeasureKind.DISTINCT:
            return (ListColumn(self.key, "UINTEGER[]"),)
        if self.measure.kind is MeasureKind.HISTOGRAM:
            return (ListColumn(self.keys, "INTEGER[]"), ListColumn(self.counts, "BIGINT[]"))
        return ()

    @property
    def keys(self) -> str:
        """The name of a histogram's list of buckets."""
        return f"{self.key}_keys"

    @property
    def counts(self) -> str:
        """The name of its list of how many values each of those holds."""
        return f"{self.key}_counts"

    @property
    def least(self) -> str:
        return quoted(f"{self.key}_min")

    @property
    def greatest(self) -> str:
        return quoted(f"{self.key}_max")


def lay_out(stream: Stream, measures: tuple[Measure, ...]) -> tuple[MeasureLayout, ...]:
    """The layout of measures, in their order."""
    return tuple(
        MeasureLayout(measure, f"__m_{measure_hash(stream, measure)}", stream.measured(measure))
        for measure in measures
    )


@dataclass(frozen=True, slots=True)
class RollupLayout:
    """A rollup's tables, one a period, and what stands in them."""

    rollup: Rollup
    hash: str
    dimensions: tuple[str, ...]
    dimension_types: tuple[str, ...]
    measures: tuple[MeasureLayout, ...]

    @classmethod
    def of(cls, stream: Stream, rollup: Rollup) -> RollupLayout:
        return cls(
            rollup,
            rollup_hash(stream, rollup),
            tuple(quoted(name) for name in rollup.dimensions),
            tuple(SQL_TYPES[stream.fields[name].type] for name in rollup.dimensions),
            lay_out(stream, tuple(stream.measures[name] for name in rollup.measures)),
        )

    @property
    def columns(self) -> tuple[StateColumn, ...]:
        return tuple(column for measure in self.measures for column in measure.columns)

    @property
    def histograms(self) -> tuple[MeasureLayout, ...]:
        return of_kind(self.measures, MeasureKind.HISTOGRAM)

    @property
    def distincts(self) -> tuple[MeasureLayout, ...]:
        return of_kind(self.measures, MeasureKind.DISTINCT)

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods kept, finest first: a rollup whose finest grain is the day keeps no slots."""
        return PERIODS[PERIODS.index(Period(self.rollup.grain.value)) :]

    @property
    def lists(self) -> tuple[ListColumn, ...]:
        return tuple(column for measure in self.measures for column in measure.lists)

    @property
    def states(self) -> tuple[str, ...]:
        """Every column that holds a state."""
        return (*(column.name for column in self.columns), *(quoted(column.name) for column in self.lists))

    @property
    def columns_sql(self) -> str:
        """The columns of a table with their types, the same for every period."""
        dimensions = "".join(
            f", {name} {type_}" for name, type_ in zip(self.dimensions, self.dimension_types, strict=True)
        )
        numbers = "".join(f", {column.name} {column.type}" for column in self.columns)
        lists = "".join(f", {quoted(column.name)} {column.type} NOT NULL DEFAULT []" for column in self.lists)
        return f"tenant VARCHAR NOT NULL, start TIMESTAMP NOT NULL{dimensions}{numbers}{lists}"

    def table(self, period: Period) -> str:
        return quoted(self.table_name(period))

    def table_name(self, period: Period) -> str:
        """The name of a period's table, unquoted."""
        return f"rollup_{self.hash}_{period}"


def of_kind(measures: tuple[MeasureLayout, ...], kind: MeasureKind) -> tuple[MeasureLayout, ...]:
    return tuple(layout for layout in measures if layout.measure.kind is kind)

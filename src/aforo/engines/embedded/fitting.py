"""Whether the values that are kept fit the sums that a model newly wants of them."""

from __future__ import annotations

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import MeasureLayout, events_table, quoted
from aforo.engines.embedded.parameters import Parameters, conditions_sql
from aforo.errors import ModelConflict
from aforo.model.measure import MeasureKind
from aforo.model.stream import FieldType, Stream
from aforo.states.sum import scaled


def refuse_unfit(cursor: Cursor, stream: Stream, measures: tuple[MeasureLayout, ...]) -> None:
    """What comes is held against 64 bits when it comes; what is there was held against another model.

    Raises `ModelConflict`: a rollup of such a sum could never be built, nor the sum be read from the events.
    """
    for layout in measures:
        field = layout.field
        if layout.measure.kind is MeasureKind.SUM and field is not None and field.type is FieldType.NUMBER:
            for value in _ends(cursor, stream, layout, field.name):
                try:
                    scaled(value, field.scale)
                except ValueError as error:
                    raise ModelConflict(
                        f"measure {layout.measure.name} of stream {stream.name} cannot sum what is kept: in "
                        f"field {field.name}, {error}",
                        hint="declare fewer decimal places (scale), or sum only what fits: where: "
                        f'"{field.name} < ..."',
                    ) from error


def _ends(cursor: Cursor, stream: Stream, layout: MeasureLayout, field: str) -> list[float]:
    """The least and the greatest that is summed, where there is any."""
    parameters = Parameters()
    name, where = quoted(field), conditions_sql(layout.measure.where, stream, parameters)
    found = first_row(
        cursor,
        f"SELECT min({name}), max({name}) FROM {events_table(stream.name)}"
        + (f" WHERE {where}" if where else ""),
        parameters,
    )
    return [value for value in found or () if value is not None]

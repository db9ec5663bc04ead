"""The page of a pack, from its model file."""

from __future__ import annotations

from aforo.model.condition import text_of
from aforo.model.field import Field
from aforo.model.measure import Measure, MeasureKind
from aforo.model.reading import read_model
from aforo.model.rollup import Rollup
from aforo.model.stream import Stream
from aforo.packs import model_file
from pages.writing import code, codes, paragraphs, table

FOLLOWS = "What follows comes from the pack's model file. How to read it: [the model file](model.md)."


def page(pack: str, intro: str) -> str:
    """A pack's tenants, streams and metrics, below what is said of it."""
    model = read_model(model_file(pack).read_bytes(), source=pack)
    tenants = [(code(each.name), each.timezone, each.week_start) for each in model.tenants.values()]
    parts = [intro, FOLLOWS]
    if tenants:
        parts += ["## Tenants", table(("tenant", "time zone", "week starts on"), tenants)]
    for stream in model.streams.values():
        parts += _stream(stream)
    metrics = (
        (code(each.name), each.description, each.unit, code(each.text), each.format, each.owner)
        for each in model.metrics.values()
    )
    heads = ("metric", "what it is", "unit", "formula", "format", "owner")
    return paragraphs(*parts, "## Metrics", table(heads, metrics))


def _stream(stream: Stream) -> list[str]:
    rollups = [
        (code(each.name), codes(each.dimensions) or "all together", each.grain, _kept(each, stream))
        for each in stream.rollups.values()
    ]
    return [
        f"## Stream `{stream.name}`",
        f"{stream.description}. {_origin(stream)}{_retention(stream)}",
        "### Fields",
        table(
            ("field", "type", "required", "unit", "allowed", "what it is"),
            map(_field, stream.fields.values()),
        ),
        "### Measures",
        table(("measure", "kept", "of events where"), map(_measure, stream.measures.values())),
        "### Rollups",
        table(("rollup", "by", "finest grain", "keeps"), rollups),
    ]


def _origin(stream: Stream) -> str:
    of = stream.derivation
    if of is not None:
        where = f" where {code(text_of(of.where))}" if of.where else ""
        return f"Derived from {code(of.source)}{where}: {of.kind} of each {of.entity}."
    identity = f"An event's id is made of {codes(stream.id)}" if stream.id else "No field makes an event's id"
    return f"{identity}; unknown fields: {stream.extra}."


def _retention(stream: Stream) -> str:
    days = stream.retention.events_days
    return "" if days is None else f" Events are kept for {days} days, what is counted of them for good."


def _kept(rollup: Rollup, stream: Stream) -> str:
    return "all measures" if len(rollup.measures) == len(stream.measures) else codes(rollup.measures)


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

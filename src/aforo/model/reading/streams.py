"""The `streams:` of a model file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aforo.model.field import DEFAULT_SCALE, Field, FieldType
from aforo.model.findings import FaultCode, Findings
from aforo.model.measure import Measure, MeasureKind
from aforo.model.reading.conditions import read_where
from aforo.model.reading.derive import (
    DERIVE,
    carried_field,
    derived_fields,
    is_derived,
    read_derivation,
    with_carried,
)
from aforo.model.reading.section import Section
from aforo.model.reading.segment import read_rules
from aforo.model.reading.written import Entries, Node, Text, Unusable, kind_of
from aforo.model.rollup import Rollup, RollupGrain
from aforo.model.stream import Entity, Extra, Retention, Stream

_STREAM_KEYS = (
    *(
        "description",
        "id",
        "same_content_minutes",
        "extra",
        "fields",
        "entities",
        "measures",
        "rollups",
        "retention",
        "segment",
    ),
    DERIVE,
)
_ANY_FIELD = ("type", "required", "unit", "description")
_ONLY_FOR = {
    "minimum": (FieldType.INTEGER, FieldType.NUMBER),
    "maximum": (FieldType.INTEGER, FieldType.NUMBER),
    "max_length": (FieldType.STRING,),
    "scale": (FieldType.NUMBER,),
}


def read_streams(findings: Findings, children: Iterable[tuple[str, str, Node]]) -> dict[str, Stream]:
    """All streams in their order; derived ones are read last, when it is known what they are derived from."""
    written = list(children)
    read: dict[str, Stream] = {}
    for name, at, node in sorted(written, key=lambda child: is_derived(child[2])):
        read[name] = read_stream(findings, name, at, node, read)
    return {name: read[name] for name, _, _ in written}


def read_stream(
    findings: Findings, name: str, path: str, node: Node, sources: Mapping[str, Stream]
) -> Stream:
    """A stream; what cannot be read of it is a fault, and something harmless stands in its place."""
    section = Section(findings, path, node, _STREAM_KEYS)
    derivation = read_derivation(findings, section, sources) if is_derived(node) else None
    entities = {
        entity: _entity(findings, entity, place, content)
        for entity, place, content in section.children("entities")
    }
    if derivation is not None:
        entities = with_carried(derivation, entities)
    measures = {
        measure: _measure(findings, measure, place, content, entities)
        for measure, place, content in section.children("measures")
    }
    return Stream(
        name=name,
        description=section.text("description") or "",
        fields={
            field: _field(findings, field, place, content)
            for field, place, content in section.children("fields")
        }
        if derivation is None
        else derived_fields(findings, section, carried_field(derivation, sources)),
        id=section.names("id") or (),
        same_content_minutes=section.whole("same_content_minutes"),
        extra=_extra(findings, section),
        entities=entities,
        measures=measures,
        rollups={
            rollup: _rollup(findings, rollup, place, content, measures)
            for rollup, place, content in section.children("rollups")
        },
        retention=_retention(findings, section),
        segment=read_rules(findings, path, section.node("segment")),
        derivation=derivation,
    )


def _extra(findings: Findings, section: Section) -> Extra:
    node = section.node("extra")
    if isinstance(node, Text) and node.value == "keep":
        message = "'keep' is not built yet; write refuse or drop"
        findings.fault(section.place("extra"), FaultCode.NOT_BUILT, message)
        return Extra.REFUSE
    return section.choice("extra", Extra) or Extra.REFUSE


def _retention(findings: Findings, section: Section) -> Retention:
    kept = Section(
        findings, section.place("retention"), section.node("retention"), ("events_days", "slots_days")
    )
    return Retention(events_days=kept.whole("events_days"), slots_days=kept.whole("slots_days"))


def _field(findings: Findings, name: str, path: str, node: Node) -> Field:
    if isinstance(node, Text) and not node.null and node.value in set(FieldType):
        return Field(name=name, type=FieldType(node.value))
    section = Section(findings, path, node, (*_ANY_FIELD, *_ONLY_FOR))
    if isinstance(node, Entries):
        section.need("type")
    kind = section.choice("type", FieldType)
    for key, types in _ONLY_FOR.items():
        if key in section and kind is not None and kind not in types:
            wanted = " or ".join(types)
            message = f"{key!r} is for fields of type {wanted}, but {name} is of type {kind}"
            findings.fault(section.place(key), FaultCode.CONTRADICTION, message)
    scale = section.whole("scale")
    return Field(
        name=name,
        type=kind or FieldType.STRING,
        required=section.truth("required"),
        unit=section.text("unit"),
        minimum=section.number("minimum"),
        maximum=section.number("maximum"),
        max_length=section.whole("max_length"),
        scale=DEFAULT_SCALE if scale is None else scale,
        description=section.text("description") or "",
    )


def _entity(findings: Findings, name: str, path: str, node: Node) -> Entity:
    if isinstance(node, Text) and not node.null:
        return Entity(name=name, field=node.value)
    if not isinstance(node, Unusable):
        message = f"{kind_of(node)} came where the name of a field was wanted"
        findings.fault(path, FaultCode.WRONG_TYPE, message)
    return Entity(name=name, field="")


def _measure(findings: Findings, name: str, path: str, node: Node, entities: Mapping[str, Entity]) -> Measure:
    if isinstance(node, Text) and not node.null:
        if node.value != MeasureKind.COUNT:
            message = f"{node.value!r} came where count or a mapping like {{sum: field}} was wanted"
            findings.fault(path, FaultCode.WRONG_TYPE, message)
        return Measure(name=name, kind=MeasureKind.COUNT)
    section = Section(findings, path, node, (*MeasureKind, "where"))
    kinds = [kind for kind in MeasureKind if kind in section]
    if len(kinds) != 1:
        if findings.sound(path):
            came = " and ".join(kinds) if kinds else "none"
            message = f"{came} came where one of {', '.join(MeasureKind)} was wanted"
            findings.fault(path, FaultCode.CONTRADICTION if kinds else FaultCode.MISSING, message)
        return Measure(name=name, kind=MeasureKind.COUNT)
    kind, where = kinds[0], read_where(findings, section)
    if kind is MeasureKind.COUNT:
        _check_count(findings, section)
        return Measure(name=name, kind=kind, where=where)
    of = section.text(kind)
    if kind is not MeasureKind.DISTINCT:
        return Measure(name=name, kind=kind, field=of, where=where)
    entity = entities.get(of or "")
    return Measure(name=name, kind=kind, entity=of, field=entity.field if entity else None, where=where)


def _check_count(findings: Findings, section: Section) -> None:
    node = section.node("count")
    if isinstance(node, Text) and node.value == "true":
        return
    hint = ""
    if isinstance(node, Text) and node.value.isidentifier():
        hint = f'; to count where it is not null write {{count: true, where: "{node.value} is not null"}}'
    message = f"{kind_of(node)} came where true was wanted{hint}"
    findings.fault(section.place("count"), FaultCode.WRONG_TYPE, message)


def _rollup(findings: Findings, name: str, path: str, node: Node, measures: Mapping[str, Measure]) -> Rollup:
    section = Section(findings, path, node, ("by", "grain", "measures"))
    if isinstance(node, Entries):
        section.need("by")
    chosen = section.names("measures")
    return Rollup(
        name=name,
        dimensions=section.names("by") or (),
        grain=section.choice("grain", RollupGrain) or RollupGrain.SLOT,
        measures=tuple(measures) if chosen is None else chosen,
    )

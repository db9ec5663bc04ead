"""The `derive:` of a stream, and the fields of one, which take what they hold of another's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aforo.model.derivation import DEFAULT_GAP_MINUTES, TAKES, Derivation, DerivationKind, Take, TakeKind
from aforo.model.field import DEFAULT_SCALE, Field, FieldType
from aforo.model.findings import FaultCode, Findings
from aforo.model.reading.conditions import read_where
from aforo.model.reading.section import Section
from aforo.model.reading.written import Entries, Node, Text, kind_of
from aforo.model.stream import Entity, Stream

DERIVE = "derive"
SENT_ONLY = ("id", "same_content_minutes", "extra", "segment")
_KEYS = {
    DerivationKind.SESSIONS: ("from", "entity", "gap_minutes", "where"),
    DerivationKind.FIRSTS: ("from", "entity", "where"),
}


def is_derived(node: Node) -> bool:
    """Whether a stream is written as one that is derived."""
    return isinstance(node, Entries) and DERIVE in node.entries


def read_derivation(findings: Findings, stream: Section, sources: Mapping[str, Stream]) -> Derivation:
    """How the stream's events are derived, and what its fields take; a fault for what nobody may send."""
    for key in SENT_ONLY:
        if key in stream:
            message = f"{key!r} is for events that are sent, and nobody sends those of a derived stream"
            findings.fault(stream.place(key), FaultCode.CONTRADICTION, message)
    section = Section(findings, stream.place(DERIVE), stream.node(DERIVE), DerivationKind)
    kinds = [kind for kind in DerivationKind if kind in section]
    if len(kinds) != 1:
        if findings.sound(section.path):
            came = " and ".join(kinds) if kinds else "none"
            message = f"{came} came where one of {', '.join(DerivationKind)} was wanted"
            code = FaultCode.CONTRADICTION if kinds else FaultCode.MISSING
            findings.fault(section.path, code, message)
        return Derivation(kind=DerivationKind.SESSIONS, source="", entity="", field="", takes={})
    return _of_kind(findings, kinds[0], section, stream, sources)


def _of_kind(
    findings: Findings, kind: DerivationKind, derive: Section, stream: Section, sources: Mapping[str, Stream]
) -> Derivation:
    section = Section(findings, derive.place(kind), derive.node(kind), _KEYS[kind])
    if isinstance(derive.node(kind), Entries):
        section.need("from", "entity")
    source, entity = section.text("from") or "", section.text("entity") or ""
    carried = sources[source].entities.get(entity) if source in sources else None
    gap = section.whole("gap_minutes")
    return Derivation(
        kind=kind,
        source=source,
        entity=entity,
        field="" if carried is None else carried.field,
        gap_minutes=DEFAULT_GAP_MINUTES if gap is None else gap,
        where=read_where(findings, section),
        takes={
            name: _take(findings, kind, name, path, node) for name, path, node in stream.children("fields")
        },
    )


def derived_fields(findings: Findings, section: Section, carried: Field | None) -> dict[str, Field]:
    """The fields that are declared, and before them the one that identifies the entity."""
    fields = {} if carried is None else {carried.name: replace(carried, required=True)}
    for name, path, node in section.children("fields"):
        if name in fields:
            message = f"{name!r} identifies the entity and is carried over; leave it out"
            findings.fault(path, FaultCode.DUPLICATE, message)
            continue
        fields[name] = _field(findings, name, path, node)
    return fields


def carried_field(derivation: Derivation, sources: Mapping[str, Stream]) -> Field | None:
    """The source's field that identifies the entity, where there is one."""
    source = sources.get(derivation.source)
    return None if source is None else source.fields.get(derivation.field)


def with_carried(derivation: Derivation, entities: Mapping[str, Entity]) -> dict[str, Entity]:
    """The entities of the derived stream, the carried one first."""
    if not derivation.field:
        return dict(entities)
    return {derivation.entity: Entity(name=derivation.entity, field=derivation.field), **entities}


def _field(findings: Findings, name: str, path: str, node: Node) -> Field:
    section = Section(findings, path, node, ("type", *TakeKind, "where", "unit", "description", "scale"))
    if isinstance(node, Entries):
        section.need("type")
    kind = section.choice("type", FieldType)
    if "scale" in section and kind not in (None, FieldType.NUMBER):
        message = f"'scale' is for fields of type number, but {name} is of type {kind}"
        findings.fault(section.place("scale"), FaultCode.CONTRADICTION, message)
    scale = section.whole("scale")
    return Field(
        name=name,
        type=kind or FieldType.STRING,
        unit=section.text("unit"),
        scale=DEFAULT_SCALE if scale is None else scale,
        description=section.text("description") or "",
    )


def _take(findings: Findings, kind: DerivationKind, name: str, path: str, node: Node) -> Take:
    if not isinstance(node, Entries):
        return Take(kind=TakeKind.COUNT)
    section = _taking(findings, path, node)
    takes = [take for take in TakeKind if take in section]
    wanted = ", ".join(TAKES[kind])
    if len(takes) != 1 or takes[0] not in TAKES[kind]:
        came = " and ".join(takes) if takes else "none"
        message = f"{came} came where one of {wanted} was wanted: what {name} takes of the events"
        findings.fault(path, FaultCode.CONTRADICTION if takes else FaultCode.MISSING, message)
        return Take(kind=TakeKind.COUNT)
    take = takes[0]
    if take in (TakeKind.FIRST, TakeKind.LAST):
        if "where" in section:
            message = "'where' is for a count; an event is derived of all events or, under derive, of some"
            findings.fault(section.place("where"), FaultCode.CONTRADICTION, message)
        return Take(kind=take, field=section.text(take) or "")
    _check_true(findings, section, take)
    return Take(kind=take, where=read_where(findings, section))


def _taking(findings: Findings, path: str, node: Entries) -> Section:
    """What of a field tells what it takes; the rest is read by `_field`."""
    keys = (*TakeKind, "where")
    return Section(findings, path, Entries({k: node.entries[k] for k in node.entries if k in keys}), keys)


def _check_true(findings: Findings, section: Section, key: TakeKind) -> None:
    node = section.node(key)
    if not (isinstance(node, Text) and node.value == "true"):
        message = f"{kind_of(node)} came where true was wanted"
        findings.fault(section.place(key), FaultCode.WRONG_TYPE, message)

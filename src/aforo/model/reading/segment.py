"""The `segment:` of a stream: one rule or a list of them."""

from __future__ import annotations

from collections.abc import Mapping

from aforo.errors import InvalidRequest
from aforo.model.findings import FaultCode, Findings
from aforo.model.reading.section import Section, chosen
from aforo.model.reading.written import Entries, Items, Node, Text, Unusable
from aforo.model.segment import Call, CallRule, Keys, keys_of

SEGMENT = "segment"


def read_rules(findings: Findings, stream: str, node: Node) -> tuple[CallRule, ...]:
    """The rules of the stream that stands at a path, in their order; what cannot be read is a fault."""
    if isinstance(node, Unusable):
        return ()
    if isinstance(node, Items):
        places = [f"{SEGMENT}[{index}]" for index in range(len(node.items))]
        return tuple(
            _rule(findings, stream, place, item) for place, item in zip(places, node.items, strict=True)
        )
    return (_rule(findings, stream, SEGMENT, node),)


def _rule(findings: Findings, stream: str, place: str, node: Node) -> CallRule:
    path = f"{stream}.{place}"
    if isinstance(node, Text) and not node.null:
        call = chosen(findings, path, node.value, Call)
        return CallRule(calls=() if call is None else (call,), place=place)
    section = Section(findings, path, node, ("call", "event", "fields"))
    if isinstance(node, Entries):
        section.need("call")
    return CallRule(
        calls=_calls(findings, section),
        events=_events(findings, section),
        fields=_fields(findings, section),
        place=place,
    )


def _calls(findings: Findings, section: Section) -> tuple[Call, ...]:
    words = section.words("call") or {}
    calls = [chosen(findings, place, word, Call) for word, place in words.items()]
    if "call" in section and not words and findings.sound(section.place("call")):
        findings.fault(section.place("call"), FaultCode.BAD_VALUE, "an empty list takes no call")
    return tuple(call for call in calls if call is not None)


def _events(findings: Findings, section: Section) -> tuple[str, ...]:
    words = section.words("event")
    if words is not None and not words and findings.sound(section.place("event")):
        message = "an empty list takes no call; without 'event' every track call is taken"
        findings.fault(section.place("event"), FaultCode.BAD_VALUE, message)
    return tuple(words or ())


def _fields(findings: Findings, section: Section) -> Mapping[str, tuple[Keys, ...]]:
    node = section.node("fields")
    names = tuple(node.entries) if isinstance(node, Entries) else ()
    paths = Section(findings, section.place("fields"), node, names)
    return {name: _sources(findings, paths, name) for name in names}


def _sources(findings: Findings, paths: Section, name: str) -> tuple[Keys, ...]:
    words = paths.words(name)
    if words is not None and not words and findings.sound(paths.place(name)):
        findings.fault(paths.place(name), FaultCode.BAD_VALUE, "an empty list leads nowhere")
    found: list[Keys] = []
    for word, place in (words or {}).items():
        try:
            found.append(keys_of(word))
        except InvalidRequest as error:
            findings.fault(place, FaultCode.BAD_VALUE, error.detail)
    return tuple(found)

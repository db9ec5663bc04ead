"""What a YAML file says, before it means anything: texts, lists and mappings, and the line of each place.

Built from the parser's events, so that what repeats (aliases), constructs (tags) or nests without end is
refused before it is followed. Nothing is guessed from a plain word: `no` as the name of a field stays `no`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from aforo.model.findings import FaultCode, Findings

DEEPEST = 16  # a right file needs six levels


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as it was written; `plain` where it stood without quotes."""

    value: str
    plain: bool

    @property
    def null(self) -> bool:
        """Whether nothing was said."""
        return self.plain and self.value.casefold() in ("", "~", "null")


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping; of a key given twice the first stays."""

    entries: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something whose fault has been told already."""


Node: TypeAlias = Text | Items | Entries | Unusable


class _TooDeepError(Exception):
    pass


def written(text: str, findings: Findings) -> Entries | None:
    """The mapping a file consists of; None where there is none, and then a fault says why."""
    try:
        return _document(_Events(text), findings)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        found = ", ".join(part for part in (error.context, error.problem) if part)
        findings.fault("", FaultCode.YAML, _explained(found), mark.line + 1 if mark else None)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{error.character:04X} may not stand in YAML"
        findings.fault("", FaultCode.YAML, message, line)
    except _TooDeepError:
        pass
    return None


def _explained(found: str) -> str:
    if "'\\t'" in found:
        return f"not YAML: {found}; indent with spaces, not tabs"
    return f"not YAML: {found}"


class _Events:
    """The parser's events, one ahead."""

    def __init__(self, text: str) -> None:
        self._events = _parsed(text)
        self.here = next(self._events)

    @property
    def line(self) -> int:
        mark = self.here.start_mark
        return 1 if mark is None else int(mark.line) + 1

    def take(self) -> yaml.Event:
        taken = self.here
        self.here = next(self._events, taken)
        return taken


def _parsed(text: str) -> Iterator[yaml.Event]:
    """By the quick parser where there is one; what it does not take, by the one that says better why."""
    if yaml.__with_libyaml__:
        with suppress(yaml.YAMLError):
            return iter([*yaml.parse(text, Loader=yaml.CSafeLoader)])
    return iter(yaml.parse(text, Loader=yaml.SafeLoader))


def _document(events: _Events, findings: Findings) -> Entries | None:
    events.take()
    if isinstance(events.here, yaml.StreamEndEvent):
        findings.fault("", FaultCode.YAML, "the file says nothing; 'streams:' was wanted", 1)
        return None
    events.take()
    line = events.line
    root = _node(events, "", findings, 0)
    events.take()
    if not isinstance(events.here, yaml.StreamEndEvent):
        findings.fault("", FaultCode.YAML, "a second document begins here; one file holds one", events.line)
    if isinstance(root, Entries):
        return root
    if not isinstance(root, Unusable):
        findings.fault("", FaultCode.WRONG_TYPE, f"{kind_of(root)} came where a mapping was wanted", line)
    return None


def kind_of(node: Node) -> str:
    """What came, in words."""
    match node:
        case Text() if node.null:
            return "nothing"
        case Text(value):
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case Items():
            return "a list"
        case _:
            return "a mapping"


def _node(events: _Events, path: str, findings: Findings, depth: int) -> Node:
    line = events.line
    findings.stands(path, line)
    event = events.take()
    if isinstance(event, yaml.AliasEvent):
        message = f"*{event.anchor} repeats another part of the file; write it out"
        findings.fault(path, FaultCode.YAML, message, line)
        return Unusable()
    if depth > DEEPEST:
        message = f"more than {DEEPEST} lists and mappings stand within one another"
        findings.fault(path.partition(".")[0], FaultCode.YAML, message, line)
        raise _TooDeepError
    node = _content(event, events, path, findings, depth)
    tag = getattr(event, "tag", None)
    if tag is not None:
        findings.fault(path, FaultCode.YAML, f"the tag {tag!r} is not taken; leave it out", line)
        return Unusable()
    return node


def _content(event: yaml.Event, events: _Events, path: str, findings: Findings, depth: int) -> Node:
    if isinstance(event, yaml.ScalarEvent):
        return Text(event.value, plain=not event.style)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Node] = []
        while not isinstance(events.here, yaml.SequenceEndEvent):
            items.append(_node(events, f"{path}[{len(items)}]", findings, depth + 1))
        events.take()
        return Items(tuple(items))
    entries: dict[str, Node] = {}
    while not isinstance(events.here, yaml.MappingEndEvent):
        _entry(events, path, findings, depth, entries)
    events.take()
    return Entries(entries)


def _entry(events: _Events, path: str, findings: Findings, depth: int, entries: dict[str, Node]) -> None:
    line = events.line
    event = events.here
    if not isinstance(event, yaml.ScalarEvent):
        findings.fault(path, FaultCode.YAML, "a key must be one word", line)
        _node(events, f"{path}.?", findings, depth + 1)
        _node(events, f"{path}.?", findings, depth + 1)
        return
    events.take()
    key = str(event.value)
    place = f"{path}.{key}" if path else key
    if key in entries:
        first = findings.line_of(place)
        findings.fault(place, FaultCode.DUPLICATE, f"{key!r} was given already on line {first}", line)
        _node(events, f"{place}.?", Findings(), depth + 1)
        return
    findings.stands(place, line)
    entries[key] = _node(events, place, findings, depth + 1)

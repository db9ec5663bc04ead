"""Rules on which calls of Segment's API a stream takes, and where its fields are in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aforo.errors import suggestion
from aforo.model.field import FieldType
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.segment import Call, CallRule, Keys, path_of
from aforo.model.sheet import Sheet
from aforo.model.stream import Stream

# What a text of a call can be; identifiers that a sender writes as integers are integers.
_FITTING = {
    "timestamp": (FieldType.STRING, FieldType.TIMESTAMP),
    "userId": (FieldType.STRING, FieldType.INTEGER),
    "anonymousId": (FieldType.STRING, FieldType.INTEGER),
    "groupId": (FieldType.STRING, FieldType.INTEGER),
    "previousId": (FieldType.STRING, FieldType.INTEGER),
}


def filled_fields_are_known(sheet: Sheet) -> Iterator[Finding]:
    """A path is for a field that exists."""
    for path, stream, rule in _rules(sheet):
        for name in rule.fields:
            if name not in stream.fields:
                yield f"{path}.fields.{name}", FaultCode.UNKNOWN_NAME, no_such("field", name, stream.fields)


def paths_lead_somewhere(sheet: Sheet) -> Iterator[Finding]:
    """A path begins with a key that one of the calls has, and goes on within objects only."""
    for path, _, rule in _rules(sheet):
        if not rule.calls or not sheet.sound(f"{path}.call"):
            continue
        for name, keys in _paths(rule):
            message = _astray(keys, rule.calls)
            if message is not None:
                yield f"{path}.fields.{name}", FaultCode.BAD_VALUE, message


def values_can_fit(sheet: Sheet) -> Iterator[Finding]:
    """A field that is filled with one of a call's texts is a text, or what such a text may say."""
    for path, stream, rule in _rules(sheet):
        for name in stream.fields:
            kind = stream.fields[name].type
            if not sheet.sound(f"streams.{stream.name}.fields.{name}"):
                continue
            for key in _texts(rule, name):
                fitting = _FITTING.get(key, (FieldType.STRING,))
                if kind not in fitting:
                    message = (
                        f"{key} is a text, but {name} is of type {kind}; wanted is {' or '.join(fitting)}"
                    )
                    yield f"{path}.fields.{name}", FaultCode.WRONG_FIELD, message


def named_calls_are_track_calls(sheet: Sheet) -> Iterator[Finding]:
    """Only track calls have the name of an event."""
    for path, _, rule in _rules(sheet):
        if rule.events and rule.calls and Call.TRACK not in rule.calls and sheet.sound(f"{path}.call"):
            message = f"only a track call has an event, but the rule takes {' and '.join(rule.calls)}"
            yield f"{path}.event", FaultCode.CONTRADICTION, message


def required_fields_come(sheet: Sheet) -> Iterator[Finding]:
    """Every call of a rule can bring every required field: otherwise all of them would be refused."""
    for path, stream, rule in _rules(sheet):
        if not sheet.sound(f"{path}.fields"):
            continue
        for name, field in stream.fields.items():
            for call in rule.calls:
                if field.required and not rule.sources(name, call):
                    message = f"{name!r} is required, and {_article(call)} call has no place for it"
                    yield path, FaultCode.CONTRADICTION, f"{message}; say where it is under fields:"


def every_rule_takes_something(sheet: Sheet) -> Iterator[Finding]:
    """No rule comes too late: the first rule of a stream that takes a call makes its event."""
    for stream in sheet.streams.values():
        for at, rule in enumerate(stream.segment):
            if not sheet.sound(f"streams.{stream.name}.{rule.place}"):
                continue
            before = [_before(stream.segment[:at], call, name) for call, name in _meant(rule)]
            earlier = [place for place in dict.fromkeys(before) if place is not None]
            if before and None not in before:
                which = f"what {' and '.join(earlier)} take{'s' if len(earlier) == 1 else ''} already"
                message = f"takes nothing but {which}; leave it out or put it first"
                yield f"streams.{stream.name}.{rule.place}", FaultCode.DUPLICATE, message


def _before(rules: Iterable[CallRule], call: Call, name: str | None) -> str | None:
    """The place of the first rule that takes a call; a name of None stands for every name."""
    for rule in rules:
        if rule.takes(call, name) if name is not None else call in rule.calls and not rule.events:
            return rule.place
    return None


def _meant(rule: CallRule) -> Iterator[tuple[Call, str | None]]:
    for call in rule.calls:
        names: tuple[str | None, ...] = rule.events if call is Call.TRACK and rule.events else (None,)
        yield from ((call, name) for name in names)


def _astray(keys: Keys, calls: tuple[Call, ...]) -> str | None:
    """What is wrong with a path, if anything."""
    texts = {key for call in calls for key in call.texts}
    objects = {key for call in calls for key in call.objects}
    first, written = keys[0], path_of(keys)
    if first in texts:
        return f"{written!r} leads into {first!r}, which is a text" if len(keys) > 1 else None
    if first in objects:
        return f"{first!r} is an object; say which key of it, as in '{first}.key'" if len(keys) == 1 else None
    which = " or ".join(_article(call) for call in calls)
    return f"{which} call has no {first!r}; {suggestion(first, texts | objects)}"


def _texts(rule: CallRule, name: str) -> list[str]:
    """The texts of calls that a field is filled with, each once."""
    sources = (keys for call in rule.calls for keys in rule.sources(name, call) if keys[0] in call.texts)
    return list(dict.fromkeys(keys[0] for keys in sources))


def _paths(rule: CallRule) -> Iterator[tuple[str, Keys]]:
    for name, sources in rule.fields.items():
        yield from ((name, keys) for keys in sources)


def _article(call: Call) -> str:
    return f"an {call}" if call[0] in "aeiou" else f"a {call}"


def _rules(sheet: Sheet) -> Iterator[tuple[str, Stream, CallRule]]:
    for stream in sheet.streams.values():
        for rule in stream.segment:
            yield f"streams.{stream.name}.{rule.place}", stream, rule

"""What stays of a refused event: which names it had, of which types, and what was wrong, without its values.

The value that was refused is shown where it is one short word or number; the rest could be anybody's. Digits
of whatever has seven or more of them are masked (telephones, cards, accounts), and so are addresses.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import numpy as np

from aforo.engines.appends import UNKNOWN, OutcomeCount
from aforo.engines.refused import Sample, SampleLimits
from aforo.events.draft import ENVELOPE, Draft, value_at
from aforo.events.refusals import SHOWN_CHARACTERS, Refusal, RefusalCode
from aforo.events.shape import FIELDS
from aforo.events.steps import MAX_TENANT_LENGTH
from aforo.model.model import Model

MOST_NAMES = 50
MOST_IN_A_BATCH = 200
MOST_OF_A_DETAIL = 300  # characters
LONGEST_WORD = 20  # characters of a value that is shown
MANY_DIGITS = 7
HIDDEN = "…"

Names = Callable[[], Mapping[str, str]]
Key = tuple[str, str, str]  # stream, tenant, code

# What came stands between our own words, and those are the last.
_TOLD = re.compile(
    r"(?P<head>.*?\bcame )(?P<value>.*)"
    r"(?P<tail>, (?:wanted|did you mean|known:|there are none|which is)[^\"…]*)",
    re.DOTALL,
)
_TOLD_BARE = re.compile(r"(?P<head>.*?\bcame )(?P<value>.*)(?P<tail>)", re.DOTALL)
_WORD = re.compile(r"[\w.:/+-]*")
_ADDRESS = re.compile(r"\S*@\S*|\b\d{1,3}(?:\.\d{1,3}){3}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ][\d:.]*(?:[Zz]|[+-][\d:]*)?)?")
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    ((list, tuple), "list"),
    (dict, "object"),
    ((datetime, date), "timestamp"),
    (type(None), "null"),
)
KINDS = frozenset((*(name for _, name in _KINDS), "other"))


class Refused:
    """The refusals of one batch: how many by stream, tenant and code, and the last few of each as samples."""

    def __init__(self, limits: SampleLimits) -> None:
        self._limits = limits
        self._counts: dict[Key, int] = {}
        self._added = 0
        self._last: dict[Key, deque[tuple[int, Refusal, Names]]] = {}

    def add(self, stream: str, tenant: str, refusal: Refusal, names: Names) -> None:
        """Counts one; `names` is asked only where it stays."""
        # No tenant can have a longer name, and a ledger is no place for what somebody makes up.
        known = tenant if len(tenant) <= MAX_TENANT_LENGTH else UNKNOWN
        key = (stream, known, str(refusal.code))
        self._counts[key] = self._counts.get(key, 0) + 1
        self._added += 1
        last = self._last.setdefault(key, deque(maxlen=self._limits.per_reason))
        last.append((self._added, refusal, names))

    def add_unread(self, stream: str, tenant: str | None, refusals: Sequence[Refusal]) -> None:
        """Counts what a reader could make no row of, for the stream whose rows stand around it."""
        for refusal in refusals:
            of_none = refusal.code in (RefusalCode.NOT_AN_OBJECT, RefusalCode.UNKNOWN_STREAM)
            self.add(UNKNOWN if of_none else stream, tenant or UNKNOWN, refusal, dict)

    def copied(self) -> Refused:
        """The same refusals, to which others may be added without these being changed."""
        copy = Refused(self._limits)
        if not self._added:  # as of nearly every batch
            return copy
        copy._counts, copy._added = self._counts.copy(), self._added
        copy._last = {key: last.copy() for key, last in self._last.items()}
        return copy

    def add_foreign(self, draft: Draft, refusal: Refusal, tenant: str | None) -> None:
        """Counts a row that names a tenant of others, under its sender's own name."""
        row = int(np.searchsorted(draft.index, refusal.index))
        self.add(draft.stream.name, tenant or UNKNOWN, refusal, lambda: names_of_row(draft, row))

    def add_event(
        self,
        event: object,
        model: Model,
        refusal: Refusal,
        tenant: str | None,
        owns: frozenset[str] | None = None,
    ) -> None:
        """Counts a decoded event that is none; `tenant` is the sender's, and `owns` all that it may bring."""
        named = event if isinstance(event, dict) else {}
        stream, own = named.get("stream"), named.get("tenant")
        theirs = isinstance(own, str) and own != "" and (owns is None or own in owns)
        self.add(
            stream if isinstance(stream, str) and stream in model.sent_streams else UNKNOWN,
            str(own) if theirs else tenant or UNKNOWN,
            refusal,
            lambda: names_of(event),
        )

    def add_of(self, draft: Draft, refusal: Refusal, default: str | None) -> None:
        """Counts a refused row of a draft, as it was before any step; `default` is the sender's tenant."""
        row = int(np.searchsorted(draft.index, refusal.index))
        self.add(
            draft.stream.name, _tenant_of(draft, row, default), refusal, lambda: names_of_row(draft, row)
        )

    @property
    def counts(self) -> tuple[OutcomeCount, ...]:
        return tuple(OutcomeCount(*key, count) for key, count in self._counts.items())

    @property
    def samples(self) -> tuple[Sample, ...]:
        """In the order they came; of a batch with very many kinds only the last."""
        if not self._added:
            return ()
        found = [(at, key, refusal, names) for key, last in self._last.items() for at, refusal, names in last]
        found.sort(key=lambda each: each[0])
        return tuple(
            sample_of(*key, refusal.detail, names()) for _, key, refusal, names in found[-MOST_IN_A_BATCH:]
        )


def sample_of(stream: str, tenant: str, code: str, detail: str, names: Mapping[str, str]) -> Sample:
    """A refused event as it may be kept."""
    listed = list(names.items())[:MOST_NAMES]
    shown = {_cut(masked(name)): kind for name, kind in listed}
    return Sample(stream, tenant, code, _cut(redacted(detail), MOST_OF_A_DETAIL), shown)


def redacted(detail: str) -> str:
    """A refusal's words with the value in them shown only where it is one short word or number."""
    found = _TOLD.fullmatch(detail) or _TOLD_BARE.fullmatch(detail)
    if found is None:
        return masked(detail)
    head, value, tail = masked(found["head"]), found["value"], masked(found["tail"])
    if head.startswith("time: ") and _INSTANT.fullmatch(value.strip("\"'")):
        return head + value + tail
    return head + _value(value) + tail


def masked(text: str) -> str:
    """The text without addresses, and without the digits of words that have many."""
    words = re.split(r"(\s+)", _ADDRESS.sub(HIDDEN, text))
    return "".join(
        re.sub(r"\d", "#", word) if sum(map(str.isdigit, word)) >= MANY_DIGITS else word for word in words
    )


def names_of(event: object) -> Mapping[str, str]:
    """The names in a decoded event and the types of their values; none where it is no object."""
    if not isinstance(event, dict):
        return {}
    fields = event.get(FIELDS)
    inner = fields if isinstance(fields, dict) else {}
    outer = {str(name): kind_of(value) for name, value in event.items() if value is not inner}
    return {**outer, **{f"{FIELDS}.{name}": kind_of(value) for name, value in inner.items()}}


def names_of_row(draft: Draft, row: int) -> Mapping[str, str]:
    """The names that a row of a draft has values for."""
    found = {"stream": "string"}
    for name, column in draft.columns.items():
        value = value_at(column, row)
        if value is not None:
            own = name in ENVELOPE or name.startswith(f"{FIELDS}.")
            found[name if own else f"{FIELDS}.{name}"] = kind_of(value)
    return found


def kind_of(value: object) -> str:
    """What a value is, in JSON's words where it has one."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "other")


def _tenant_of(draft: Draft, row: int, default: str | None) -> str:
    column = draft.columns.get("tenant")
    named = None if column is None else value_at(column, row)
    return named if isinstance(named, str) and named else default or UNKNOWN


def _value(value: str) -> str:
    if value[:1] in ("[", "{"):
        return "a list" if value[0] == "[" else "an object"
    quote = value[:1] if value[:1] in ('"', "'") else ""
    inner = value.strip(quote) if quote else value
    if quote and (len(inner) > LONGEST_WORD or _WORD.fullmatch(inner) is None):
        return f"{quote}{HIDDEN}{quote}"
    return masked(value)


def _cut(text: str, most: int = SHOWN_CHARACTERS) -> str:
    return text if len(text) <= most else text[: most - 1] + HIDDEN

"""The common and the combined log format, as Apache and nginx write them, a column at a time.

All patterns run in RE2, whose time grows with the line and not with how it was made to mislead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.cast.typed import Mask, mask_of, without
from aforo.events.refusals import RefusalCode

_QUOTED = r'(?:[^"\\]|\\.)*'
_WHO = r"^(?:(?P<host>[^\s:\"\[\]]+):[0-9]{1,5} )?(?P<address>[^\s\"\[\]]+) \S+ .*?"
_WHEN = r" ?\[(?P<time>[^\]]{1,64})\]"
_WHAT = rf' "(?P<request>{_QUOTED})"'
_STATUS = r" (?P<status>[0-9]{3})"
_BYTES = r" (?P<bytes>[0-9]{1,18}|-)"
# The quotes are kept around the agent: they tell a client that sent none from a format without one. What
# follows it, as the forwarded address of nginx's own format, is left alone.
_BROWSER = rf'(?: "(?P<referrer>{_QUOTED})" (?P<agent>"{_QUOTED}")(?: .*)?)?'
LINE = _WHO + _WHEN + _WHAT + _STATUS + _BYTES + _BROWSER + r"\r?$"

# How far a line must fit, and what is missing where it does not.
_STAGES = (
    (_WHO + r" ?\[", "an address, two words and a time in brackets"),
    (_WHO + _WHEN, "a time in brackets"),
    (_WHO + _WHEN + _WHAT, "a request in quotes after the time"),
    (_WHO + _WHEN + _WHAT + _STATUS + " ", "a status of three digits after the request"),
    (_WHO + _WHEN + _WHAT + _STATUS + _BYTES + r"(?:\s|$)", "the bytes sent, or -, after the status"),
)
_LAST_STAGE = "nothing after the bytes, or a referrer and an agent in quotes"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Mapping[bytes, int] = MappingProxyType(
    {name.encode(): number for number, name in enumerate(_MONTHS, 1)}
)
_TIME = re.compile(
    rb"(\d\d)/([A-Z][a-z][a-z])/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", flags=re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """The lines that fit, by column, and which of the lines given they are; what does not fit, by its reason.

    `host`, `address`, `request`, `referrer` and `agent` are bytes as the log has them, escapes and all; a
    format without a referrer and an agent, and a server that names no host, leave those null. `time` is an
    instant, `status` and `bytes` are integers.
    """

    columns: Mapping[str, pa.Array]
    fits: Mask
    faults: tuple[tuple[int, RefusalCode, str], ...]


def parsed(lines: pa.Array) -> Parsed:
    """Every line by the grammar; one that does not fit is named by its place, and no other suffers."""
    found = pc.extract_regex(lines, LINE)
    fits = found.is_valid().to_numpy(zero_copy_only=False)
    faults = [(at, RefusalCode.NOT_AN_OBJECT, what) for at, what in _misfits(lines, ~fits)]
    times = _instants(found.field("time").filter(pa.array(fits)))
    untimed = np.zeros(len(lines), np.bool_)
    untimed[fits] = mask_of(times.is_null())
    faults += [
        (at, RefusalCode.BAD_TIME, "wanted a time as 10/Oct/2000:13:55:36 -0700")
        for at in np.flatnonzero(untimed).tolist()
    ]
    kept = fits & ~untimed
    columns = _columns(found.filter(pa.array(kept)), times.drop_null())
    return Parsed(columns, kept, tuple(sorted(faults)))


def _columns(found: pa.Array, times: pa.Array) -> dict[str, pa.Array]:
    agent = found.field("agent")
    plain = mask_of(pc.equal(pc.binary_length(agent), 0))
    sent = pc.cast(found.field("bytes"), pa.string())
    host = found.field("host")
    return {
        "host": without(host, mask_of(pc.equal(pc.binary_length(host), 0))),
        "address": found.field("address"),
        "time": times,
        "request": found.field("request"),
        "status": pc.cast(pc.cast(found.field("status"), pa.string()), pa.int64()),
        "bytes": pc.cast(pc.if_else(pc.equal(sent, "-"), "0", sent), pa.int64()),
        "referrer": without(found.field("referrer"), plain),
        "agent": without(pc.binary_slice(agent, 1, -1), plain),
    }


def _misfits(lines: pa.Array, mask: Mask) -> list[tuple[int, str]]:
    """What was wanted of each line that does not fit; not what came, for there is an address in it."""
    rows = np.flatnonzero(mask)
    if not len(rows):
        return []
    texts = lines.filter(pa.array(mask))
    wanted = np.full(len(rows), _LAST_STAGE, object)
    for pattern, what in reversed(_STAGES):
        wanted[~mask_of(pc.match_substring_regex(texts, pattern))] = f"wanted {what}"
    return list(zip(rows.tolist(), wanted.tolist(), strict=True))


def _instants(texts: pa.Array) -> pa.Array:
    """The instants, null for what is no time; each text is read once, as many lines share their second."""
    coded = texts.dictionary_encode()
    instants = pa.array([instant(text) for text in coded.dictionary.to_pylist()], pa.int64())
    return instants.take(coded.indices).cast(pa.timestamp("us", "UTC"))


def instant(text: bytes) -> int | None:
    """Microseconds since 1970 of `10/Oct/2000:13:55:36 -0700`; None where it is no time that can be.

    Month names are English whatever the locale. A leap second is the one before it.
    """
    found = _TIME.fullmatch(text)
    if found is None or found[2] not in _MONTH:
        return None
    day, year, hour, minute, second, hours, minutes = map(int, found.group(1, 3, 4, 5, 6, 8, 9))
    if hours > 23 or minutes > 59 or second > 60:
        return None
    try:
        wall = datetime(year, _MONTH[found[2]], day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return (wall - _EPOCH - (offset if found[7] == b"+" else -offset)) // _MICROSECOND

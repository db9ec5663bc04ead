"""An event is written once, when it happens: the same bytes wait, are spooled, and are sent again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

BY_STREAM = ""
"""As an event's `id`: the server makes it, of the stream's id fields or of the whole content and time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(
    stream: str,
    fields: Mapping[str, object],
    *,
    tenant: str | None,
    id: str | None,  # noqa: A002  (the contract's word)
    time: datetime | str | None,
    now: int,
) -> tuple[str, bytes]:
    """The event's id, and the event as a line of JSON without its end; `now` in microseconds.

    Who brings no id gets a random one and who brings no time gets `now`, so that an event which is sent
    twice is known the second time. Raises ValueError for what no JSON can say.
    """
    given = uuid4().hex if id is None else id
    event = {
        "stream": stream,
        **({} if tenant is None else {"tenant": tenant}),
        "id": given,
        "time": _instant(_EPOCH + timedelta(microseconds=now)) if time is None else _time(time),
        "fields": dict(fields),
    }
    try:
        text = json.dumps(event, default=_value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return given, text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"an event of {stream!r} cannot be written as JSON: {error}") from error


def _time(time: datetime | str) -> str:
    return time if isinstance(time, str) else _instant(time)


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return _instant(value)
    raise TypeError(f"a value of type {type(value).__name__} came")


def _instant(time: datetime) -> str:
    if time.utcoffset() is None:
        raise ValueError(f"{time} has no time zone: give it one, for example datetime.now(UTC)")
    return time.isoformat().replace("+00:00", "Z")

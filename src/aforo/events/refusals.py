"""Why an event was not taken: a value of a closed list, never an exception."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

SHOWN_CHARACTERS = 40


class RefusalCode(StrEnum):
    """Every reason there is."""

    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_STREAM = "unknown_stream"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    BAD_TIME = "bad_time"
    SEALED = "sealed"  # older than the seal
    IN_FUTURE = "in_future"  # further ahead than a clock may be wrong
    UNKNOWN_TENANT = "unknown_tenant"  # only where tenants are fixed
    NO_CONSENT = "no_consent"
    BOT = "bot"
    NOT_YOUR_TENANT = "not_your_tenant"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The event at `index` of its batch was not taken; `detail` says what came and what was wanted."""

    index: int
    code: RefusalCode
    detail: str


def shown(value: object) -> str:
    """A value as a person wrote it, cut to 40 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or a very deep value
        text = f"a very large {type(value).__name__}"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"

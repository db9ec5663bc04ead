"""Why an event may not be taken, from the closed list of reasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import aforo
from aforo.events.refusals import RefusalCode
from pages.writing import code, paragraphs, table

INTRO = """
# Refusals

An event that is not taken is answered with one of these codes, its index in the batch (from 0) and a
sentence with what came and what was wanted. The other events of the batch are not touched by it.
Refusals are counted in the commit of their batch; `aforo doctor` shows the counts.

An event that is known already is no refusal: it is counted as a duplicate.
"""

LATER = """
## Codes that nothing gives yet

They belong to the closed list, so that who reads a receipt can be ready for them, and come with parts
that are [not built yet](../house.md#not-built-yet).
"""

SENTENCES: Mapping[RefusalCode, str] = MappingProxyType(
    {
        RefusalCode.NOT_AN_OBJECT: "What stands in the event's place is no object: no JSON, a list, a CSV "
        "row with too many or too few values, or one that is not UTF-8.",
        RefusalCode.UNKNOWN_STREAM: "The event names a stream that no model declares, or none.",
        RefusalCode.UNKNOWN_FIELD: "The event brings a field that its stream does not declare, and the "
        "stream says `extra: refuse`.",
        RefusalCode.MISSING_FIELD: "A required field, or the tenant, is missing or null.",
        RefusalCode.WRONG_TYPE: "A value is not of its field's type. Nothing is coerced: `1.5` is no "
        "integer.",
        RefusalCode.OUT_OF_RANGE: "A number is outside its field's bounds, is not finite, or is too large "
        "to be summed at its scale.",
        RefusalCode.TOO_LONG: "A string has more characters than its field allows, or a line of a file more "
        "than a mebibyte.",
        RefusalCode.BAD_TIME: "The time is no RFC 3339 instant with a zone, or lies before 1973.",
        RefusalCode.IN_FUTURE: "The time is further ahead of the server's clock than "
        "`intake.future_seconds`.",
        RefusalCode.SEALED: "The event is older than the seal below which rollups no longer change.",
        RefusalCode.UNKNOWN_TENANT: "The tenants are fixed, and this is none of them.",
        RefusalCode.NO_CONSENT: "The visitor did not agree to be counted.",
        RefusalCode.BOT: "The sender is a machine that is not counted.",
        RefusalCode.NOT_YOUR_TENANT: "The key may not send events for this tenant.",
    }
)


def page() -> str:
    """The codes in use, and those that come later."""
    given = given_codes()
    return paragraphs(
        INTRO,
        _table([each for each in RefusalCode if each in given]),
        LATER,
        _table([each for each in RefusalCode if each not in given]),
    )


def given_codes() -> frozenset[RefusalCode]:
    """The codes that some line of the source gives."""
    sources = Path(aforo.__file__).parent.rglob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return frozenset(each for each in RefusalCode if f"RefusalCode.{each.name}" in text)


def _table(codes: list[RefusalCode]) -> str:
    return table(("code", "when"), ((code(each), SENTENCES[each]) for each in codes))

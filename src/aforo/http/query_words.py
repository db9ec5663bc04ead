"""A question as the parameters of an address: the same words as in a body, lists by commas or repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from aforo.errors import Fault, InvalidRequest

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "tenant": "Whose events; the key's only tenant by default",
        "metrics": "What is asked, separated by commas or each by itself",
        "from": "First day, included, or an instant",
        "to": "Last day, included, or an instant, excluded",
        "grain": "slot, hour, day, week, month or total, which is the default",
        "by": "Dimensions to split by, separated by commas or each by itself",
        "where": 'Conditions, such as carrier = "UA" and distance >= 100',
        "compare": "previous, year, before, or two dates such as 2013-01-01..2013-01-31",
        "matchWeekdays": "true: previous and year lie whole weeks back",
        "daily": "true: what adds up is told by the day too",
        "timezone": "Zone of the days; the tenant's own by default",
        "order": "Columns to order by, such as flights desc, origin",
        "limit": "How many groups are kept; the others are one row",
        "totals": "true: the metrics of everything that was asked as well",
    }
)
_LISTS = ("metrics", "by")
_FLAGS = ("matchWeekdays", "daily", "totals")
_LIMIT = "limit"
_MOST_DIGITS = 18


def question_of(parameters: Iterable[tuple[str, str]]) -> dict[str, object]:
    """The body that says the same. Raises InvalidRequest with all that cannot be read."""
    given: dict[str, list[str]] = {}
    for name, text in parameters:
        given.setdefault(name, []).append(text)
    faults: list[Fault] = []
    question = {name: _read(name, texts, faults) for name, texts in given.items()}
    if faults:
        told = "; ".join(f"{fault.path}: {fault.message}" for fault in faults)
        raise InvalidRequest(told, hint="for example ?tenant=nyc&metrics=flights&by=origin", faults=faults)
    return question


def _read(name: str, texts: list[str], faults: list[Fault]) -> object:
    if name in _LISTS:
        return [word.strip() for text in texts for word in text.split(",") if word.strip()]
    text = texts[0]
    if len(texts) > 1:
        faults.append(Fault(name, "wrong_value", f"came {len(texts)} times, wanted once"))
    if name in _FLAGS:
        if text not in ("true", "false"):
            faults.append(Fault(name, "wrong_value", f"came {text[:40]!r}, wanted true or false"))
        return text == "true"
    if name == _LIMIT:
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            faults.append(Fault(name, "wrong_value", f"came {text[:40]!r}, wanted a whole number"))
            return None
        return int(text)
    return text

"""What is asked of a summary: the words of its query string, and the days they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from aforo.errors import InvalidRequest
from aforo.questions import comparison
from aforo.questions.comparison import Against, Comparison
from aforo.questions.faults import Faults
from aforo.windows import Zone, parse_date

DEFAULT_DAYS = 30
MOST_DAYS = 400
FROM, TO, PROPERTY, COMPARE = "from", "to", "propertyId", "compareTo"
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        FROM: f"First day, such as 2026-01-14; without it {DEFAULT_DAYS} days up to the last",
        TO: f"Last day, included; today where nothing is said. {MOST_DAYS} days at most",
        PROPERTY: (
            "Whose site: a tenant. Without it the only one of the key, else that of the setting "
            "`web.default_property`"
        ),
        COMPARE: (
            "`previous` (as many days right before), `year` (the same dates a year before), or dates: "
            "`2025-12-14..2026-01-13`"
        ),
    }
)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryAsked:
    """A summary that is asked; what is None has its default, which depends on the day."""

    property_id: str
    first: date | None = None
    last: date | None = None
    compare: Comparison | None = None

    def days(self, zone: Zone, now: int) -> tuple[date, date]:
        """The first and the last day. Raises InvalidRequest where they are in the wrong order or too many."""
        last = self.last or zone.date_of(now)
        first = self.first or last - (DEFAULT_DAYS - 1) * _DAY
        _check_length(FROM, first, last)
        return first, last


def asked_of(given: Mapping[str, str], property_id: str) -> SummaryAsked:
    """What a query string asks, of a property where it names none. Raises InvalidRequest for all faults."""
    faults = Faults()
    first = faults.taken(FROM, lambda: parse_date(given[FROM]) if FROM in given else None)
    last = faults.taken(TO, lambda: parse_date(given[TO]) if TO in given else None)
    compare = faults.taken(COMPARE, lambda: _compared(given[COMPARE]) if COMPARE in given else None)
    faults.raise_if_any()
    return SummaryAsked(property_id=given.get(PROPERTY, property_id), first=first, last=last, compare=compare)


def _compared(text: str) -> Comparison:
    read = comparison.parse(text)
    if read.against is Against.BEFORE:
        raise InvalidRequest(
            "'before' compares each bucket with the one before it, and a summary has one window",
            hint="write 'previous', 'year' or dates like 2025-12-14..2026-01-13",
        )
    if read.first is not None and read.last is not None:
        _check_length(COMPARE, read.first, read.last)
    return read


def _check_length(place: str, first: date, last: date) -> None:
    if first > last:
        raise InvalidRequest(
            f"{place}: the window ends before it begins: {first} to {last}",
            hint="'from' and 'to' are days, both included",
        )
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise InvalidRequest(
            f"{place}: {first} to {last} are {days:,} days, and a summary is of {MOST_DAYS} at most",
            hint="ask a shorter window, or POST /v1/query by month",
        )

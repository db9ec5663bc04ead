"""What is asked of a project's metrics: the words of the query string, and the days they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from aforo.errors import InvalidRequest
from aforo.packs.projects.modules import MODULES
from aforo.questions.faults import Faults
from aforo.windows import Grain, Zone

WEDDING, MODULE, RANGE, GROUP_BY = "weddingId", "module", "range", "groupBy"
Word = TypeVar("Word", bound=StrEnum)


class Range(StrEnum):
    """How many days, today the last of them."""

    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def days(self) -> int:
        return int(self.removesuffix("d"))


class GroupBy(StrEnum):
    """What a point is of."""

    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def grain(self) -> Grain:
        return Grain.DAY if self is GroupBy.DAILY else Grain.WEEK


PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        WEDDING: "Whose project: a tenant. Without it the only one of the key",
        MODULE: f"Module of the project: {', '.join(MODULES)}, or any other by its name",
        RANGE: f"Days up to today, today among them: {', '.join(Range)}; {Range.WEEK} where nothing is said",
        GROUP_BY: f"What a point is of: {', '.join(GroupBy)}; {GroupBy.DAILY} where nothing is said",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsAsked:
    """A module of a project, over days, by day or week."""

    wedding_id: str
    module: str
    range: Range
    group_by: GroupBy

    def days(self, zone: Zone, now: int) -> tuple[date, date]:
        """The first and the last day."""
        last = zone.date_of(now)
        return last - timedelta(days=self.range.days - 1), last


def asked_of(given: Mapping[str, str], only_tenant: str | None) -> MetricsAsked:
    """What a query string asks, of a tenant where it names none. Raises InvalidRequest for all faults."""
    faults = Faults()
    wedding = faults.taken(WEDDING, lambda: _named(given.get(WEDDING) or only_tenant, WEDDING))
    module = faults.taken(MODULE, lambda: _named(given.get(MODULE), MODULE))
    range_ = faults.taken(RANGE, _word(given, RANGE, Range, Range.WEEK))
    group_by = faults.taken(GROUP_BY, _word(given, GROUP_BY, GroupBy, GroupBy.DAILY))
    faults.raise_if_any()
    assert wedding is not None
    assert module is not None
    assert range_ is not None
    assert group_by is not None
    return MetricsAsked(wedding_id=wedding, module=module, range=range_, group_by=group_by)


def _named(value: str | None, name: str) -> str:
    if not value:
        raise InvalidRequest(f"{name} is missing", hint=f"add ?{name}=…: {PARAMETERS[name]}")
    return value


def _word(given: Mapping[str, str], name: str, of: type[Word], default: Word) -> Callable[[], Word]:
    def read() -> Word:
        text = given.get(name, default)
        if text not in set(of):
            raise InvalidRequest(f"{name}: {text[:40]!r} came", hint=f"one of {', '.join(of)}")
        return of(text)

    return read

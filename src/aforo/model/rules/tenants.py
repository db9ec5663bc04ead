"""Rules on where tenants are on the clock."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.errors import UnknownName
from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.sheet import Sheet
from aforo.windows import WEEKDAYS, Zone


def zones_are_known(sheet: Sheet) -> Iterator[Finding]:
    """A tenant's time zone is one that its days can be made in."""
    for tenant in sheet.tenants.values():
        try:
            Zone(tenant.timezone)
        except UnknownName as error:
            path = f"tenants.{tenant.name}.timezone"
            yield path, FaultCode.UNKNOWN_NAME, f"{error.detail}; {error.hint}"


def weeks_start_on_a_day(sheet: Sheet) -> Iterator[Finding]:
    """A tenant's week starts on a day of the week, in lower case."""
    for tenant in sheet.tenants.values():
        if tenant.week_start not in WEEKDAYS:
            path = f"tenants.{tenant.name}.week_start"
            yield path, FaultCode.UNKNOWN_NAME, no_such("weekday", tenant.week_start, WEEKDAYS)

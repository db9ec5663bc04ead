"""Whose data it is, and where that is on the clock."""

from __future__ import annotations

from dataclasses import dataclass

SIMULATED = ("demo-", "demo_")
"""How the names of tenants begin whose data is made up; a model file can declare the second kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A name with its time zone and the day its weeks begin."""

    name: str
    timezone: str = "UTC"
    week_start: str = "monday"


def is_simulated(tenant: str) -> bool:
    """Whether the data of the tenant named so is made up; the name itself says it wherever it is shown."""
    return tenant.startswith(SIMULATED)

"""Whose data it is, and where that is on the clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A name with its time zone and the day its weeks begin."""

    name: str
    timezone: str = "UTC"
    week_start: str = "monday"

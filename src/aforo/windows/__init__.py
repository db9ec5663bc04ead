"""Pure time arithmetic: half-open windows, slots, and a tenant's local hours, days, weeks and months."""

from aforo.windows.reading import parse_date, parse_instant, window_of_dates
from aforo.windows.window import (
    DAY,
    EARLIEST,
    HOUR,
    LATEST,
    SLOT,
    WEEKDAYS,
    Bucket,
    Day,
    Grain,
    Window,
    buckets_at_least,
    slot_of,
)
from aforo.windows.zone import Zone

__all__ = [
    "DAY",
    "EARLIEST",
    "HOUR",
    "LATEST",
    "SLOT",
    "WEEKDAYS",
    "Bucket",
    "Day",
    "Grain",
    "Window",
    "Zone",
    "buckets_at_least",
    "parse_date",
    "parse_instant",
    "slot_of",
    "window_of_dates",
]

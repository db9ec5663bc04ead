"""When a value was seen first and last: exact by events, and to the day by sets where events were purged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aforo.engines.embedded import dictionary, sealing, sets, unheld
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.erasing import streams_of
from aforo.engines.embedded.layout import quoted
from aforo.engines.reads import Seen, Sight
from aforo.model.model import Model
from aforo.windows import Zone

BEGINS = """
-- From when on a rollup has a measure of a tenant, where that is not from the first event on.
SELECT epoch_us(begins) FROM births WHERE hash = $hash AND tenant = $tenant AND measure = $measure
"""


def seen(
    cursor: Cursor, model: Model, zone: Zone, tenant: str, entity: str, forms: Sequence[str]
) -> Seen | None:
    """What events and sets tell of a value that may stand in the dictionary in one of some forms."""
    number = dictionary.number_of(cursor, entity, tenant, forms)
    if number is None:
        return None
    days = _days(cursor, model, tenant, entity, number)
    events = _events(cursor, tenant, entity, number)
    if not days and not events:
        return None
    return Seen(
        _first(events[0] if events else None, min(days, default=None)),
        _last(zone, events[1] if events else None, max(days, default=None)),
        _known_from(cursor, model, tenant, entity),
    )


def _events(cursor: Cursor, tenant: str, entity: str, number: int) -> tuple[int, int] | None:
    """The times of the first and the last event that has a number."""
    extents = " UNION ALL ".join(
        f"SELECT min(time) AS first, max(time) AS last FROM {quoted(table)} "
        f"WHERE tenant = $tenant AND {quoted(column)} = $number"
        for table, column in unheld.numbered(cursor, entity)
    )
    if not extents:
        return None
    found = first_row(
        cursor,
        f"-- When a number's events were.\nSELECT epoch_us(min(first)), epoch_us(max(last)) FROM ({extents})",
        {"tenant": tenant, "number": number},
    )
    return None if found is None or found[0] is None else (found[0], found[1])


def _days(cursor: Cursor, model: Model, tenant: str, entity: str, number: int) -> list[int]:
    """The first and the last sealed day of each set that has a number; of other days events tell."""
    days: list[int] = []
    for seal, kept in _sealed(cursor, model, tenant, entity):
        whole = [each for each in kept if each.whole and not _begins(cursor, each, tenant)]
        for each in whole[:1] or kept:
            for newest_first in (False, True):
                everybody = each.days(cursor, tenant, before=seal, newest_first=newest_first)
                day = next((day for day, there in everybody if number in there), None)
                days += [] if day is None else [day]
    return days


def _known_from(cursor: Cursor, model: Model, tenant: str, entity: str) -> int | None:
    """From when on everything that came is in an event or a set; None where that is always so."""
    found = 0
    for seal, kept in _sealed(cursor, model, tenant, entity):
        begins = [_begins(cursor, each, tenant) for each in kept if each.whole]
        found = max(found, min(begins, default=seal))
    return found or None


def _sealed(cursor: Cursor, model: Model, tenant: str, entity: str) -> list[tuple[int, list[sets.Sets]]]:
    """The seals of the streams that have an entity, with the sets that are kept of it."""
    kept = sets.of_entity(cursor, model, entity)
    seals = {
        stream.name: sealing.seal_of(cursor, stream.name, tenant).events_from
        for stream in streams_of(model, entity)
    }
    return [(seal, [each for each in kept if each.stream == name]) for name, seal in seals.items() if seal]


def _begins(cursor: Cursor, kept: sets.Sets, tenant: str) -> int:
    asked = {"hash": kept.hash, "tenant": tenant, "measure": kept.measure}
    found = first_row(cursor, BEGINS, asked)
    return 0 if found is None else int(found[0])


def _first(event: int | None, day: int | None) -> Sight:
    """What is earlier. An event of that day may not be its first: another stream's may have gone."""
    if day is None or (event is not None and event < day):
        assert event is not None, "an event or a day has been found"
        return Sight(event, of_event=True)
    return Sight(day, of_event=False)


def _last(zone: Zone, event: int | None, day: int | None) -> Sight:
    """What is later, in the same way."""
    if day is None or (event is not None and event >= _day_after(zone, day)):
        assert event is not None, "an event or a day has been found"
        return Sight(event, of_event=True)
    return Sight(day, of_event=False)


def _day_after(zone: Zone, day: int) -> int:
    return zone.day_start(zone.date_of(day) + timedelta(days=1))

"""What happens in visits that are made up: pages that are seen, forms that are begun and sent, and leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.packs.web import simulated_shapes as shapes
from aforo.packs.web.simulated_visits import MICROSECONDS, Bools, Floats, Ints, Visits, chosen, trait

_DEVICE, _PLACE = 2, 3  # traits of a visitor
_STAMP = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True)
class Pages:
    """The page views of some visits as events, and when each visit's last page came into view (µs)."""

    table: pa.Table
    last: Ints


def pages_of(visits: Visits, seed: int, dice: np.random.Generator) -> Pages:
    """Every page of every visit, in the order in which they were seen."""
    of = np.repeat(np.arange(len(visits.at)), visits.pages)
    first = np.concatenate(([0], np.cumsum(visits.pages)[:-1]))
    place = np.arange(len(of)) - first[of]
    entrance, exit_ = place == 0, place == visits.pages[of] - 1
    bot = visits.bot[of]
    times = _times(visits, of, first, entrance, dice)
    path = np.where(
        entrance, chosen(shapes.LANDING, dice.random(len(of))), chosen(shapes.ONWARD, dice.random(len(of)))
    )
    device = _devices(visits.visitor, visits.bot, seed)[of]
    slow = np.where(device == 0, 1.7, 1.0)
    ids = pc.binary_join_element_wise(_word("p", visits.at[of]), _word("", place), "-")
    table = pa.table(
        {
            "id": ids,
            "time": pa.array(times, _STAMP),
            "event": _all("page_view", len(of)),
            **_who(visits, of, device, seed),
            "path": _named(shapes.PATHS, path),
            **_vitals(slow, bot, dice),
            "engaged_time_ms": _told(np.minimum(dice.lognormal(9.6, 1.0, len(of)), 3.6e6), bot),
            "scroll_depth_percent": _told(np.minimum(100, 100 * dice.beta(2.0, 1.4, len(of)) + 3), bot),
            "is_entrance": pa.array(entrance),
            "is_exit": pa.array(exit_),
            "is_conversion": pa.array(entrance & visits.sends_form[of]),
        }
    )
    return Pages(table, times[np.cumsum(visits.pages) - 1])


def forms_of(visits: Visits, pages: Pages, seed: int) -> pa.Table:
    """The forms that were begun, and those that were sent, on the last page of their visit."""
    device = _devices(visits.visitor, visits.bot, seed)
    parts = [
        _forms(
            "form_start",
            visits,
            np.flatnonzero(visits.begins_form),
            pages.last + 8 * MICROSECONDS,
            device,
            seed,
        ),
        _forms("form_submit", visits, np.flatnonzero(visits.sends_form), _sent(visits, pages), device, seed),
    ]
    return pa.concat_tables(parts)


def leads_of(visits: Visits, pages: Pages) -> pa.Table:
    """The leads whose forms were sent, two seconds later; somebody who comes again is the same lead."""
    of = np.flatnonzero(visits.becomes_lead)
    times = _sent(visits, pages)[of] + 2 * MICROSECONDS
    return pa.table(
        {
            "id": _word("l", visits.at[of]),
            "time": pa.array(times, _STAMP),
            "lead_id": _word("l", visits.visitor[of]),
            "visitor_id": _word("v", visits.visitor[of]),
            "form": _all(shapes.FORM, len(of)),
            "traffic_source": _named(shapes.SOURCES, visits.source[of]),
            "time_to_capture_ms": pa.array((times - visits.first_seen[of]) // 1_000),
        }
    )


def _sent(visits: Visits, pages: Pages) -> Ints:
    """When each visit's form was sent, if it was: half a minute to two and a half after its last page."""
    return pages.last + ((30 + 120 * trait(visits.at, 0, 0)) * MICROSECONDS).astype(np.int64)


def _forms(event: str, visits: Visits, of: Ints, times: Ints, device: Ints, seed: int) -> pa.Table:
    return pa.table(
        {
            "id": _word(event.replace("form_", "f-"), visits.at[of]),
            "time": pa.array(times[of], _STAMP),
            "event": _all(event, len(of)),
            **_who(visits, of, device[of], seed),
            "path": _all(shapes.FORM_PATH, len(of)),
            "form": _all(shapes.FORM, len(of)),
        }
    )


def _times(visits: Visits, of: Ints, first: Ints, entrance: Bools, dice: np.random.Generator) -> Ints:
    """A minute and some between two pages of a person, two seconds between those of a bot."""
    mean = np.where(visits.bot, 2.0, 75.0)[of]
    gaps = np.where(entrance, 0.0, dice.exponential(1.0, len(of)) * mean + 1.0)
    since = np.cumsum(gaps)
    since -= since[first][of]
    return visits.start[of] + (since * MICROSECONDS).astype(np.int64)


def _devices(visitor: Ints, bot: Bools, seed: int) -> Ints:
    return np.where(bot, len(shapes.DEVICES), chosen(shapes.OF_DEVICES, trait(visitor, seed, _DEVICE)))


def _who(visits: Visits, of: Ints, device: Ints, seed: int) -> dict[str, pa.Array]:
    """What is the same for all that happens in a visit."""
    place = chosen(shapes.OF_PLACES, trait(visits.visitor[of], seed, _PLACE))
    return {
        "visitor_id": _word("v", visits.visitor[of]),
        "traffic_source": _named(shapes.SOURCES, visits.source[of]),
        "device_type": _named((*shapes.DEVICES, shapes.BOT), device),
        **{
            name: _named(tuple(each[at] for each in shapes.PLACES), place)
            for at, name in enumerate(("country", "region", "city"))
        },
    }


def _vitals(slow: Floats, bot: Bools, dice: np.random.Generator) -> dict[str, pa.Array]:
    """How fast pages came: none for bots, and for one person in twenty the browser tells nothing."""
    rows = len(slow)
    silent = bot | (dice.random(rows) < 0.05)
    ttfb = dice.lognormal(4.9, 0.6, rows) * slow
    fcp = ttfb + dice.lognormal(6.4, 0.5, rows) * slow
    return {
        "ttfb_ms": _told(ttfb, silent),
        "fcp_ms": _told(fcp, silent),
        "lcp_ms": _told(fcp + dice.lognormal(6.3, 0.7, rows) * slow, silent),
        "inp_ms": _told(dice.lognormal(4.5, 0.7, rows) * slow, silent),
        "cls_score": pa.array(np.round(dice.exponential(0.06, rows), 4), mask=silent),
    }


def _told(values: Floats, silent: Bools) -> pa.Array:
    """Whole numbers, and nothing where nothing is told."""
    return pa.array(
        np.minimum(values, 500_000).astype(np.int64) if len(values) else [], pa.int64(), mask=silent
    )


def _word(letter: str, numbers: Ints) -> pa.Array:
    return pc.binary_join_element_wise(letter, pc.cast(pa.array(numbers), pa.string()), "")


def _named(names: tuple[str, ...], which: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(which))


def _all(value: str, rows: int) -> pa.Array:
    return _named((value,), np.zeros(rows, np.int64))

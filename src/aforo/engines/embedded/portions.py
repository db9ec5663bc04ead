"""Parts of a fold by days: what is written at once, and what others have not overtaken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.folds import Folded, FoldedPeriod, Period
from aforo.windows import SLOT

Chosen = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


def portions(folded: Folded, max_rows: int | None) -> Iterator[Folded]:
    """The fold as parts of whole days, each of about `max_rows` rows, but of one day at least."""
    if max_rows is None or folded.rows_written <= max_rows:
        yield folded
        return
    days_of_rows = _days_of_rows(folded)
    rows = sum(
        (np.bincount(each, minlength=len(folded.days)) for each in days_of_rows),
        start=np.zeros(len(folded.days), np.int64),
    )
    number = (np.cumsum(rows) - rows) // max_rows
    for each in np.unique(number):
        yield _only(folded, number == each, days_of_rows)


def only(folded: Folded, chosen: Chosen) -> Folded:
    """What was folded of the chosen days."""
    return _only(folded, chosen, _days_of_rows(folded))


def _only(folded: Folded, chosen: Chosen, days_of_rows: list[Numbers]) -> Folded:
    slots = chosen[folded.day_of]
    places = {Period.SLOT: folded.claim.slots.only(slots), Period.DAY: folded.days.only(chosen)}
    return Folded(
        claim=replace(folded.claim, slots=places[Period.SLOT]),
        as_of=folded.as_of,
        day_of=(np.cumsum(chosen) - 1)[folded.day_of[slots]],
        days=places[Period.DAY],
        revisions=folded.revisions[chosen],
        periods=tuple(
            FoldedPeriod(
                each.rollup,
                each.period,
                places[each.period],
                each.whole[slots if each.period is Period.SLOT else chosen],
                each.rows.filter(pa.array(chosen[days])),
            )
            for each, days in zip(folded.periods, days_of_rows, strict=True)
        ),
        held=folded.held[slots],
        merged=folded.merged[slots],
        rows_read=folded.rows_read,
    )


def _days_of_rows(folded: Folded) -> list[Numbers]:
    """For each period, in order: the place in `folded.days` of the day of each row."""
    names, codes = np.unique(folded.days.tenants, return_inverse=True)
    known = {name: code for code, name in enumerate(names.tolist())}
    keys = {
        Period.SLOT: codes[folded.day_of] << 32 | folded.claim.slots.starts // SLOT,
        Period.DAY: codes << 32 | folded.days.starts // SLOT,
    }
    found = []
    for period in folded.periods:
        at = np.searchsorted(keys[period.period], _keys(period.rows, known))
        found.append(folded.day_of[at] if period.period is Period.SLOT else at)
    return found


def _keys(table: pa.Table, codes: Mapping[str, int]) -> Numbers:
    tenants = table["tenant"].combine_chunks().dictionary_encode()
    own = np.array([codes[name] for name in tenants.dictionary.to_pylist()], np.int64)
    starts: Numbers = table["start"].cast(pa.int64()).to_numpy()
    keys: Numbers = own[tenants.indices.to_numpy()] << 32 | starts // SLOT
    return keys

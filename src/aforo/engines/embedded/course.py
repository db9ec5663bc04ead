"""How each slot and day is folded: merged with what is kept of it, or made anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.embedded.calendar import SPANS, Calendar, stretches
from aforo.engines.embedded.held import REPLACED, Holding

Numbers = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]

NEVER = 2**62
"""Later than every commit."""

SLOT_AT = "__slot_at"
DAY_AT = "__day_at"
"""The columns that tell of a slot, and of its day, where they stand in the calendar."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events from `start` to `end` of commits after `after`."""

    start: int
    end: int
    after: int


@dataclass(frozen=True, slots=True)
class Course:
    """Of each slot of a calendar: whether it is merged with what is kept, and what is read of it.

    Those are the events of commits later than `after` and no later than `until`. A day is merged where all of
    its claimed slots are, `daily` by slot; else it is made of its slots, or of its events where a rollup has
    no finer grain (`of_events`): those that no fold has read yet are then left to the fold that will.
    """

    calendar: Calendar
    holding: Holding
    of_events: bool
    merging: Chosen
    daily: Chosen
    after: Numbers
    until: Numbers

    @classmethod
    def of(cls, calendar: Calendar, holding: Holding, strange: Chosen, *, of_events: bool) -> Course:
        """`strange` are slots that marks do not tell of rightly: they are made anew."""
        held = holding.commits > REPLACED
        merging = calendar.dirty & held & (holding.marked > REPLACED) & ~strange
        made_anew = np.bincount(calendar.day_of, calendar.dirty & ~merging, len(calendar.days)) > 0
        daily = ~made_anew[calendar.day_of]
        if of_events:
            merging = merging & daily
        after = np.where(calendar.dirty, np.where(merging, holding.commits, REPLACED), NEVER)
        until = np.full(len(after), NEVER)
        if of_events:
            beside = ~calendar.dirty & ~daily
            after[beside] = REPLACED
            until[beside & held] = holding.commits[beside & held]
        return cls(calendar, holding, of_events, merging, daily, after, until)

    def without(self, strange: Chosen) -> Course:
        """The same with some of the claimed slots made anew."""
        here = np.zeros(len(self.merging), np.bool_)
        here[self.calendar.dirty] = strange
        return Course.of(self.calendar, self.holding, here, of_events=self.of_events)

    def strange(self, events: Numbers) -> Chosen:
        """The claimed slots that are merged though other events came than their marks say."""
        dirty = self.calendar.dirty
        strange: Chosen = self.merging[dirty] & (events != self.holding.marked[dirty])
        return strange

    @property
    def whole_slots(self) -> Chosen:
        """The claimed slots of which all rows are replaced."""
        return ~self.merging[self.calendar.dirty]

    @property
    def whole_days(self) -> Chosen:
        """The days of which all rows are replaced."""
        return np.bincount(self.calendar.day_of, ~self.daily, len(self.calendar.days)) > 0

    def stretches(self) -> list[Stretch]:
        """Where the events to read are: apart in time, none read that is not needed."""
        read = self.after < NEVER
        slots, after = self.calendar.slots.starts[read], self.after[read]
        found = []
        for start, end in stretches(slots, SPANS):
            within = (slots >= start) & (slots < end)
            found.append(Stretch(start, end, int(after[within].min())))
        return found

    def table(self) -> pa.Table:
        """The calendar with the course, as SQL reads it."""
        columns = {
            "__merging": self.merging,
            "__daily": self.daily,
            "__after": self.after,
            "__until": self.until,
            SLOT_AT: np.arange(len(self.merging), dtype=np.int32),
            DAY_AT: self.calendar.day_of.astype(np.int32),
        }
        table = self.calendar.table()
        for name, values in columns.items():
            table = table.append_column(name, pa.array(values))
        return table

"""One rollup's rows of some days, and what they are held against."""

from __future__ import annotations

from dataclasses import dataclass

from aforo.engines.drifted import Against
from aforo.engines.embedded.layout import RollupLayout
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.folds import Period
from aforo.windows import Window

PICKED = "drift_picked"
CALENDAR = "drift_calendar"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rows of one rollup and period within `within`, and what they are held against.

    The registered `CALENDAR` has every slot of the days that are compared, the day each is of, and whether
    the slot or any of its day waits for a fold: such are left out on both sides. The events are those of the
    temporary table `PICKED`.
    """

    stream: str
    tenant: str
    layout: RollupLayout
    period: Period
    against: Against
    within: Window

    @property
    def dimensions(self) -> str:
        return "".join(f", {name}" for name in self.layout.dimensions)

    @property
    def start(self) -> str:
        """The start of the row that an event, or a slot of the calendar, belongs to."""
        return "__slot" if self.period is Period.SLOT else "__day"

    @property
    def settled(self) -> str:
        """The condition that leaves out what waits."""
        return "NOT __slot_waits" if self.period is Period.SLOT else "NOT __day_waits"

    def picked(self) -> str:
        """The events that are compared."""
        return f"FROM {PICKED} WHERE {self.settled}"

    def kept(self, parameters: Parameters, period: Period | None = None) -> str:
        """The kept rows that are compared, each with its slot and day."""
        return f"""
            FROM {self.layout.table(period or self.period)}
            JOIN {CALENDAR} ON __slot = start AND {self.settled}
            WHERE tenant = {parameters.bind(self.tenant)}
                AND start >= {parameters.bind_time(self.within.start)}
                AND start < {parameters.bind_time(self.within.end)}
        """

"""Series of our own rollups: a metric of the model by the tenant's days, asked like any other question."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.runs.series import Series
from aforo.windows import Window, Zone


class MeasuredSeries:
    """Reads from the first day that has events to the last; as new as what is folded when it reads.

    `extent` tells from when to when a stream has events of a tenant, `zone` a tenant's zone.
    """

    def __init__(
        self,
        desk: Desk,
        extent: Callable[[str, str], Window | None],
        zone: Callable[[str], Zone],
    ) -> None:
        self._desk = desk
        self._extent = extent
        self._zone = zone

    def __call__(
        self,
        dataset_id: str,
        manifest_uri: str,  # noqa: ARG002  (what is folded by now is asked)
        column: str,
    ) -> Series:
        """The values of the metric `column`, null where it has none. Raises as questions do."""
        _, stream, tenant = dataset_id.split(":", 2)
        extent, unit = self._extent(stream, tenant), self._unit(column)
        if extent is None:
            return Series(np.array([], "datetime64[D]"), np.array([], np.float64), unit)
        zone = self._zone(tenant)
        asked = Asked(
            tenant=tenant,
            metrics=(column,),
            from_=zone.date_of(extent.start).isoformat(),
            to=zone.date_of(extent.end - 1).isoformat(),
            grain="day",
        )
        rows = self._desk.ask(asked).rows
        dates = np.array([str(row["time"])[:10] for row in rows], "datetime64[D]")
        values = np.array(
            [np.nan if row[column] is None else float(str(row[column])) for row in rows], np.float64
        )
        return Series(dates, values, unit)

    def _unit(self, column: str) -> str | None:
        return self._desk.model.metric(column).unit or None

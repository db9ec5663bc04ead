"""What a model file declares, before it is known to be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aforo.model.formula import Formula, measures
from aforo.model.metric import Format
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSheet:
    """A metric as written: its stream may still have to follow from its measures."""

    name: str
    stream: str | None
    formula: Formula | None
    text: str
    unit: str
    format: Format
    owner: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Declarations, some of which may stand in for faulty ones: `sound(path)` tells them apart."""

    streams: Mapping[str, Stream]
    metrics: Mapping[str, MetricSheet]
    tenants: Mapping[str, Tenant]
    sound: Callable[[str], bool]

    def streams_of(self, metric: MetricSheet) -> tuple[Stream, ...]:
        """The streams that have every measure the metric uses; only the one it names, where it names one."""
        used = () if metric.formula is None else measures(metric.formula)
        return tuple(
            stream
            for stream in self.streams.values()
            if metric.stream in (None, stream.name) and all(name in stream.measures for name in used)
        )

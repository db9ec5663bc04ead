"""The stream that is there without being declared: what became of everything that arrived.

Its rows are the engine's own counts, one for each slot of arrival, tenant, stream and outcome; nobody sends
its events. Ingest success is the share of arrivals that are safe: an event that comes again is as safe as it
was the first time, so the share is the same however often a sender repeats a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aforo.model import formula as formulas
from aforo.model.condition import parse
from aforo.model.field import Field, FieldType
from aforo.model.measure import Measure, MeasureKind
from aforo.model.metric import Format, Metric
from aforo.model.rollup import Rollup
from aforo.model.stream import Stream

NAME = "ingest"
ACCEPTED = "accepted"
DUPLICATE = "duplicate"
SEALED = "sealed"  # the one refusal that an engine finds itself

_FIELDS = (
    Field(name="stream", type=FieldType.STRING, description="Whose events; ? where none has that name"),
    Field(
        name="reason",
        type=FieldType.STRING,
        description=f"{ACCEPTED}, {DUPLICATE}, or the code of the refusal",
    ),
    Field(name="events", type=FieldType.INTEGER, unit="events", description="How many arrived"),
    Field(name="bytes", type=FieldType.INTEGER, unit="bytes", description="How much they brought"),
)


def _sum(name: str, field: str, where: str) -> Measure:
    return Measure(name=name, kind=MeasureKind.SUM, field=field, where=parse(where) if where else ())


_MEASURES = (
    _sum("accepted", "events", f"reason = '{ACCEPTED}'"),
    _sum("duplicates", "events", f"reason = '{DUPLICATE}'"),
    _sum("refused", "events", f"reason != '{ACCEPTED}' and reason != '{DUPLICATE}'"),
    _sum("arrived", "events", ""),
    _sum("bytes_arrived", "bytes", ""),
)

STREAM = Stream(
    name=NAME,
    description="What became of everything that arrived, by the slot of its arrival",
    fields={field.name: field for field in _FIELDS},
    entities={},
    measures={measure.name: measure for measure in _MEASURES},
    rollups={
        "ledger": Rollup(
            name="ledger",
            dimensions=("stream", "reason"),
            days=False,
            measures=tuple(measure.name for measure in _MEASURES),
        )
    },
    ledger=True,
)


def _metric(name: str, formula: str, unit: str, format_: Format, description: str) -> Metric:
    parsed = formulas.parse(formula)
    return Metric(
        name=name,
        stream=NAME,
        formula=parsed,
        text=formula,
        unit=unit,
        format=format_,
        owner="aforo",
        description=description,
        measures=formulas.measures(parsed),
    )


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        each.name: each
        for each in (
            _metric("ingest_accepted", "accepted", "events", Format.INTEGER, "Events kept"),
            _metric(
                "ingest_duplicates", "duplicates", "events", Format.INTEGER, "Events that were there already"
            ),
            _metric("ingest_refused", "refused", "events", Format.INTEGER, "Events not taken"),
            _metric("ingest_bytes", "bytes_arrived", "bytes", Format.INTEGER, "What came, uncompressed"),
            _metric(
                "ingest_success_rate",
                "(accepted + duplicates) / arrived",
                "",
                Format.PERCENT,
                "Share of arrivals that are kept, whether they came now or before",
            ),
        )
    }
)
STREAMS: Mapping[str, Stream] = MappingProxyType({NAME: STREAM})

"""Rules on metrics: what a formula names exists, belongs together and has an answer."""

from __future__ import annotations

from collections.abc import Iterator

from aforo.model.findings import FaultCode, Finding, no_such
from aforo.model.formula import Distribution, Number, Percentile, Sighted, leaves, measures
from aforo.model.measure import MeasureKind
from aforo.model.sheet import MetricSheet, Sheet


def streams_are_known(sheet: Sheet) -> Iterator[Finding]:
    """A metric that names its stream names one that exists."""
    for metric in sheet.metrics.values():
        if metric.stream is not None and metric.stream not in sheet.streams:
            path = f"metrics.{metric.name}.stream"
            yield path, FaultCode.UNKNOWN_NAME, no_such("stream", metric.stream, sheet.streams)


def measures_are_of_one_stream(sheet: Sheet) -> Iterator[Finding]:
    """All measures of a formula exist, in one stream, and it is plain in which."""
    for metric in sheet.metrics.values():
        path = f"metrics.{metric.name}"
        if metric.formula is None or not sheet.sound(f"{path}.stream"):
            continue
        used = measures(metric.formula)
        known = _known(sheet, metric)
        missing = [name for name in used if name not in known]
        for name in missing:
            yield f"{path}.formula", FaultCode.UNKNOWN_NAME, no_such("measure", name, known)
        if not used:
            yield f"{path}.formula", FaultCode.BAD_FORMULA, "the formula uses no measure"
        elif not missing:
            yield from _of_one_stream(sheet, metric, known)


def _of_one_stream(sheet: Sheet, metric: MetricSheet, known: dict[str, list[str]]) -> Iterator[Finding]:
    streams = [stream.name for stream in sheet.streams_of(metric)]
    if len(streams) > 1:
        message = f"its measures are in several streams; say stream: {' or stream: '.join(streams)}"
        yield f"metrics.{metric.name}", FaultCode.CONTRADICTION, message
    if not streams and metric.formula is not None:
        where = ", ".join(f"{name} of {known[name][0]}" for name in measures(metric.formula))
        message = f"a formula uses measures of one stream, but {where} came"
        yield f"metrics.{metric.name}.formula", FaultCode.CONTRADICTION, message


def measures_answer_as_used(sheet: Sheet) -> Iterator[Finding]:
    """A histogram answers by percentile or as a distribution, and only that does; of sets some are new."""
    for metric in sheet.metrics.values():
        path = f"metrics.{metric.name}.formula"
        streams = sheet.streams_of(metric)
        if metric.formula is None or len(streams) != 1:
            continue
        stream = streams[0]
        for leaf in leaves(metric.formula):
            if isinstance(leaf, Number):
                continue
            place = f"streams.{stream.name}.measures.{leaf.measure}"
            if not sheet.sound(place):
                continue
            kind = stream.measures[leaf.measure].kind
            of_histogram = isinstance(leaf, Percentile | Distribution)
            if of_histogram and kind is not MeasureKind.HISTOGRAM:
                function = type(leaf).__name__.lower()
                message = f"{function} is of a histogram, but {leaf.measure} is a {kind}"
                yield path, FaultCode.BAD_FORMULA, message
            if isinstance(leaf, Sighted) and kind is not MeasureKind.DISTINCT:
                message = f"{leaf.sighting} is of a distinct measure, but {leaf.measure} is a {kind}"
                yield path, FaultCode.BAD_FORMULA, message
            elif not of_histogram and kind is MeasureKind.HISTOGRAM:
                message = f"{leaf.measure} is a histogram; write percentile({leaf.measure}, 50) or another"
                yield path, FaultCode.BAD_FORMULA, message


def _known(sheet: Sheet, metric: MetricSheet) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {}
    for stream in sheet.streams.values():
        if metric.stream in (None, stream.name):
            for name in stream.measures:
                known.setdefault(name, []).append(stream.name)
    return known

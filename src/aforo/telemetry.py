"""What Aforo tells of itself: one typed list of metrics, and logs for people or for machines."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from structlog.typing import Processor

T = TypeVar("T")
M = TypeVar("M", Counter, Gauge, Histogram)

PREFIX = "aforo"
EXPOSITION_TYPE = CONTENT_TYPE_LATEST


class Kind(StrEnum):
    """How a metric behaves: only up, up and down, or a distribution."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """One metric of Aforo itself, named without its prefix; `buckets` are a histogram's upper bounds."""

    name: str
    kind: Kind
    sentence: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1.0, 10.0, 100.0, 1_000.0, 5_000.0, 10_000.0, 50_000.0, 100_000.0, 500_000.0)

METRICS: tuple[OwnMetric, ...] = (
    OwnMetric("events_accepted_total", Kind.COUNTER, "Events committed.", ("stream",)),
    OwnMetric("events_duplicate_total", Kind.COUNTER, "Events that were there already.", ("stream",)),
    OwnMetric("events_refused_total", Kind.COUNTER, "Events not taken, by reason.", ("stream", "code")),
    OwnMetric("commit_seconds", Kind.HISTOGRAM, "Time one commit of events took.", (), _SECONDS),
    OwnMetric("commit_rows", Kind.HISTOGRAM, "Events in one commit.", (), _ROWS),
    OwnMetric("intake_queue_rows", Kind.GAUGE, "Events that wait for their commit."),
    OwnMetric("fold_seconds", Kind.HISTOGRAM, "Time one fold took.", (), _SECONDS),
    OwnMetric(
        "event_to_fold_seconds",
        Kind.HISTOGRAM,
        "Time from a commit's acknowledgement until all of it was folded; more than 300 is late.",
        ("stream",),
        (*_SECONDS, 60.0, 120.0, 300.0, 600.0, 3_600.0),
    ),
    OwnMetric("fold_slots_total", Kind.COUNTER, "Slots made true again."),
    OwnMetric("claims_lost_total", Kind.COUNTER, "Folds that came to write after their claim had ended."),
    OwnMetric("events_purged_total", Kind.COUNTER, "Raw events past their retention.", ("stream",)),
    OwnMetric("ledger_slots", Kind.GAUGE, "Slots that wait for their fold."),
    OwnMetric("periods_built_total", Kind.COUNTER, "Weeks and months put together from their days."),
    OwnMetric("period_seconds", Kind.HISTOGRAM, "Time it took to put some of them together.", (), _SECONDS),
    OwnMetric(
        "drift_last_differences", Kind.GAUGE, "Differences that the last drift check found; raise an alarm."
    ),
    OwnMetric("drift_differences_total", Kind.COUNTER, "States not what the events say.", ("stream",)),
    OwnMetric("drift_days_total", Kind.COUNTER, "Days of tenants held against their events."),
    OwnMetric("drift_seconds", Kind.HISTOGRAM, "Time one drift check took.", (), _SECONDS),
    OwnMetric("returned_ids", Kind.GAUGE, "Ids the last drift check saw under more than one time."),
    OwnMetric("compaction_step_seconds", Kind.HISTOGRAM, "Time one step took.", (), _SECONDS),
    OwnMetric("compaction_events_moved_total", Kind.COUNTER, "Events moved to lie in order of time."),
    OwnMetric("file_bytes", Kind.GAUGE, "What the engine's file and its log take on the disk."),
    OwnMetric("file_free_bytes", Kind.GAUGE, "Room in the file that is used again by what comes."),
    OwnMetric("file_bytes_per_event", Kind.GAUGE, "Bytes of the file for an event, with all it holds."),
    OwnMetric("events_out_of_order", Kind.GAUGE, "Events in blocks that overlap others in time."),
    OwnMetric("questions_total", Kind.COUNTER, "Questions answered, by what was read.", ("source",)),
    OwnMetric("questions_joined_total", Kind.COUNTER, "Questions told what was read for an equal one."),
    OwnMetric("question_seconds", Kind.HISTOGRAM, "Time one answer took.", (), _SECONDS),
    OwnMetric("cache_hits_total", Kind.COUNTER, "Questions answered from what was kept."),
    OwnMetric("cache_misses_total", Kind.COUNTER, "Questions read anew and kept."),
    OwnMetric("cache_evicted_total", Kind.COUNTER, "Kept answers that went for room in memory."),
    OwnMetric("cache_warmed_total", Kind.COUNTER, "Named questions that were asked ahead."),
    OwnMetric("cache_failures_total", Kind.COUNTER, "Times that Redis did not do what it was asked."),
    OwnMetric("cache_bytes", Kind.GAUGE, "Memory that kept answers take."),
    OwnMetric("cache_entries", Kind.GAUGE, "Answers kept in memory."),
    OwnMetric("bus_received_total", Kind.COUNTER, "Messages given out by a queue.", ("queue",)),
    OwnMetric("bus_handled_total", Kind.COUNTER, "Messages that were dealt with.", ("queue",)),
    OwnMetric("bus_failed_total", Kind.COUNTER, "Messages given back, to be tried again.", ("queue",)),
    OwnMetric("bus_rejected_total", Kind.COUNTER, "Messages that are not what they should be.", ("queue",)),
    OwnMetric(
        "bus_buried_total", Kind.COUNTER, "Messages set aside: rejected, or failed too often.", ("queue",)
    ),
    OwnMetric("bus_handle_seconds", Kind.HISTOGRAM, "Time one message took.", ("queue",), _SECONDS),
    OwnMetric(
        "bus_sent_to_handled_seconds",
        Kind.HISTOGRAM,
        "Time from a message's sending until it was dealt with.",
        ("queue",),
        (*_SECONDS, 60.0, 300.0, 3_600.0),
    ),
    OwnMetric(
        "worker_runs_total",
        Kind.COUNTER,
        "Runs that the built-in worker answered, by `succeeded` or the code of the failure.",
        ("outcome",),
    ),
    OwnMetric("worker_run_seconds", Kind.HISTOGRAM, "Time from a request to its answer.", (), _SECONDS),
    OwnMetric("run_events_total", Kind.COUNTER, "What was told of updates and runs.", ("kind",)),
    OwnMetric(
        "run_seconds",
        Kind.HISTOGRAM,
        "Time from when a run was made to its end.",
        ("state",),
        (*_SECONDS, 60.0, 300.0, 1_800.0, 7_200.0),
    ),
    OwnMetric(
        "run_rows_forgotten_total",
        Kind.COUNTER,
        "Rows of runs that were kept for a time only, by the table they were in.",
        ("table",),
    ),
    OwnMetric(
        "result_files_removed_total", Kind.COUNTER, "Files of attempts of runs that were over and not taken."
    ),
    OwnMetric("outbox_sent_total", Kind.COUNTER, "Messages that the bus has taken."),
    OwnMetric("outbox_dead_total", Kind.COUNTER, "Messages that the bus would not take."),
    OwnMetric("outbox_seconds", Kind.HISTOGRAM, "Time a message was in the outbox.", (), _SECONDS),
    OwnMetric("http_requests_total", Kind.COUNTER, "Requests replied to.", ("route", "status")),
    OwnMetric("http_request_seconds", Kind.HISTOGRAM, "Time one reply took.", ("route",), _SECONDS),
)


class Telemetry:
    """The metrics of one process; every instance has its own, so two in one process never mix.

    A name that is not listed under that kind raises KeyError, a wrong label ValueError: mistakes of ours.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._labelled: dict[tuple[object, ...], Any] = {}
        for metric in METRICS:
            self._add(metric)

    def count(self, name: str, n: float = 1, **labels: str | int) -> None:
        """Raises a counter by `n`."""
        self._series(_found(self._counters, Kind.COUNTER, name), name, labels).inc(n)

    def set(self, name: str, value: float, **labels: str | int) -> None:
        """Moves a gauge to `value`."""
        self._series(_found(self._gauges, Kind.GAUGE, name), name, labels).set(value)

    def observe(self, name: str, value: float, /, **labels: str | int) -> None:
        """Adds one value, in the metric's own unit, to a histogram."""
        self._series(_found(self._histograms, Kind.HISTOGRAM, name), name, labels).observe(value)

    def exposition(self) -> bytes:
        """All metrics in the text form that Prometheus reads; its content type is EXPOSITION_TYPE."""
        return generate_latest(_WithoutBirthdays(self._registry))

    def _series(self, metric: M, name: str, labels: Mapping[str, str | int]) -> M:
        """The metric with these labels, looked for once: the library compares their names each time."""
        if not labels:
            return metric
        key = (name, *labels.items())
        found: M | None = self._labelled.get(key)
        if found is None:
            found = self._labelled[key] = metric.labels(**labels)
        return found

    def _add(self, metric: OwnMetric) -> None:
        name, sentence, labels, registry = metric.name, metric.sentence, metric.labels, self._registry
        match metric.kind:
            case Kind.COUNTER:
                self._counters[name] = Counter(name, sentence, labels, PREFIX, registry=registry)
            case Kind.GAUGE:
                self._gauges[name] = Gauge(name, sentence, labels, PREFIX, registry=registry)
            case Kind.HISTOGRAM:
                self._histograms[name] = Histogram(
                    name, sentence, labels, PREFIX, registry=registry, buckets=metric.buckets
                )


class _WithoutBirthdays(Collector):
    """The registry without the series that only say when each counter was made: half of all lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


def _found(metrics: Mapping[str, T], kind: Kind, name: str) -> T:
    if name not in metrics:
        raise KeyError(f"there is no {kind} named {name!r}; METRICS lists them")
    return metrics[name]


def configure_logging(level: str, fmt: str, stream: TextIO) -> None:
    """Sends what this process tells, also through `logging`, to the stream: `text` lines or `json` objects.

    Called once by whoever owns the process; calling it again replaces what it did.
    """
    threshold, rendering = logging.getLevelNamesMapping()[level.upper()], _rendering(fmt, stream)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)


def _rendering(fmt: str, stream: TextIO) -> list[Processor]:
    match fmt:
        case "json":
            # Without locals: they hold keys and events.
            traces = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            as_objects = structlog.processors.ExceptionRenderer(traces)
            return [as_objects, structlog.processors.JSONRenderer(default=str)]
        case "text":
            plain = structlog.dev.plain_traceback
            return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
        case _:
            raise ValueError(f"a log is written as text or json, not as {fmt!r}")

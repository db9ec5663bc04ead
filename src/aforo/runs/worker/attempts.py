"""One request from its body to the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import structlog

from aforo.clock import Clock
from aforo.errors import (
    AforoError,
    BusUnavailable,
    InvalidRequest,
    MessageRejected,
    ObjectsUnavailable,
    RollupReplaced,
    Stopping,
    StorageError,
)
from aforo.runs.messages import MetricRunRequestEvent, decode
from aforo.runs.worker.answers import Answers
from aforo.runs.worker.children import Children
from aforo.runs.worker.course import Course, Stage
from aforo.runs.worker.failures import MISTAKE, failed
from aforo.runs.worker.gathering import Gathering
from aforo.runs.worker.job import Failed, Job
from aforo.runs.worker.publishing import Published, Shelves
from aforo.settings import Worker as Rules
from aforo.telemetry import Telemetry

log = structlog.get_logger(__name__)

PASSING = (BusUnavailable, ObjectsUnavailable, RollupReplaced, StorageError, Stopping)
"""Errors that say nothing of the run: the request is given back, and tried again here or elsewhere."""


class Attempts:
    """All attempts of one worker that are under way; each is one thread's."""

    def __init__(
        self,
        answers: Answers,
        gathering: Gathering,
        shelves: Shelves,
        children: Children,
        clock: Clock,
        telemetry: Telemetry,
        rules: Rules,
    ) -> None:
        self._answers = answers
        self._gathering = gathering
        self._shelves = shelves
        self._children = children
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._lock = Lock()
        self._going: set[Course] = set()

    def take(self, body: bytes) -> None:
        """Computes what a request asks for, and answers; a request may come twice.

        Raises MessageRejected for what is no request, and the PASSING errors where it is to be tried again.
        """
        asked = _request(body)
        bound = structlog.contextvars.bound_contextvars(run=asked.run_id, attempt=asked.attempt)
        with bound, self._under_way(asked) as course:
            self._answers.started(asked)
            self._answer(course, self._became(course))

    def beat(self) -> None:
        """Tells of every attempt under way that it is; one that cannot be told of keeps back no other."""
        with self._lock:
            going = list(self._going)
        for course in going:
            try:
                self._answers.beat(course.request, course.progress)
            except BusUnavailable as error:
                log.warning("a heartbeat could not be sent", run=course.request.run_id, detail=error.detail)

    @contextmanager
    def _under_way(self, asked: MetricRunRequestEvent) -> Iterator[Course]:
        course = Course(asked, self._clock, self._rules.time_limit_seconds, lambda: self._children.ended)
        with self._lock:
            self._going.add(course)
        try:
            yield course
        finally:
            with self._lock:
                self._going.discard(course)

    def _became(self, course: Course) -> Published | Failed:
        """The result, or why there is none; what is passing is raised."""
        try:
            return self._computed(course)
        except PASSING:
            raise
        except AforoError as error:
            return failed(error)
        except OSError as error:
            raise StorageError(
                f"this machine could not do its part of a run: {error}", hint="is there room on its disk?"
            ) from error
        except Exception:
            log.exception("a run met a mistake of ours")
            return MISTAKE

    def _computed(self, course: Course) -> Published | Failed:
        shelf = self._shelves.of(course.request)
        already = shelf.published()
        if already is not None:
            return already
        with TemporaryDirectory(prefix="aforo-run-") as named:
            folder = Path(named)
            job = self._job(course, folder)
            course.reached(Stage.COMPUTING)
            outcome = self._children.evaluate(folder, job, course.seconds_left)
            if isinstance(outcome, Failed):
                return outcome
            course.reached(Stage.PUBLISHING)
            return shelf.publish(folder, outcome, self._answers.now(), self._answers.worker)

    def _job(self, course: Course, folder: Path) -> Job:
        return Job(
            expression_type=course.request.expression_type,
            expression_json=course.request.expression_json,
            sources=self._gathering.gather(course, folder),
            memory_bytes=self._rules.memory_mb * 2**20,
            most_rows=self._rules.max_rows,
        )

    def _answer(self, course: Course, became: Published | Failed) -> None:
        asked = course.request
        match became:
            case Published():
                self._answers.succeeded(asked, became)
                log.info("a run succeeded", metric=asked.metric_code, rows=became.row_count)
            case Failed():
                self._answers.failed(asked, became)
                log.warning("a run failed", metric=asked.metric_code, code=became.code, detail=became.message)
        outcome = became.code if isinstance(became, Failed) else "succeeded"
        self._telemetry.count("worker_runs_total", outcome=outcome)
        self._telemetry.observe("worker_run_seconds", course.seconds)


def _request(body: bytes) -> MetricRunRequestEvent:
    try:
        return decode(body, MetricRunRequestEvent)
    except InvalidRequest as error:
        raise MessageRejected(error.detail, hint=error.hint) from error

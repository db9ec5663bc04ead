"""The command line's verbs over HTTP, through the server that holds the data directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import quote, urlencode

import pyarrow.compute as pc

from aforo.assembly.loading import IN_FLIGHT, Loaded, Progress, load
from aforo.assembly.order import LoadOrder
from aforo.client import Connection, NoAnswer, Problem
from aforo.clock import Clock
from aforo.engines.refused import SampleLimits
from aforo.errors import BodyTooLarge, Fault, IntakeFull, TooManyRequests, Unreachable, of_code
from aforo.events.draft import Draft
from aforo.events.identity import Occurrences
from aforo.events.readers import Chunk
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal, RefusalCode
from aforo.events.samples import Refused
from aforo.events.steps import UNTIMED, Rules, as_table, walk
from aforo.model.field import FieldType
from aforo.model.model import Model
from aforo.settings import Settings

T = TypeVar("T")
Events = Sequence[Mapping[str, object]]
EVENTS_PER_REQUEST = 5_000
KINDS_PER_REPORT = 1_000
TRIES = 20
COME_BACK = (429, 503)
DRIFT_SECONDS = 3_600.0
LOOK_SECONDS = 1.0


class Remote:
    """Speaks to a server; files are read and held to the model here, and sent as events with their ids.

    `model` reads the model, which only loading needs: a server can be asked from where no model is.
    """

    def __init__(
        self, connection: Connection, model: Callable[[], Model], settings: Settings, clock: Clock
    ) -> None:
        self._connection = connection
        self._model = model
        self._settings = settings
        self._clock = clock

    def ask(self, question: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.query(question))

    def ask_as(self, question: Mapping[str, object], kind: str) -> bytes:
        return called(lambda: self._connection.query_as(question, kind))

    def retention(self, question: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/retention", question))

    def funnel(self, question: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/funnel", question))

    def seen(self, asked: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/seen", asked))

    def ask_explained(self, question: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/query/explain", question))

    def explain(self, metric: str, asked: Mapping[str, str]) -> dict[str, object]:
        path = f"/v1/metrics/{quote(metric, safe='')}/explain?{urlencode(asked)}"
        return called(lambda: self._connection.get(path))

    def load(self, chunks: Iterable[Chunk], order: LoadOrder, progress: Progress) -> Loaded:
        model, occurrences = self._model(), Occurrences()
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="aforo-send") as pool:

            def sink(draft: Draft, refusals: tuple[Refusal, ...], _size: int) -> Future[Receipt]:
                rules = Rules(
                    self._clock.now(), self._settings.intake.future_seconds, order.tenant, occurrences
                )
                # Walked here and in order, since equal rows of a file are told apart by it.
                whole, refused = walk(draft, rules)
                found = Refused(SampleLimits())
                found.add_unread(draft.stream.name, order.tenant, refusals)
                for refusal in refused:
                    found.add_of(draft, refusal, order.tenant)
                return pool.submit(self._send, whole, (*refusals, *refused), found)

            return load(
                chunks,
                order,
                model,
                sink,
                progress,
                rows_in_flight=self._settings.intake.queue_rows,
            )

    def fold(self, progress: Callable[[int], None]) -> dict[str, object]:
        reply = called(lambda: self._connection.post("/v1/fold", {}))
        progress(int(str(reply.get("slots", 0))))
        return reply

    def drift(self, sample_days: int | None, progress: Callable[[int, int], None]) -> dict[str, object]:
        patient = self._connection.patient(DRIFT_SECONDS)
        reply = called(lambda: patient.post("/v1/drift", {"sampleDays": sample_days}))
        if "running" in reply:
            reply = checked(lambda: called(lambda: self._connection.get("/v1/drift")), progress)
        days = int(str(reply.get("days", 0)))
        progress(days, days)
        return reply

    def models(self) -> dict[str, object]:
        return called(lambda: self._connection.get("/v1/models"))

    def refusals(self, asked: Mapping[str, str]) -> dict[str, object]:
        return called(lambda: self._connection.get(f"/v1/refusals?{urlencode(asked)}"))

    def doctor(self) -> dict[str, object]:
        return called(lambda: self._connection.get("/v1/doctor"))

    def plan_backfill(self, asked: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/backfills/plan", asked))

    def run_backfill(
        self, asked: Mapping[str, object], progress: Callable[[float], None]
    ) -> dict[str, object]:
        return _as_told(called(lambda: self._connection.post("/v1/backfills", asked)), progress)

    def resume_backfill(self, backfill_id: str, progress: Callable[[float], None]) -> dict[str, object]:
        path = f"/v1/backfills/{quote(backfill_id, safe='')}/resume"
        return _as_told(called(lambda: self._connection.post(path, {})), progress)

    def cache(self) -> dict[str, object]:
        return called(lambda: self._connection.get("/v1/cache"))

    def clear_cache(self, tag: str | None) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/cache/clear", {"tag": tag}))

    def erase(self, asked: Mapping[str, object]) -> dict[str, object]:
        return called(lambda: self._connection.post("/v1/erasures", asked))

    def close(self) -> None:
        """There is nothing to let go of: every call was a request of its own."""

    def _send(self, draft: Draft, refusals: tuple[Refusal, ...], found: Refused) -> Receipt:
        accepted = duplicates = 0
        refused = list(refusals)
        events = events_of(draft) if draft.rows else []  # a row that was refused did not go all its way
        for start in range(0, len(events), EVENTS_PER_REQUEST):
            part = events[start : start + EVENTS_PER_REQUEST]
            for first, reply in self._sent(part, start):
                accepted += int(str(reply["accepted"]))
                duplicates += int(str(reply["duplicates"]))
                refused += _refusals(reply, draft, first)
        if refusals:
            # What is not sent at all is counted there too, and in the same way: by when it came.
            for report in reports_of(found):
                called(partial(self._connection.post, "/v1/refusals", report))
        in_order = sorted(refused, key=lambda refusal: refusal.index)
        return Receipt(accepted, duplicates, tuple(in_order), (), None)

    def _sent(self, events: Events, first: int) -> Iterator[tuple[int, dict[str, object]]]:
        """The replies, each with the place of its first event; what is too large is sent in halves."""
        try:
            yield first, called(lambda: self._connection.send(events))
            return
        except BodyTooLarge:
            if len(events) < 2:
                raise
        half = len(events) // 2
        yield from self._sent(events[:half], first)
        yield from self._sent(events[half:], first + half)


def checked(look: Callable[[], dict[str, object]], progress: Callable[[int, int], None]) -> dict[str, object]:
    """What a drift check saw that goes on in the server, once it is done. Raises why it failed."""
    waited = Event()
    while (found := look()).get("running") is not None:
        running = cast(Mapping[str, int], found["running"])
        progress(running["daysDone"], running["days"])
        waited.wait(LOOK_SECONDS)
    if found.get("failed") is not None:
        failed = cast(Mapping[str, str], found["failed"])
        error = of_code(failed["code"])
        raise error(f"the check ended early: {failed['detail']}", hint="the server's log tells more")
    last: dict[str, object] = cast(Any, found["last"])
    return last


def called(call: Callable[[], T]) -> T:
    """Calls, and calls again while the server is full or has been asked too often."""
    waited = Event()
    for left in reversed(range(TRIES)):
        try:
            return call()
        except Problem as problem:
            if problem.status not in COME_BACK or problem.retry_after_seconds is None or not left:
                _raise(problem)
            waited.wait(problem.retry_after_seconds)
        except NoAnswer as error:
            raise Unreachable(str(error), hint="is it running, and is the URL right?") from error
    raise AssertionError("the last try raises")


def _as_told(reply: dict[str, object], progress: Callable[[float], None]) -> dict[str, object]:
    """What the server says at once: it works on by itself."""
    progress(float(str(reply["progress"])))
    return reply


def reports_of(found: Refused) -> Iterator[dict[str, object]]:
    """What was refused here, as bodies of `POST /v1/refusals`."""
    samples: dict[tuple[str, str, str], list[Mapping[str, object]]] = {}
    for each in found.samples:
        kept: Mapping[str, object] = {"detail": each.detail, "names": dict(each.names)}
        samples.setdefault((each.stream, each.tenant, each.code), []).append(kept)
    kinds = [
        {
            "stream": each.stream,
            "tenant": each.tenant,
            "code": each.outcome,
            "count": each.count,
            "samples": samples.get((each.stream, each.tenant, each.outcome), []),
        }
        for each in found.counts
    ]
    for start in range(0, len(kinds), KINDS_PER_REPORT):
        yield {"refused": kinds[start : start + KINDS_PER_REPORT]}


def events_of(draft: Draft) -> list[dict[str, object]]:
    """A walked draft as the events of `POST /v1/events`; one without a time leaves that to its arrival."""
    table = as_table(draft)
    for name, field in draft.stream.fields.items():
        if field.type is FieldType.TIMESTAMP:
            table = table.set_column(table.column_names.index(name), name, _instants(table[name]))
    table = table.set_column(table.column_names.index("time"), "time", _instants(table["time"]))
    names = tuple(draft.stream.fields)
    return [
        {
            "stream": draft.stream.name,
            "tenant": row["tenant"],
            "id": row["id"],
            **({} if row[UNTIMED] else {"time": row["time"]}),
            "fields": {name: row[name] for name in names if row[name] is not None},
        }
        for row in table.to_pylist()
    ]


def _instants(times: object) -> object:
    return pc.strftime(times, format="%Y-%m-%dT%H:%M:%SZ")


def _refusals(reply: Mapping[str, object], draft: Draft, start: int) -> list[Refusal]:
    refused = reply.get("refused")
    return [
        Refusal(int(draft.index[start + each["index"]]), RefusalCode(each["code"]), each["detail"])
        for each in (refused if isinstance(refused, list) else [])
    ]


def _raise(problem: Problem) -> NoReturn:
    """The server's problem as the error it was there."""
    errors = problem.body.get("errors")
    faults = [
        Fault(
            str(each.get("path", "")),
            str(each.get("code", "")),
            str(each.get("message", "")),
            each.get("line"),
        )
        for each in (errors if isinstance(errors, list) else [])
        if isinstance(each, dict)
    ]
    detail, hint = str(problem), str(problem.body.get("hint", ""))
    kind = of_code(str(problem.body.get("code", "")))
    if issubclass(kind, IntakeFull | TooManyRequests):
        seconds = problem.retry_after_seconds or 0.0
        raise kind(detail, retry_after_seconds=seconds, hint=hint) from problem
    raise kind(detail, hint=hint, faults=faults) from problem

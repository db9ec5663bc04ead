"""`POST /v1/drift` and `GET /v1/drift`: hold the rollups against the events, or see what was found last."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.engines.drifted import Difference, ReturnedId
from aforo.errors import InvalidRequest, UnknownName
from aforo.http import body, operation_examples
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.caller import KeyScope, actor_of
from aforo.http.checks import Checks
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply, plain
from aforo.rollups.drift import DriftCheck, DriftReport, UnderWay
from aforo.settings import Drift
from aforo.store.audit import Audit

MAX_BODY_BYTES = 1_024
MOST_DAYS = 1_000_000


class DriftAsked(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How many days to check, taken by lot; null checks all."""

    sample_days: int | None = None


class DifferenceReply(Shape, frozen=True):
    """A state that is not what it should be; see `aforo doctor --drift`.

    `measure` is null where a whole row is missing or too much. `against` is what it was held against: the
    `events`, or, for a day, its `slots`. Values are in the measure's unit; null is nothing at all.
    """

    stream: str
    tenant: str
    rollup: str
    period: str
    start: str | None
    split: dict[str, Any]
    measure: str | None
    against: str
    wanted: str | None
    kept: str | None


class ReturnedReply(Shape, frozen=True):
    """An id that stands under more than one time, and so counts more than once; the first of its times."""

    stream: str
    tenant: str
    id: str
    count: int
    times: tuple[str | None, ...]


class DriftReply(Shape, frozen=True):
    """What a check saw. Of `found` differences and `returned` ids the first hundred are named.

    `keptDays` there are, of which `days` were compared; `waiting` slots were left out since they wait for
    their fold; `marked` slots are folded again by the next.
    """

    checked_at: str | None
    took_ms: float
    kept_days: int
    days: int
    waiting: int
    found: int
    marked: int
    returned: int
    differences: tuple[DifferenceReply, ...]
    returned_ids: tuple[ReturnedReply, ...]


class UnderWayReply(Shape, frozen=True):
    """How far a check is; `days` are 0 before they are counted, and `sampleDays` null where it is of all."""

    sample_days: int | None
    days_done: int
    days: int


class RunningReply(Shape, frozen=True):
    """The check goes on; `GET /v1/drift` tells how far it is, and then what it saw."""

    running: UnderWayReply


class FailureReply(Shape, frozen=True):
    """Why a check did not come to its end; what it had found by then is marked."""

    code: str
    detail: str


class DriftStatus(Shape, frozen=True):
    """The check under way, what the last one of this server saw, and why the last that was asked for failed.

    Each is null where there is none.
    """

    last: DriftReply | None
    running: UnderWayReply | None
    failed: FailureReply | None


def doors(check: DriftCheck, hands: Hands, audit: Audit, settings: Drift) -> tuple[Door, ...]:
    """The ways to have the rollups held against the events, and to what was found."""
    checks = Checks(check, hands, audit)

    async def answer(request: Request) -> Response:
        came = await body.receive(request, MAX_BODY_BYTES)
        asked, actor = asked_of(body.decoded(came.plain())), actor_of(request)
        report = hands.until(checks.begun(asked.sample_days, actor))
        await asyncio.wait({report}, timeout=settings.answer_seconds)
        if report.done():
            return json_reply(reply_of(report.result()))
        report.cancel()  # nobody waits any more; the check itself goes on
        under_way = checks.under_way() or UnderWay(asked.sample_days, 0, 0)
        return json_reply(RunningReply(_under_way(under_way)), 202, headers={"Location": "/v1/drift"})

    async def seen(_request: Request) -> Response:
        return json_reply(status_of(checks))

    return (
        Door("POST", "/v1/drift", "checkDrift", answer, CHECK, scope=KeyScope.OPERATE, across_tenants=True),
        Door("GET", "/v1/drift", "lastDrift", seen, LAST, scope=KeyScope.OPERATE, across_tenants=True),
    )


def status_of(checks: Checks) -> DriftStatus:
    """Where checks stand now."""
    # In this order: what ends in between is told as the last, and not as neither.
    running, failed, last = checks.under_way(), checks.failed(), checks.check.last
    return DriftStatus(
        last=None if last is None else reply_of(last),
        running=None if running is None else _under_way(running),
        failed=None if failed is None else FailureReply(failed.code, failed.detail),
    )


def _under_way(found: UnderWay) -> UnderWayReply:
    return UnderWayReply(found.sample_days, found.done, found.of)


def asked_of(given: object) -> DriftAsked:
    """What was asked, as JSON has it. Raises InvalidRequest, UnknownName."""
    asked = body.as_object(given)
    for name in asked:
        if name != "sampleDays":
            raise UnknownName.of("parameter", name[:100], ("sampleDays",))
    try:
        read = msgspec.convert(asked, DriftAsked)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"sampleDays: {error}", hint="wanted a whole number, or null for all") from error
    if read.sample_days is not None and not 1 <= read.sample_days <= MOST_DAYS:
        raise InvalidRequest(
            f"sampleDays is {read.sample_days}", hint=f"wanted 1 to {MOST_DAYS:,}, or null for all days"
        )
    return read


def reply_of(report: DriftReport) -> DriftReply:
    """A report as it is shown."""
    return DriftReply(
        checked_at=instant(report.at),
        took_ms=round(report.took_seconds * 1000, 3),
        kept_days=report.kept,
        days=report.days,
        waiting=report.waiting,
        found=report.found,
        marked=report.marked,
        returned=report.returned,
        differences=tuple(map(_difference, report.differences)),
        returned_ids=tuple(map(_returned, report.returned_ids)),
    )


def drift_json(report: DriftReport) -> dict[str, object]:
    """The reply of `POST /v1/drift` as plain mappings and lists, for who needs it without a server."""
    return plain(reply_of(report))


def _difference(each: Difference) -> DifferenceReply:
    return DifferenceReply(
        stream=each.stream,
        tenant=each.tenant,
        rollup=each.rollup,
        period=each.period,
        start=instant(each.start),
        split=dict(each.split),
        measure=each.measure,
        against=each.against.value,
        wanted=each.wanted,
        kept=each.kept,
    )


def _returned(each: ReturnedId) -> ReturnedReply:
    return ReturnedReply(
        stream=each.stream,
        tenant=each.tenant,
        id=each.id,
        count=each.count,
        times=tuple(map(instant, each.times)),
    )


CHECK = About(
    tag="Operation",
    summary="Check for drift now",
    description=(
        "Holds the rollups against the events, all days or some taken by lot, and names every difference and "
        "every id that came back with another time. What differs is marked and made true by the next fold. A "
        "check that takes longer than `drift.answer_seconds` is answered with 202 and goes on: "
        "`GET /v1/drift` tells how far it is. Whoever asks the same meanwhile waits for it; who asks for "
        "other days is told that one is under way."
    ),
    body=(Content("application/json", (DriftAsked,), operation_examples.DRIFT_ASKED),),
    reply=Content("application/json", (DriftReply, RunningReply), operation_examples.DRIFTS),
    errors=(
        errors.InvalidRequest,
        *OF_BODIES,
        errors.Conflict,
        errors.Stopping,
        errors.StorageError,
        errors.StorageFull,
    ),
)
LAST = About(
    tag="Operation",
    summary="See the last drift check",
    description=(
        "What the last check saw, in the background or asked for, since this server started, and how far the "
        "one under way is."
    ),
    reply=Content("application/json", (DriftStatus,), operation_examples.LAST_DRIFT),
    errors=(errors.StorageError,),
)

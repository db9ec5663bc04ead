"""`/runs`: what was computed and what is to be, its log, and that one ends or is done again."""

from __future__ import annotations

from starlette.requests import Request

from aforo import errors
from aforo.errors import NotFound
from aforo.http import paging, run_examples, runs_asked, whose
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope, actor_of, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant
from aforo.http.run_shapes import (
    LeaseReply,
    MissingReply,
    RunReply,
    SaidReply,
    VersionReply,
    at,
    missing_shown,
    run_shown,
    said_shown,
    version_shown,
)
from aforo.http.runs_asked import RunsAsked
from aforo.runs.history import History
from aforo.runs.reactive import Reactive
from aforo.store import event_log, runs
from aforo.store.connect import Store

Tenants = frozenset[str] | None


class RunList(Shape, frozen=True):
    """Runs, the newest first."""

    runs: tuple[RunReply, ...]
    next_cursor: str | None


class WholeRunReply(Shape, frozen=True):
    """A run with the exact versions it reads, what it waits for, and its lease while it has one."""

    run: RunReply
    versions: tuple[VersionReply, ...]
    missing: tuple[MissingReply, ...]
    lease: LeaseReply | None


class RunLog(Shape, frozen=True):
    """What is told of a run, the oldest first."""

    log: tuple[SaidReply, ...]
    next_cursor: str | None


def doors(reactive: Reactive, hands: Hands) -> list[Door]:
    """The ways to runs."""
    store, history, asking = reactive.store, reactive.history, reactive.asking

    def listing(request: Request) -> RunList:
        return listed(store, runs_asked.asked_of(request.query_params), whose.tenants_of(request))

    def one(request: Request) -> WholeRunReply:
        return found(history, _id(request), caller_of(request).tenants)

    def log(request: Request) -> RunLog:
        return logged(history, store, _id(request), paging.wanted(request), caller_of(request).tenants)

    def cancel(request: Request) -> RunReply:
        return run_shown(asking.cancel(_id(request), actor_of(request), caller_of(request).tenants))

    def again(request: Request) -> RunReply:
        return run_shown(asking.again(_id(request), actor_of(request), caller_of(request).tenants))

    reading, operating = KeyScope.READ, KeyScope.OPERATE
    return [
        Door(
            "GET", "/runs", "listRuns", whose.by(hands, listing), LISTING,
            (whose.TENANT, *runs_asked.PARAMETERS), scope=reading,
        ),
        Door("GET", "/runs/{id}", "run", whose.by(hands, one), FINDING, scope=reading),
        Door("GET", "/runs/{id}/log", "runLog", whose.by(hands, log), LOG, paging.PARAMETERS, scope=reading),
        Door("POST", "/runs/{id}/cancel", "cancelRun", whose.by(hands, cancel), CANCELLING, scope=operating),
        Door("POST", "/runs/{id}/again", "runAgain", whose.by(hands, again, 202), AGAIN, scope=operating),
    ]  # fmt: skip


def listed(store: Store, asked: RunsAsked, tenants: Tenants) -> RunList:
    """One page of runs."""
    with store.reading() as connection:
        came = runs.page(
            connection,
            tenants,
            asked.limit + 1,
            states=asked.states,
            metric_code=asked.metric,
            start=asked.start,
            end=asked.end,
            after=asked.after,
        )
    kept = came[: asked.limit]
    more = len(came) > asked.limit
    return RunList(
        runs=tuple(map(run_shown, kept)),
        next_cursor=paging.cursor_of(f"{kept[-1].created_at} {kept[-1].id}") if more else None,
    )


def found(history: History, run_id: str, tenants: Tenants) -> WholeRunReply:
    """The run of an id. Raises NotFound, NotYourTenant."""
    whole = history.run(run_id, tenants)
    lease = whole.lease
    return WholeRunReply(
        run=run_shown(whole.run),
        versions=tuple(map(version_shown, whole.versions)),
        missing=missing_shown(whole.missing),
        lease=None if lease is None else LeaseReply(at(lease.until), instant(lease.heard_at), lease.progress),
    )


def logged(history: History, store: Store, run_id: str, page: paging.Wanted, tenants: Tenants) -> RunLog:
    """One page of a run's log. Raises NotFound, NotYourTenant, InvalidRequest."""
    after = page.after or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise runs_asked.no_cursor()
    history.run(run_id, tenants)
    with store.reading() as connection:
        came = event_log.of_run(connection, run_id, page.limit + 1, int(after))
    kept = came[: page.limit]
    more = len(came) > page.limit
    return RunLog(log=said_shown(kept), next_cursor=paging.cursor_of(str(kept[-1].id)) if more else None)


def _id(request: Request) -> str:
    return whose.named(request, "id", "run")


ERRORS = (errors.NotYourTenant, errors.InvalidRequest, errors.StorageError)
_ID = {"id": "Id of the run"}
LISTING = About(
    tag="Runs",
    summary="List runs",
    description="Runs of metrics, those that wait and go on and those that are over, the newest first.",
    query={whose.TENANT: whose.OF_A_LIST, **runs_asked.TOLD},
    reply=Content("application/json", (RunList,), run_examples.RUN_LISTS),
    errors=ERRORS,
)
FINDING = About(
    tag="Runs",
    summary="Look at a run",
    description="Where a run stands, the exact versions it reads, and what it waits for.",
    path=_ID,
    reply=Content("application/json", (WholeRunReply,), run_examples.WHOLE_RUNS),
    errors=(*ERRORS, NotFound),
)
LOG = About(
    tag="Runs",
    summary="Read the log of a run",
    description="Everything that was told of a run, the oldest first: each move, and each version it took.",
    path=_ID,
    query=paging.TOLD,
    reply=Content("application/json", (RunLog,), run_examples.RUN_LOGS),
    errors=(*ERRORS, NotFound),
)
CANCELLING = About(
    tag="Runs",
    summary="Cancel a run",
    description=(
        "Ends a run that waits, goes on or is lost; what its worker still says is stale. A run that waits "
        "behind it has its turn. Cancelling it twice changes nothing."
    ),
    path=_ID,
    reply=Content("application/json", (RunReply,), run_examples.CANCELLED_RUNS),
    errors=(*ERRORS, NotFound, errors.Conflict, errors.StorageFull),
)
AGAIN = About(
    tag="Runs",
    summary="Run again over the same versions",
    description=(
        "Makes a run over the exact versions that an earlier one read, once that has ended. The definition "
        "of the metric is the one of now."
    ),
    path=_ID,
    status=202,
    reply=Content("application/json", (RunReply,), run_examples.RUNS_AGAIN),
    errors=(*ERRORS, NotFound, errors.Conflict, errors.StorageFull),
)

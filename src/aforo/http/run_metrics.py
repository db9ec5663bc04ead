"""`/metrics`: what is computed over datasets, why it was or was not, and that it is, by hand."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request

from aforo import errors
from aforo.errors import NotFound, UnknownName
from aforo.http import paging, run_examples, runs_asked, whose
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape
from aforo.http.run_shapes import (
    MissingReply,
    RunMetricReply,
    RunReply,
    SaidReply,
    SeriesReply,
    VersionReply,
    metric_shown,
    missing_shown,
    run_shown,
    said_shown,
    series_shown,
    version_shown,
)
from aforo.runs.history import History
from aforo.runs.lineage import Graph
from aforo.runs.reactive import Reactive
from aforo.store import catalog
from aforo.store.connect import Store
from aforo.store.run import Metric

Tenants = frozenset[str] | None


class RunMetricList(Shape, frozen=True):
    """Metrics by tenant and code."""

    metrics: tuple[RunMetricReply, ...]
    next_cursor: str | None


class WhyReply(Shape, frozen=True):
    """Why a metric did or did not run: `verdict` in one sentence, and everything it is read from.

    `versions` and `missing` are what a run would read now; `waiting` and `going` are its open runs, `last`
    its last ones, and `log` what was told last, the newest first.
    """

    metric: RunMetricReply
    verdict: str
    ready: bool
    series: tuple[SeriesReply, ...]
    versions: tuple[VersionReply, ...]
    missing: tuple[MissingReply, ...]
    waiting: RunReply | None
    going: RunReply | None
    last: tuple[RunReply, ...]
    log: tuple[SaidReply, ...]


class UsedReply(Shape, frozen=True):
    """A series or a metric, and the dataset it is in."""

    code: str
    is_metric: bool
    dataset_id: str


class LineageReply(Shape, frozen=True):
    """What a code is made from and what is made from it, each after what it is itself made from."""

    tenant: str
    code: str
    made_from: tuple[UsedReply, ...]
    used_by: tuple[UsedReply, ...]


def doors(reactive: Reactive, hands: Hands) -> list[Door]:
    """The ways to metrics over datasets."""
    store, history, asking = reactive.store, reactive.history, reactive.asking

    def listing(request: Request) -> RunMetricList:
        return listed(store, paging.wanted(request), whose.tenants_of(request))

    def one(request: Request) -> RunMetricReply:
        return found(store, whose.tenant_of(request), _code(request))

    def why(request: Request) -> WhyReply:
        return reasons(history, whose.tenant_of(request), _code(request))

    def lineage(request: Request) -> LineageReply:
        return descent(store, whose.tenant_of(request), _code(request))

    def by_hand(request: Request) -> RunReply:
        return run_shown(asking.by_hand(whose.tenant_of(request), _code(request), actor_of(request)))

    reading, of_one = KeyScope.READ, (whose.TENANT,)
    return [
        Door(
            "GET", "/metrics", "listRunMetrics", whose.by(hands, listing), LISTING,
            (whose.TENANT, *paging.PARAMETERS), scope=reading,
        ),
        Door("GET", "/metrics/{code}", "runMetric", whose.by(hands, one), FINDING, of_one, scope=reading),
        Door("GET", "/metrics/{code}/why", "whyMetric", whose.by(hands, why), WHY, of_one, scope=reading),
        Door(
            "GET", "/metrics/{code}/lineage", "lineage", whose.by(hands, lineage), LINEAGE, of_one,
            scope=reading,
        ),
        Door(
            "POST", "/metrics/{code}/runs", "startRun", whose.by(hands, by_hand, 202), STARTING, of_one,
            scope=KeyScope.OPERATE,
        ),
    ]  # fmt: skip


def listed(store: Store, page: paging.Wanted, tenants: Tenants) -> RunMetricList:
    """One page of metrics. Raises InvalidRequest."""
    after = runs_asked.pair_of(page.after)
    with store.reading() as connection:
        came = catalog.all_metrics(connection, tenants, page.limit + 1, after)
        kept = came[: page.limit]
        uses = {tenant: catalog.uses(connection, tenant) for tenant in {each.tenant for each in kept}}
    last = kept[-1] if len(came) > page.limit else None
    return RunMetricList(
        metrics=tuple(metric_shown(each, uses[each.tenant].get(each.code, ())) for each in kept),
        next_cursor=None if last is None else runs_asked.cursor_of_pair(last.tenant, last.code),
    )


def found(store: Store, tenant: str, code: str) -> RunMetricReply:
    """The metric of a code. Raises NotFound with the nearest right one."""
    with store.reading() as connection:
        metric = _metric(connection, tenant, code)
        return metric_shown(metric, [each.code for each in catalog.read_by(connection, metric.id)])


def reasons(history: History, tenant: str, code: str) -> WhyReply:
    """Why a metric did or did not run. Raises NotFound."""
    why = history.why(tenant, code)
    return WhyReply(
        metric=metric_shown(why.metric, [each.code for each in why.reads]),
        verdict=why.verdict,
        ready=why.readiness.ready,
        series=series_shown(why.reads),
        versions=tuple(map(version_shown, why.readiness.versions)),
        missing=missing_shown(why.readiness.missing),
        waiting=None if why.waiting is None else run_shown(why.waiting),
        going=None if why.going is None else run_shown(why.going),
        last=tuple(map(run_shown, why.last)),
        log=said_shown(why.said),
    )


def descent(store: Store, tenant: str, code: str) -> LineageReply:
    """What a metric or series is made from, and what is made from it. Raises NotFound."""
    with store.reading() as connection:
        uses = catalog.uses(connection, tenant)
        series = {each.code: each for each in catalog.all_series(connection, frozenset({tenant}))}
    graph = Graph({**dict.fromkeys(series, frozenset[str]()), **uses})

    def told(codes: tuple[str, ...]) -> tuple[UsedReply, ...]:
        return tuple(UsedReply(each, each in uses, series[each].dataset_id) for each in codes)

    try:
        return LineageReply(tenant, code, told(graph.up(code)), told(graph.down(code)))
    except UnknownName as error:
        raise NotFound(error.detail, hint=error.hint) from error


def _metric(connection: Connection, tenant: str, code: str) -> Metric:
    metric = catalog.metric(connection, tenant, code)
    if metric is None:
        known = [each.code for each in catalog.all_metrics(connection, frozenset({tenant}))]
        raise NotFound.of("metric", code, known)
    return metric


def _code(request: Request) -> str:
    return whose.named(request, "code", "metric")


_ERRORS = (errors.NotYourTenant, errors.InvalidRequest, errors.StorageError)
_CODE = {"code": "Code of the metric"}
_OF_ONE = {whose.TENANT: whose.OF_ONE}
LISTING = About(
    tag="Runs",
    summary="List metrics over datasets",
    description="Metrics that runs compute, with the series they read. Those of the model are others.",
    query={whose.TENANT: whose.OF_A_LIST, **paging.TOLD},
    reply=Content("application/json", (RunMetricList,), run_examples.METRIC_LISTS),
    errors=_ERRORS,
)
FINDING = About(
    tag="Runs",
    summary="Look at a metric over datasets",
    description="A metric as it is defined now, and the series it reads.",
    path=_CODE,
    query=_OF_ONE,
    reply=Content("application/json", (RunMetricReply,), run_examples.METRICS),
    errors=(*_ERRORS, NotFound),
)
WHY = About(
    tag="Runs",
    summary="Tell why a metric did or did not run",
    description=(
        "What the metric would be computed from now, what is missing of it, its open runs, the last ones, "
        "and what was told of it last."
    ),
    path=_CODE,
    query=_OF_ONE,
    reply=Content("application/json", (WhyReply,), run_examples.WHYS),
    errors=(*_ERRORS, NotFound),
)
LINEAGE = About(
    tag="Runs",
    summary="Tell what a metric is made from, and what of it",
    description="Up and down, through metrics that use metrics. A series can be asked for as well.",
    path={"code": "Code of the metric, or of a series"},
    query=_OF_ONE,
    reply=Content("application/json", (LineageReply,), run_examples.LINEAGES),
    errors=(*_ERRORS, NotFound),
)
STARTING = About(
    tag="Runs",
    summary="Compute a metric by hand",
    description=(
        "Makes a run over the newest versions there are, however old. Where one has been asked for and not "
        "begun, it is that one."
    ),
    path=_CODE,
    query=_OF_ONE,
    status=202,
    reply=Content("application/json", (RunReply,), run_examples.RUNS_BY_HAND),
    errors=(*_ERRORS, NotFound, errors.Conflict, errors.StorageFull),
)

"""`/series`: what metrics over datasets may read, and what those of our own rollups are by days."""

from __future__ import annotations

from starlette.requests import Request

from aforo import errors
from aforo.errors import InvalidRequest, NotFound, UnknownName
from aforo.http import datasets, paging, run_examples, runs_asked, whose
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape
from aforo.http.run_shapes import SeriesReply, series_shown
from aforo.runs.measured import MeasuredSeries
from aforo.store import catalog
from aforo.store.connect import Store
from aforo.store.run import DatasetKind

Tenants = frozenset[str] | None
COLUMN = "column"


class SeriesList(Shape, frozen=True):
    """Series by tenant and code."""

    series: tuple[SeriesReply, ...]
    next_cursor: str | None


class MeasuredReply(Shape, frozen=True):
    """A metric of the model by the tenant's days; a value is null where a day has none."""

    dataset_id: str
    column: str
    unit: str | None
    dates: tuple[str, ...]
    values: tuple[float | None, ...]


def doors(store: Store, measured: MeasuredSeries, hands: Hands) -> list[Door]:
    """The ways to series."""

    def listing(request: Request) -> SeriesList:
        return listed(store, paging.wanted(request), whose.tenants_of(request))

    def measuring(request: Request) -> MeasuredReply:
        column = request.query_params.get(COLUMN, "")
        return values_of(store, measured, datasets.id_of(request), column, caller_of(request).tenants)

    return [
        Door(
            "GET", "/series", "listSeries", whose.by(hands, listing), LISTING,
            (whose.TENANT, *paging.PARAMETERS), scope=KeyScope.READ,
        ),
        Door(
            "GET", "/datasets/{id:path}/measured", "measuredSeries", whose.by(hands, measuring), MEASURED,
            (COLUMN,), scope=KeyScope.READ,
        ),
    ]  # fmt: skip


def listed(store: Store, page: paging.Wanted, tenants: Tenants) -> SeriesList:
    """One page of series. Raises InvalidRequest."""
    after = runs_asked.pair_of(page.after)
    with store.reading() as connection:
        came = catalog.all_series(connection, tenants, page.limit + 1, after)
    kept = came[: page.limit]
    last = kept[-1] if len(came) > page.limit else None
    return SeriesList(
        series=series_shown(kept),
        next_cursor=None if last is None else runs_asked.cursor_of_pair(last.tenant, last.code),
    )


def values_of(
    store: Store, measured: MeasuredSeries, dataset_id: str, column: str, tenants: Tenants
) -> MeasuredReply:
    """What a column of one of our own rollups is by days. Raises NotFound, NotYourTenant, InvalidRequest."""
    dataset = datasets.owned(store, dataset_id, tenants)
    if dataset.kind is not DatasetKind.ROLLUP:
        raise InvalidRequest(
            f"{dataset_id!r} is none of our own rollups", hint="its values are in the files of its manifest"
        )
    with store.reading() as connection:
        columns = {each.column for each in catalog.series_in(connection, dataset_id)}
    if column not in columns:
        raise UnknownName.of("column of the dataset", column[:100], columns)
    series = measured(dataset_id, "", column)
    return MeasuredReply(
        dataset_id=dataset_id,
        column=column,
        unit=series.unit,
        dates=tuple(map(str, series.dates)),
        values=tuple(None if value != value else value for value in series.values.tolist()),
    )


_ERRORS = (errors.NotYourTenant, errors.InvalidRequest, errors.StorageError)
LISTING = About(
    tag="Runs",
    summary="List series",
    description="Series that metrics may read, and which column of which dataset each is.",
    query={whose.TENANT: whose.OF_A_LIST, **paging.TOLD},
    reply=Content("application/json", (SeriesList,), run_examples.SERIES_LISTS),
    errors=_ERRORS,
)
MEASURED = About(
    tag="Runs",
    summary="Read a series of our own rollups",
    description=(
        "What a column of a dataset `rollup:<stream>:<tenant>` is by days, from the first day with events to "
        "the last, as a run would read it now."
    ),
    path={"id": "Id of the dataset"},
    query={COLUMN: "Column of one of the dataset's series: a metric of the model"},
    reply=Content("application/json", (MeasuredReply,), run_examples.MEASURED),
    errors=(*_ERRORS, NotFound, errors.QuestionTooLarge, errors.NotServable, errors.TimeLimit),
)

"""`/datasets`: what runs read, and that there is a new version of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.errors import Fault, Forbidden, InvalidRequest, NotFound, NotYourTenant, UnknownName, suggestion
from aforo.http import body, paging, run_examples, runs_asked, whose
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.caller import KeyScope, caller_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.http.run_shapes import (
    DatasetReply,
    RunReply,
    SeriesReply,
    at,
    dataset_shown,
    run_shown,
    series_shown,
)
from aforo.runs.messages import MOST_BYTES, ProjectionUpdateEvent, SeriesTold, read
from aforo.runs.reactive import Reactive
from aforo.runs.reactor import Reactor
from aforo.store import catalog, updates
from aforo.store.connect import Store
from aforo.store.run import Dataset

Tenants = frozenset[str] | None
SHOWN_VERSIONS = 20


class DatasetList(Shape, frozen=True):
    """Datasets by tenant and id."""

    datasets: tuple[DatasetReply, ...]
    next_cursor: str | None


class UpdateReply(Shape, frozen=True):
    """A version as it was told: `updatedAt` by whoever made it, `receivedAt` by our clock."""

    update_id: str
    manifest_uri: str
    updated_at: str
    received_at: str
    event_key: str
    row_count: int | None


class WholeDatasetReply(Shape, frozen=True):
    """A dataset with its series, and its newest versions."""

    dataset: DatasetReply
    series: tuple[SeriesReply, ...]
    versions: tuple[UpdateReply, ...]


class UpdateAsked(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A ProjectionUpdateEvent; the dataset is the address's. One of the two names of the manifest is wanted.

    The same `eventId` is taken once; without it, the same manifest at the same time is.
    """

    updated_at: str
    manifest_uri: str | None = None
    version_manifest: str | None = None
    event_id: str | None = None
    row_count: int | None = None
    series: tuple[SeriesTold, ...] = ()
    type: str = "ProjectionUpdateEvent"
    schema_version: int = 1
    dataset_id: str | None = None


class ReactionReply(Shape, frozen=True):
    """What an update came to, and the runs it made or joined.

    A `repeated` one was taken before; one `older` than the newest version is kept and starts nothing.
    """

    update_id: str
    repeated: bool
    older: bool
    runs: tuple[RunReply, ...]


def doors(reactive: Reactive, hands: Hands) -> list[Door]:
    """The ways to datasets; their addresses take in more than others, so that `series.doors` stand first."""
    store, reading = reactive.store, KeyScope.READ

    def listing(request: Request) -> DatasetList:
        return listed(store, paging.wanted(request), whose.tenants_of(request))

    def one(request: Request) -> WholeDatasetReply:
        return found(store, id_of(request), caller_of(request).tenants)

    async def updating(request: Request) -> Response:
        dataset_id, caller = id_of(request), caller_of(request)
        if caller.public:
            raise Forbidden("a page's key brings events only", hint="ask with a secret key")
        came = await body.receive(request, MOST_BYTES)
        asked = await hands.do(
            lambda: taken(reactive.reactor, dataset_id, body.decoded(came.plain()), caller.tenants)
        )
        return json_reply(asked, 202)

    lists = (whose.TENANT, *paging.PARAMETERS)
    return [
        Door("GET", "/datasets", "listDatasets", whose.by(hands, listing), LISTING, lists, scope=reading),
        Door("GET", "/datasets/{id:path}", "dataset", whose.by(hands, one), FINDING, scope=reading),
        Door(
            "POST", "/datasets/{id:path}/updates", "updateDataset", updating, UPDATING,
            scope=KeyScope.INGEST,
        ),
    ]  # fmt: skip


def listed(store: Store, page: paging.Wanted, tenants: Tenants) -> DatasetList:
    """One page of datasets. Raises InvalidRequest."""
    after = runs_asked.pair_of(page.after)
    with store.reading() as connection:
        came = catalog.all_datasets(connection, tenants, page.limit + 1, after)
        kept = came[: page.limit]
        newest = updates.newest_of(connection, [each.id for each in kept])
    last = kept[-1] if len(came) > page.limit else None
    return DatasetList(
        datasets=tuple(dataset_shown(each, newest.get(each.id)) for each in kept),
        next_cursor=None if last is None else runs_asked.cursor_of_pair(last.tenant, last.id),
    )


def found(store: Store, dataset_id: str, tenants: Tenants) -> WholeDatasetReply:
    """The dataset of an id. Raises NotFound, NotYourTenant."""
    dataset = owned(store, dataset_id, tenants)
    with store.reading() as connection:
        newest = updates.newest(connection, dataset_id)
        return WholeDatasetReply(
            dataset=dataset_shown(dataset, newest),
            series=series_shown(catalog.series_in(connection, dataset_id)),
            versions=tuple(map(_update, updates.page(connection, dataset_id, SHOWN_VERSIONS))),
        )


def taken(reactor: Reactor, dataset_id: str, asked: object, tenants: Tenants) -> ReactionReply:
    """Takes the update that a decoded body tells of; durable when this returns.

    Raises InvalidRequest, UnknownName, NotFound, NotYourTenant, OutsidePrefix.
    """
    event = read(_as_event(dataset_id, body.as_object(asked)), ProjectionUpdateEvent)
    try:
        reaction = reactor.take(event, tenants)
    except UnknownName as error:
        raise NotFound(error.detail, hint=error.hint) from error
    return ReactionReply(
        update_id=str(reaction.update_id),
        repeated=reaction.repeated,
        older=reaction.older,
        runs=tuple(map(run_shown, reaction.runs)),
    )


def _as_event(dataset_id: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message that the body is in other words; a name that means nothing is refused here."""
    unknown = [str(name)[:100] for name in given if name not in MEMBERS][:20]
    if unknown:
        faults = [Fault(name, "unknown_name", f"there is no member named {name!r}") for name in unknown]
        told = "; ".join(fault.message for fault in faults)
        raise InvalidRequest(told, hint=suggestion(unknown[0], MEMBERS), faults=faults)
    if given.get("datasetId") not in (None, dataset_id):
        told = "is another dataset than the address names"
        fault = Fault("datasetId", "wrong_value", told)
        raise InvalidRequest(f"datasetId {told}", hint="leave it out", faults=[fault])
    return {"type": "ProjectionUpdateEvent", **given, "datasetId": dataset_id}


def owned(store: Store, dataset_id: str, tenants: Tenants) -> Dataset:
    """The dataset of an id as it is kept. Raises NotFound, NotYourTenant."""
    with store.reading() as connection:
        dataset = catalog.dataset(connection, dataset_id)
    if dataset is None:
        raise NotFound(f"there is no dataset {dataset_id!r}", hint="aforo runs datasets tells all ids")
    if tenants is not None and dataset.tenant not in tenants:
        raise NotYourTenant(f"dataset {dataset_id!r} is not of a tenant of this key")
    return dataset


def _update(row: Mapping[str, Any]) -> UpdateReply:
    return UpdateReply(
        update_id=str(row["id"]),
        manifest_uri=row["manifest_uri"],
        updated_at=at(row["updated_at"]),
        received_at=at(row["received_at"]),
        event_key=row["event_key"],
        row_count=row["row_count"],
    )


def id_of(request: Request) -> str:
    """The id that the address names. Raises NotFound."""
    return whose.named(request, "id", "dataset")


MEMBERS = UpdateAsked.__struct_encode_fields__
_ERRORS = (errors.NotYourTenant, errors.InvalidRequest, errors.StorageError)
_ID = {"id": "Id of the dataset"}
_LIST = {whose.TENANT: whose.OF_A_LIST, **paging.TOLD}
LISTING = About(
    tag="Runs",
    summary="List datasets",
    description=(
        "Datasets with their newest versions: those of other systems, our own rollups, and the results of "
        "metrics."
    ),
    query=_LIST,
    reply=Content("application/json", (DatasetList,), run_examples.DATASET_LISTS),
    errors=_ERRORS,
)
FINDING = About(
    tag="Runs",
    summary="Look at a dataset",
    description=f"A dataset with its series and its {SHOWN_VERSIONS} newest versions.",
    path=_ID,
    reply=Content("application/json", (WholeDatasetReply,), run_examples.WHOLE_DATASETS),
    errors=(*_ERRORS, NotFound),
)
UPDATING = About(
    tag="Runs",
    summary="Tell of a new version of a dataset",
    description=(
        "Takes a ProjectionUpdateEvent as if it had come by its queue. Once it is replied to, the version is "
        "kept, and every metric that reads the dataset has considered it. The manifest has to lie below the "
        "dataset's prefix."
    ),
    path=_ID,
    body=(Content("application/json", (UpdateAsked,), run_examples.UPDATES_ASKED),),
    status=202,
    reply=Content("application/json", (ReactionReply,), run_examples.REACTIONS),
    errors=(*_ERRORS, *OF_BODIES, NotFound, errors.StorageFull),
)

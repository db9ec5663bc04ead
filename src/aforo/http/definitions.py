"""`PUT /definitions`: datasets, series and metrics of a tenant, applied together or not at all."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aforo import errors
from aforo.http import body, run_examples, whose
from aforo.http.about import OF_BODIES, About, Content
from aforo.http.caller import KeyScope, actor_of
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, json_reply
from aforo.runs.defined import MOST_DEFINED, DatasetDefined, MetricDefined
from aforo.runs.definitions import Definitions
from aforo.runs.reactive import Reactive
from aforo.store.act import Actor


class DefinitionsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be defined beside what is there; metrics may use each other in any order."""

    datasets: Annotated[tuple[DatasetDefined, ...], msgspec.Meta(max_length=MOST_DEFINED)] = ()
    metrics: Annotated[tuple[MetricDefined, ...], msgspec.Meta(max_length=MOST_DEFINED)] = ()


class DefinedReply(Shape, frozen=True):
    """How many of each were defined."""

    tenant: str
    datasets: int
    series: int
    metrics: int


def defining(reactive: Reactive, hands: Hands, max_body_bytes: int) -> Door:
    """The way in for definitions."""

    async def answer(request: Request) -> Response:
        tenant, actor = whose.tenant_of(request), actor_of(request)
        came = await body.receive(request, max_body_bytes)
        reply = await hands.do(
            lambda: defined(reactive.definitions, tenant, body.decoded(came.plain()), actor)
        )
        reactive.defined()
        return json_reply(reply)

    return Door(
        "PUT", "/definitions", "define", answer, ABOUT, (whose.TENANT,), scope=KeyScope.DEFINE
    )  # fmt: skip


def defined(definitions: Definitions, tenant: str, asked: object, actor: Actor) -> DefinedReply:
    """Defines what a decoded body asks for. Raises InvalidRequest with every fault."""
    done = definitions.apply(tenant, asked, actor)
    return DefinedReply(tenant=tenant, datasets=done.datasets, series=done.series, metrics=done.metrics)


ABOUT = About(
    tag="Runs",
    summary="Define datasets and metrics",
    description=(
        "Datasets with their series, and metrics over these, beside what is there: what has the same id or "
        "code becomes as it is told. All faults are reported at once, and then nothing is applied. A metric "
        "whose meaning changed is computed in the new way from its next run on."
    ),
    query={whose.TENANT: whose.OF_ONE},
    body=(Content("application/json", (DefinitionsAsked,), run_examples.DEFINITIONS_ASKED),),
    reply=Content("application/json", (DefinedReply,), run_examples.DEFINED),
    errors=(
        errors.NotYourTenant,
        errors.InvalidRequest,
        *OF_BODIES,
        errors.StorageError,
        errors.StorageFull,
    ),
)

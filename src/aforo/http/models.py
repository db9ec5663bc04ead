"""`GET /v1/models` and `GET /v1/metrics/{name}`: what can be asked, and what is behind a metric."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aforo.errors import NotFound, UnknownName
from aforo.http import examples
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope
from aforo.http.door import Door
from aforo.http.reply import json_reply, plain
from aforo.http.shown import MetricDefinition, ModelReply, definition_of, model_of
from aforo.model.metric import Metric
from aforo.model.model import Model


def listing(model: Model) -> Door:
    """The way to everything that can be asked."""
    reply = model_of(model)

    async def answer(_request: Request) -> Response:
        return json_reply(reply)

    return Door("GET", "/v1/models", "listModels", answer, LISTING, scope=KeyScope.READ)


def definition(model: Model) -> Door:
    """The way to one metric."""

    async def answer(request: Request) -> Response:
        return json_reply(definition_of(model, metric_named(model, request.path_params["name"])))

    return Door("GET", "/v1/metrics/{name}", "getMetric", answer, DEFINITION, scope=KeyScope.READ)


def models_json(model: Model) -> dict[str, object]:
    """The reply of `GET /v1/models` as plain mappings and lists, for who needs it without a server."""
    return plain(model_of(model))


def metric_named(model: Model, name: str) -> Metric:
    """The metric of a path; NotFound otherwise."""
    try:
        return model.metric(name)
    except UnknownName as error:
        raise NotFound(error.detail, hint=error.hint) from error


LISTING = About(
    tag="Model",
    summary="List what can be asked",
    description=(
        "The streams with their fields, measures and rollups, and the metrics over them. A hash is over what "
        "a thing means and stays the same while only words about it change. Tenants are not listed."
    ),
    reply=Content("application/json", (ModelReply,), examples.MODELS),
)
DEFINITION = About(
    tag="Model",
    summary="Show what is behind a metric",
    description="Its formula, the measures in it, and the rollups that keep all of them.",
    path={"name": "Name of the metric"},
    reply=Content("application/json", (MetricDefinition,), examples.DEFINITIONS),
    errors=(NotFound,),
)

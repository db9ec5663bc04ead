"""Errors to HTTP: the only place that knows which error has which status (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from aforo import errors
from aforo.errors import AforoError
from aforo.http.reply import Shape, json_reply

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
INTERNAL = "internal_error"
STOPPING_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the table: an error (and what is derived from it and has no line of its own)."""

    error: type[AforoError]
    status: int
    title: str


# A question that is well formed and too large, or that nothing kept can answer, is a 422: sending it again
# changes nothing, mending its spelling neither. A question over its time limit is a 504, and no 408: the
# sender was not slow, what stands behind the server was.
KINDS: tuple[Kind, ...] = (
    Kind(errors.InvalidRequest, 400, "The request is not well formed"),
    Kind(errors.UnknownName, 400, "A name in the request is not known"),
    Kind(errors.NotJson, 400, "The body is not JSON"),
    Kind(errors.NotInflatable, 400, "The body cannot be inflated"),
    Kind(errors.NotAuthorised, 401, "The request does not show who sends it"),
    Kind(errors.Forbidden, 403, "This may not be asked from there, or with that key"),
    Kind(errors.NotYourTenant, 403, "This is another tenant's"),
    Kind(errors.NotFound, 404, "There is nothing at this address"),
    Kind(errors.MethodNotAllowed, 405, "This address cannot be used in this way"),
    Kind(errors.NotAcceptable, 406, "None of the wanted kinds of reply is given"),
    Kind(errors.BodyTooSlow, 408, "The body did not come in time"),
    Kind(errors.Conflict, 409, "This does not go with what is under way"),
    Kind(errors.BodyTooLarge, 413, "The body is too large"),
    Kind(errors.UnsupportedBody, 415, "The body is of a kind that is not taken"),
    Kind(errors.QuestionTooLarge, 422, "The question is too large"),
    Kind(errors.NotServable, 422, "Nothing kept can answer the question"),
    Kind(errors.TooManyRequests, 429, "Requests come too often"),
    Kind(AforoError, 500, "Something went wrong in the server"),
    Kind(errors.AdminAuthNotConfigured, 503, "No key opens this address yet"),
    Kind(errors.IntakeFull, 503, "The server takes no more events at the moment"),
    Kind(errors.BusUnavailable, 503, "Messages cannot be carried at the moment"),
    Kind(errors.RollupReplaced, 503, "The rollups are changing"),
    Kind(errors.Stopping, 503, "The server is stopping"),
    Kind(errors.StorageError, 503, "The data cannot be used at the moment"),
    Kind(errors.TimeLimit, 504, "The question ran longer than it may"),
    Kind(errors.StorageFull, 507, "The disk is full"),
)
_BY_ERROR: Mapping[type, Kind] = MappingProxyType({kind.error: kind for kind in KINDS})


class ProblemError(Shape, frozen=True):
    """One thing that is wrong, and where."""

    path: str
    code: str
    message: str
    line: int | msgspec.UnsetType = msgspec.UNSET


class Problem(Shape, frozen=True):
    """What went wrong (RFC 9457): `code` is of a closed set, `detail` says what came and what was wanted."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | msgspec.UnsetType = msgspec.UNSET
    errors: tuple[ProblemError, ...] | msgspec.UnsetType = msgspec.UNSET


class FlaggedProblem(Problem, frozen=True):
    """A problem for clients that look at `ok`, which is false, and at `error`, which is the code again."""

    ok: bool = False
    error: str = ""


def kind_of(error: type[AforoError]) -> Kind:
    """The line of the table for an error: its own, or that of the nearest error it is derived from."""
    return next(_BY_ERROR[above] for above in error.__mro__ if above in _BY_ERROR)


def problem_of(error: AforoError) -> Problem:
    """The body that tells of an error; what is our own mistake tells nothing of the inside."""
    kind = kind_of(type(error))
    if kind.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected()
    faults = tuple(
        ProblemError(
            path=fault.path,
            code=fault.code,
            message=fault.message,
            line=msgspec.UNSET if fault.line is None else fault.line,
        )
        for fault in error.faults
    )
    return Problem(
        type=type_of(error.code),
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        code=error.code,
        hint=error.hint or msgspec.UNSET,
        errors=faults or msgspec.UNSET,
    )


def code_of(error: type[AforoError]) -> str:
    """The code that a body shows for an error."""
    return INTERNAL if kind_of(error).status == HTTPStatus.INTERNAL_SERVER_ERROR else error.code


def unexpected() -> Problem:
    """The body for what should never happen."""
    return Problem(
        type=type_of(INTERNAL),
        title=_BY_ERROR[AforoError].title,
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        detail="the request could not be finished; the server's log says why",
        code=INTERNAL,
    )


def type_of(code: str) -> str:
    """The name of a kind of problem, which stays the same for ever; it leads nowhere."""
    return f"urn:aforo:problem:{code}"


def flagged(problem: Problem) -> FlaggedProblem:
    """The same, with what some clients look at beside."""
    return FlaggedProblem(**msgspec.structs.asdict(problem), error=problem.code)


def told(error: AforoError, *, flag: bool = False) -> Response:
    """The reply that tells of an error; flagged where the route's clients want it so."""
    problem = problem_of(error)
    if problem.code == INTERNAL:
        log.error("request failed", code=error.code, detail=error.detail, exc_info=error)
    return _reply(flagged(problem) if flag else problem, _headers(error))


def _reply(problem: Problem, headers: Mapping[str, str]) -> Response:
    return json_reply(problem, problem.status, media_type=MEDIA_TYPE, headers=headers)


def _headers(error: AforoError) -> dict[str, str]:
    match error:
        case errors.IntakeFull():
            return {"Retry-After": _seconds(error.retry_after_seconds)}
        case errors.TooManyRequests():
            return {"Retry-After": _seconds(error.retry_after_seconds), **error.headers}
        case errors.Stopping():
            return {"Retry-After": str(STOPPING_RETRY_SECONDS)}
        case errors.NotAuthorised():
            return {"WWW-Authenticate": 'Bearer realm="aforo"'}
        case _:
            return {}


def _seconds(until: float) -> str:
    return str(max(1, math.ceil(until)))


FLAGGED = "flagged"  # of a request's state: its door tells problems flagged


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, AforoError)
    return told(error, flag=getattr(request.state, FLAGGED, False))


async def _routed_wrong(request: Request, error: Exception) -> Response:
    """What the router itself says no to, in our own words."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == HTTPStatus.NOT_FOUND:
        return told(errors.NotFound(f"there is nothing at {path}", hint="/docs lists every address"))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(_methods(request)))
        mistake = errors.MethodNotAllowed(f"{request.method} {path} is nothing", hint=f"allowed: {allowed}")
        return _reply(problem_of(mistake), {"Allow": allowed})
    log.error("request failed", status=error.status_code, detail=error.detail)
    return _reply(unexpected(), {})


def _methods(request: Request) -> set[str]:
    """What may be done at the request's address, through whichever of its doors."""
    routes = [each for each in request.app.routes if isinstance(each, Route)]
    here = [each for each in routes if each.matches(request.scope)[0] is not Match.NONE]
    return {method for each in here for method in each.methods or ()}


HANDLERS: Mapping[type[Exception], ExceptionHandler] = MappingProxyType(
    {AforoError: _told, HTTPException: _routed_wrong}
)


class Unexpected:
    """Middleware: whatever nobody foresaw is logged with its trace and told as a problem without one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            log.info("sender left before its request was whole", path=scope["path"])
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if begun:
                raise  # half a reply cannot be mended: the connection has to break
            problem = unexpected()
            flag = getattr(Request(scope).state, FLAGGED, False)
            await _reply(flagged(problem) if flag else problem, {})(scope, receive, send)

"""`GET /v1/doctor`: what the server holds, across tenants, for the operator."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from aforo import __version__, errors
from aforo.engines.engine import Engine
from aforo.engines.statistics import Statistics
from aforo.http import operation_examples
from aforo.http.about import About, Content
from aforo.http.caller import KeyScope
from aforo.http.door import Door
from aforo.http.hands import Hands
from aforo.http.reply import Shape, instant, json_reply, plain
from aforo.model.model import Model
from aforo.rollups.lag import FoldLag, Lag
from aforo.store.connect import Store


class StreamHolding(Shape, frozen=True):
    """What is kept of a stream for a tenant: `first` and `last` are starts of slots."""

    stream: str
    tenant: str
    events: int
    first: str | None
    last: str | None
    dirty_slots: int


class BuildReply(Shape, frozen=True):
    """A rollup that is built aside: `progress` of 0 to 1, and whether an earlier one serves till then."""

    stream: str
    rollup: str
    slots: int
    slots_left: int
    progress: float
    earlier_serves: bool


class LagReply(Shape, frozen=True):
    """How long commits of a stream waited for their fold since the process began; more than 300 s is late.

    `waitingSeconds` is for how long the oldest that is not folded has waited until now.
    """

    stream: str
    commits: int
    longest_seconds: float | None
    late: int
    waiting_seconds: float

    @classmethod
    def of(cls, lag: Lag) -> LagReply:
        """What was measured, as it is shown."""
        longest = None if lag.longest_seconds is None else round(lag.longest_seconds, 3)
        return cls(
            stream=lag.stream,
            commits=lag.commits,
            longest_seconds=longest,
            late=lag.late,
            waiting_seconds=round(lag.waiting_seconds, 3),
        )


class DoctorReply(Shape, frozen=True):
    """The server at a glance; `outcomes` counts what became of all events that ever came.

    `fileBytesPerEvent` has everything in it, rollups and free room as well; null without events. `freeBytes`
    are used again by what comes; `outOfOrder` events lie in blocks whose times overlap those of others.
    `store` is the database of keys, audit and runs: a file, or a URL without its password.
    """

    version: str
    engine: str
    engine_version: str
    store: str
    store_version: str
    model_version: str
    commit: int
    file_bytes: int
    file_bytes_per_event: float | None
    free_bytes: int
    out_of_order: int
    streams: tuple[StreamHolding, ...]
    outcomes: dict[str, int]
    builds: tuple[BuildReply, ...]
    lags: tuple[LagReply, ...]


def examining(engine: Engine, store: Store, model: Model, lag: FoldLag, hands: Hands) -> Door:
    """The way to the operator's view."""

    async def answer(_request: Request) -> Response:
        return json_reply(await hands.do(lambda: report_of(engine.statistics(), store, model, lag.lags())))

    return Door("GET", "/v1/doctor", "examine", answer, ABOUT, scope=KeyScope.OPERATE, across_tenants=True)


def report_of(statistics: Statistics, store: Store, model: Model, lags: Sequence[Lag]) -> DoctorReply:
    """The engine's statistics as they are shown. Raises StorageError where the store does not answer."""
    storage = statistics.storage
    return DoctorReply(
        version=__version__,
        engine=statistics.engine,
        engine_version=statistics.version,
        store=store.place,
        store_version=store.version(),
        model_version=model.version,
        commit=statistics.commit,
        file_bytes=storage.file_bytes,
        file_bytes_per_event=storage.bytes_per_event,
        free_bytes=storage.free_bytes,
        out_of_order=storage.out_of_order,
        streams=tuple(
            StreamHolding(
                stream=each.stream,
                tenant=each.tenant,
                events=each.events,
                first=instant(each.first),
                last=instant(each.last),
                dirty_slots=each.dirty_slots,
            )
            for each in statistics.streams
        ),
        outcomes=dict(statistics.outcomes),
        builds=tuple(
            BuildReply(
                stream=each.stream,
                rollup=each.rollup,
                slots=each.slots,
                slots_left=each.slots_left,
                progress=round(each.progress, 4),
                earlier_serves=each.earlier is not None,
            )
            for each in statistics.builds
        ),
        lags=tuple(LagReply.of(each) for each in lags),
    )


def doctor_json(statistics: Statistics, store: Store, model: Model, lags: Sequence[Lag]) -> dict[str, object]:
    """The reply of `GET /v1/doctor` as plain mappings and lists, for who needs it without a server."""
    return plain(report_of(statistics, store, model, lags))


ABOUT = About(
    tag="Operation",
    summary="Examine the server",
    description="What is kept by stream and tenant, what waits to be folded, and what became of all events.",
    reply=Content("application/json", (DoctorReply,), operation_examples.REPORTS),
    errors=(errors.StorageError,),
)

"""The five messages that say what is to be computed and how that goes, as the contract writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from aforo.errors import Fault, InvalidRequest
from aforo.store.run_tables import DATASET_LENGTH, URI_LENGTH
from aforo.windows import parse_instant

MOST_BYTES = 256 * 1_024
"""Of a message: more than that no queue takes."""
KEY_LENGTH = 200
MOST_SERIES = 1_000


class Message(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type", tag=True, omit_defaults=False
):
    """What all messages have. Members that are not known are passed over: a later version may add some."""

    schema_version: Literal[1] = 1


class SeriesTold(msgspec.Struct, frozen=True, kw_only=True):
    """A series of an update, and the dates it has changed at."""

    code: str
    from_: str = msgspec.field(name="from")
    to: str


class ProjectionUpdateEvent(Message, frozen=True, kw_only=True, rename="camel"):
    """A dataset has a new version. `versionManifest` and `manifestUri` are two names of the same."""

    dataset_id: str
    updated_at: str
    event_id: str | None = None
    version_manifest: str | None = None
    manifest_uri: str | None = None
    row_count: int | None = None
    series: tuple[SeriesTold, ...] = ()

    @property
    def uri(self) -> str:
        """Where the version is."""
        return self.manifest_uri or self.version_manifest or ""

    @property
    def made_at(self) -> int:
        """When it was made, in microseconds."""
        return parse_instant(self.updated_at)

    @property
    def key(self) -> str:
        """By what the same event is known again."""
        if self.event_id is not None:
            return self.event_id
        named = msgspec.json.encode([self.dataset_id, self.uri, self.made_at])
        return "sha256:" + hashlib.sha256(named).hexdigest()


class Input(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The exact version of a dataset that a run reads."""

    dataset_id: str
    update_id: str
    manifest_uri: str
    updated_at: str


class Place(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a series is found."""

    dataset_id: str
    manifest_uri: str
    column: str


class MetricRunRequestEvent(Message, frozen=True, kw_only=True, rename="camel"):
    """A metric is to be computed."""

    run_id: str
    metric_code: str
    expression_type: str
    expression_json: Any
    inputs: tuple[Input, ...]
    catalog: Mapping[str, Place]
    attempt: int
    requested_at: str


class MetricRunStartedEvent(Message, frozen=True, kw_only=True, rename="camel"):
    """A worker has begun."""

    run_id: str
    attempt: int
    started_at: str
    worker: str


class MetricRunHeartbeatEvent(Message, frozen=True, kw_only=True, rename="camel"):
    """A worker is still at it; `progress` from 0 to 1."""

    run_id: str
    attempt: int
    at: str
    progress: float | None = None


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed."""

    code: str
    message: str


class MetricRunCompletedEvent(Message, frozen=True, kw_only=True, rename="camel"):
    """A worker is done."""

    run_id: str
    attempt: int
    status: Literal["SUCCEEDED", "FAILED"]
    completed_at: str
    manifest: str | None = None
    row_count: int | None = None
    error: RunError | None = None


M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """The message as JSON."""
    return msgspec.json.encode(message)


def decode(body: bytes, kind: type[M]) -> M:
    """The message that a body holds. Raises InvalidRequest, which names the place."""
    if len(body) > MOST_BYTES:
        raise InvalidRequest(
            f"the message has {len(body)} bytes, and {MOST_BYTES} are taken",
            hint="name large things by a URI instead of sending them",
        )
    try:
        return read(msgspec.json.decode(body), kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest("the message is no JSON", hint=f"a {kind.__name__} is wanted") from error


def read(came: object, kind: type[M]) -> M:
    """The message that decoded JSON is. Raises InvalidRequest with every fault found."""
    try:
        message = msgspec.convert(came, kind)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        raise InvalidRequest(
            f"{kind.__name__}: {place or 'the message'}: {said}",
            hint="the members of messages are in the reference of runs",
            faults=[Fault(place, "wrong_value", said)],
        ) from error
    faults = [*_faults(message)]
    if faults:
        raise InvalidRequest(
            f"{kind.__name__}: " + "; ".join(f"{each.path}: {each.message}" for each in faults),
            hint="the members of messages are in the reference of runs",
            faults=faults,
        )
    return message


def _faults(message: Message) -> list[Fault]:
    match message:
        case ProjectionUpdateEvent():
            return [*_of_update(message), *_of_instant("updatedAt", message.updated_at)]
        case MetricRunStartedEvent():
            return [*_of_run(message), *_of_instant("startedAt", message.started_at)]
        case MetricRunHeartbeatEvent():
            return [*_of_run(message), *_of_instant("at", message.at), *_of_progress(message.progress)]
        case MetricRunCompletedEvent():
            return [
                *_of_run(message),
                *_of_instant("completedAt", message.completed_at),
                *_of_count(message.row_count),
                *_too_long("manifest", message.manifest, URI_LENGTH),
            ]
    return []


def _of_update(message: ProjectionUpdateEvent) -> list[Fault]:
    faults = [
        *_too_long("datasetId", message.dataset_id, DATASET_LENGTH),
        *_too_long("eventId", message.event_id, KEY_LENGTH),
        *_too_long("manifestUri", message.uri, URI_LENGTH),
        *_of_count(message.row_count),
    ]
    if not message.uri:
        faults.append(Fault("manifestUri", "missing_field", "where the version is has to be told"))
    elif message.version_manifest not in (None, message.uri):
        told = "versionManifest and manifestUri are two names of the same, and differ"
        faults.append(Fault("versionManifest", "wrong_value", told))
    if message.event_id == "":
        faults.append(Fault("eventId", "wrong_value", "an empty text names no event; leave it out"))
    if len(message.series) > MOST_SERIES:
        told = f"{len(message.series)} series came, at most {MOST_SERIES} are taken"
        faults.append(Fault("series", "too_long", told))
    return faults


def _of_run(message: Any) -> list[Fault]:
    faults = _too_long("runId", message.run_id, 40)
    if not 1 <= message.attempt < 2**31:
        faults.append(Fault("attempt", "wrong_value", f"came {message.attempt}, attempts count from 1"))
    if isinstance(message, MetricRunStartedEvent):
        faults += _too_long("worker", message.worker, KEY_LENGTH)
    return faults


def _of_instant(path: str, text: str) -> list[Fault]:
    try:
        parse_instant(text)
    except InvalidRequest as error:
        return [Fault(path, "wrong_value", error.detail)]
    return []


def _of_progress(progress: float | None) -> list[Fault]:
    if progress is None or 0 <= progress <= 1:
        return []
    return [Fault("progress", "wrong_value", f"came {progress}, wanted 0 to 1")]


def _of_count(rows: int | None) -> list[Fault]:
    if rows is None or 0 <= rows < 2**63:
        return []
    return [Fault("rowCount", "wrong_value", f"came {rows}, wanted 0 or more")]


def _too_long(path: str, text: str | None, most: int) -> list[Fault]:
    if text is None or len(text) <= most:
        return []
    return [Fault(path, "too_long", f"has {len(text)} characters, at most {most} are taken")]

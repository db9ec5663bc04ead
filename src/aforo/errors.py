"""The one tree of errors: each has a code from a closed set, what happened, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in what somebody wrote.

    `path` names the place (`streams.flights.fields.origin`), `line` counts from 1 where the text has lines.
    """

    path: str
    code: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.path if self.line is None else f"line {self.line}, {self.path}"
        return f"{place}: {self.message}" if place else self.message


class AforoError(Exception):
    """Something a person can mend: `detail` says what came and what was wanted, `hint` what to do."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, hint: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.faults = tuple(faults)

    def __str__(self) -> str:
        lines = [self.detail, *(f"  {fault}" for fault in self.faults)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class InvalidRequest(AforoError):
    """What was asked is not well formed."""

    code = "invalid_request"


class UnknownName(InvalidRequest):
    """A metric, stream, dimension or parameter that does not exist."""

    code = "unknown_name"

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str]) -> UnknownName:
        """The error for `name`, with the nearest right word of `known`, or all of them where few."""
        return cls(f"there is no {kind} named {name!r}", hint=suggestion(name, known))


class NotFound(UnknownName):
    """An address, or the name in it, behind which there is nothing."""

    code = "not_found"


class NotJson(InvalidRequest):
    """A request body that says it is JSON and is not."""

    code = "not_json"


class NotInflatable(InvalidRequest):
    """A request body that says it is compressed and cannot be inflated."""

    code = "not_inflatable"


class UnreadableFile(InvalidRequest):
    """A file of events that cannot be read, or not as what it was said to be."""

    code = "unreadable_file"


class InvalidSeries(InvalidRequest):
    """Dates and values that are no series."""

    code = "invalid_series"


class InvalidExpression(InvalidRequest):
    """An expression over series with faults, all of them told at once."""

    code = "invalid_expression"


class OutsidePrefix(InvalidRequest):
    """The URI of a file that does not lie below the prefix registered for it, or that is no such URI."""

    code = "outside_prefix"


class InvalidManifest(InvalidRequest):
    """A manifest with faults, or with files that are not what it says of them."""

    code = "invalid_manifest"


class NotAcceptable(InvalidRequest):
    """A kind of reply that is not given."""

    code = "not_acceptable"


class InvalidModel(AforoError):
    """A model file with faults; nothing of it was applied."""

    code = "invalid_model"


class InvalidSettings(AforoError):
    """A setting whose value cannot be used."""

    code = "invalid_settings"


class ModelConflict(AforoError):
    """A model that contradicts what the data directory already holds."""

    code = "model_conflict"


class Conflict(AforoError):
    """What is asked does not go with what is under way, or with what is over."""

    code = "conflict"


class QuestionTooLarge(AforoError):
    """A question that would read or return more than the guard allows."""

    code = "question_too_large"


class NotServable(AforoError):
    """A question that the kept rollups cannot answer at all."""

    code = "not_servable"


class NotAuthorised(AforoError):
    """The caller did not prove who it is."""

    code = "unauthorized"


class Forbidden(AforoError):
    """The caller is known, or came from a place that may not ask this."""

    code = "forbidden"


class NotYourTenant(Forbidden):
    """The caller is known, and what it asks for is another tenant's."""

    code = "not_your_tenant"


class AdminAuthNotConfigured(AforoError):
    """An address of the operator on a server where no key opens it."""

    code = "admin_auth_not_configured"


class TooManyRequests(AforoError):
    """The caller came more often than it may; `headers` say to programs how often that is."""

    code = "too_many_requests"

    def __init__(
        self,
        detail: str,
        *,
        hint: str = "",
        faults: Sequence[Fault] = (),
        retry_after_seconds: float = 1.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, hint=hint, faults=faults)
        self.retry_after_seconds = retry_after_seconds
        self.headers = dict(headers or {})


class BodyTooLarge(AforoError):
    """A request body over its limit, before or after inflating."""

    code = "body_too_large"


class BodyTooSlow(AforoError):
    """A request body that did not come within its time."""

    code = "body_too_slow"


class UnsupportedBody(AforoError):
    """A request body of a type or encoding that is not taken."""

    code = "unsupported_body"


class MethodNotAllowed(AforoError):
    """An address that exists and cannot be used in this way."""

    code = "method_not_allowed"


class IntakeFull(AforoError):
    """The buffer of events is full: nothing of the batch was taken."""

    code = "intake_full"

    def __init__(self, detail: str, *, retry_after_seconds: float, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class Stopping(AforoError):
    """The process is stopping and takes nothing new."""

    code = "stopping"


class AddressInUse(AforoError):
    """The address that a server should listen on is taken, or is none of this machine's."""

    code = "address_in_use"


class Unreachable(AforoError):
    """A server did not answer."""

    code = "unreachable"


class StorageError(AforoError):
    """The data directory cannot be used as asked."""

    code = "storage_error"


class DataInUse(StorageError):
    """Another process holds the data directory."""

    code = "data_in_use"


class DataTooNew(StorageError):
    """The data directory was written by a newer version."""

    code = "data_too_new"


class StoreUnavailable(StorageError):
    """The store was busy, away, or lost on the way; asked again later, the same may go well."""

    code = "store_unavailable"


class StorageFull(StorageError):
    """The disk is full; the transaction was rolled back."""

    code = "storage_full"


class ObjectError(AforoError):
    """A file, of a directory or of S3, cannot be read or written."""

    code = "object_error"


class NoSuchObject(ObjectError):
    """There is no file of that name."""

    code = "no_such_object"


class ObjectTooLarge(ObjectError):
    """A file is larger than may be read."""

    code = "object_too_large"


class ObjectsUnavailable(ObjectError):
    """Where files are kept did not answer; trying again later may help."""

    code = "objects_unavailable"


class RollupReplaced(AforoError):
    """A rollup was replaced while a question was being answered; asked again, the new one answers."""

    code = "rollup_replaced"


class ClaimLost(AforoError):
    """A fold came to write slots that it no longer holds: its lease ended, or another has them."""

    code = "claim_lost"


class BusUnavailable(AforoError):
    """Messages cannot be sent or received at the moment; the same one may be sent again later."""

    code = "bus_unavailable"


class MessageRejected(AforoError):
    """A message that will never be taken as it is."""

    code = "message_rejected"


class MemoryLimit(AforoError):
    """A run wanted more memory than it may have."""

    code = "memory_limit"


class WorkerDied(AforoError):
    """The process that computed a run ended before it was done."""

    code = "worker_died"


class TimeLimit(AforoError):
    """A question, or a run, took longer than it may and was interrupted."""

    code = "time_limit"


def of_code(code: str, below: type[AforoError] = AforoError) -> type[AforoError]:
    """The error that has a code, as another process told it; AforoError if none has."""
    if below.code == code:
        return below
    found = (of_code(code, each) for each in below.__subclasses__())
    return next((each for each in found if each.code == code), AforoError)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of `known` most like `word`, if any is like it at all."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None


def together(met: Sequence[tuple[str, InvalidRequest]]) -> InvalidRequest:
    """One error that tells all that were met, each at its place, and what to do about the first."""
    first = met[0][1]
    faults = [Fault(path, error.code, error.detail) for path, error in met]
    return type(first)("; ".join(map(str, faults)), hint=first.hint, faults=faults)


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest of `known`, else up to twelve of them, else that there are none."""
    names = sorted({str(name) for name in known})  # members of a StrEnum show as what they say
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return "there are none yet"
    shown = ", ".join(names[:12])
    return f"known: {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")

"""A file's way in: chunks go to a sink a few at a time, and what became of every row is added up."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.assembly.order import LoadOrder
from aforo.engines.outcomes import shares
from aforo.errors import InvalidRequest, UnknownName, suggestion
from aforo.events.columns import Column, Source
from aforo.events.draft import ENVELOPE, Draft
from aforo.events.readers import ACCESS_LOG, READERS, Chunk, FileShape, Stretch
from aforo.events.receipt import Receipt
from aforo.events.refusals import Refusal, RefusalCode, shown
from aforo.model.model import Model
from aforo.model.stream import Extra, Stream
from aforo.packs.weblog import STREAM as REQUESTS
from aforo.settings import Settings

IN_FLIGHT = 3  # chunks that may wait for their receipts while the next is read
SAMPLES = 20  # refusals that are shown

Sink = Callable[[Draft, tuple[Refusal, ...], int], "Future[Receipt]"]
Progress = Callable[["Loaded"], None]


@dataclass(slots=True)
class Loaded:
    """What became of a file's rows so far; bytes are of the file as it lies on the disk.

    `stretch` tells of a file that grows which part of it was read.
    """

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    samples: list[Refusal] = field(default_factory=list)
    bytes_read: int = 0
    bytes_total: int = 0
    stretch: Stretch | None = None

    def add(self, receipt: Receipt) -> None:
        self.rows += receipt.accepted + receipt.duplicates + len(receipt.refused)
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.refused.update(str(refusal.code) for refusal in receipt.refused)
        self.samples += receipt.refused[: max(0, SAMPLES - len(self.samples))]


def read_chunks(order: LoadOrder, settings: Settings) -> Iterator[Chunk]:
    """The file's chunks, by the order's format or the one its name tells."""
    kind = order.kind()
    if kind == ACCESS_LOG:
        from aforo.assembly.weblog import chunks  # what knows bots is long to import, and only logs need it

        return chunks(order, settings)
    for given, option in ((order.sites, "--site"), (order.from_start, "--from-start")):
        if given:
            raise InvalidRequest(
                f"{option} came with a file of {kind}", hint=f"it is for --input {ACCESS_LOG}"
            )
    return READERS[kind](order.path, FileShape(mapping=order.mapping, nulls=order.nulls))


def load(
    chunks: Iterable[Chunk],
    order: LoadOrder,
    model: Model,
    sink: Sink,
    progress: Progress,
    *,
    rows_in_flight: int,
) -> Loaded:
    """Sends every chunk's drafts to the sink, never more rows at once than are said.

    Each draft goes with the bytes of the file that it took, shared out by rows where a chunk has several.

    Whatever was acknowledged stays, should a later chunk fail. Raises UnknownName before the first.
    """
    if order.stream is not None:
        model.sent_stream(order.stream)  # a file without a row would not ask for it
    loaded = Loaded()
    waiting: deque[_Sent] = deque()

    def settle_until(rows: int, batches: int) -> None:
        while waiting and (len(waiting) > batches or sum(each.rows for each in waiting) > rows):
            sent = waiting.popleft()
            loaded.add(sent.receipt.result())
            sent.acknowledged()

    for chunk in chunks:
        size = max(0, chunk.bytes_read - loaded.bytes_read)
        loaded.bytes_read, loaded.bytes_total = chunk.bytes_read, chunk.bytes_total
        loaded.stretch = chunk.stretch
        drafts = list(_drafts(chunk, order, model))
        sizes = shares(size, [draft.rows + len(refusals) for draft, refusals in drafts])
        for (draft, refusals), part in zip(drafts, sizes, strict=True):
            settle_until(rows_in_flight - draft.rows, IN_FLIGHT - 1)
            waiting.append(_Sent(draft.rows, sink(draft, refusals, part)))
        if waiting:
            waiting[-1].acknowledged = chunk.acknowledged
        progress(loaded)
    settle_until(0, 0)
    progress(loaded)
    return loaded


@dataclass(slots=True)
class _Sent:
    """Rows on their way, and what is to be done once they and all before them are durable."""

    rows: int
    receipt: Future[Receipt]
    acknowledged: Callable[[], None] = lambda: None


def _drafts(chunk: Chunk, order: LoadOrder, model: Model) -> Iterator[tuple[Draft, tuple[Refusal, ...]]]:
    """A chunk's rows by stream; rows of a stream that nobody declared are refused."""
    if order.tenant is None and "tenant" not in chunk.columns:
        raise InvalidRequest(
            f"{order.path} has no tenant column", hint="say whose events they are: --tenant T"
        )
    if order.stream is not None or "stream" not in chunk.columns:
        stream = _stream_of(order, model)
        columns = {name: column for name, column in chunk.columns.items() if name != "stream"}
        _check_columns(chunk, stream, order)
        yield Draft(stream, chunk.source, columns, chunk.numbers), chunk.refusals
        return
    names = _texts(chunk.columns["stream"])
    refusals = list(chunk.refusals)
    for name in dict.fromkeys(names):
        mask = np.array([each == name for each in names], np.bool_)
        if name is None or name not in model.sent_streams:
            what = (
                "stream: missing"
                if name is None
                else f"stream: came {shown(name)}, {suggestion(name, model.sent_streams)}"
            )
            refusals += [
                Refusal(int(at), RefusalCode.UNKNOWN_STREAM, what) for at in chunk.numbers[mask].tolist()
            ]
            continue
        stream = model.sent_streams[name]
        columns = {key: column for key, column in chunk.columns.items() if key != "stream"}
        yield Draft(stream, chunk.source, columns, chunk.numbers).kept(mask), tuple(refusals)
        refusals = []
    if refusals:
        any_stream = next(iter(model.sent_streams.values()))
        yield Draft(any_stream, chunk.source, {}, np.empty(0, np.int64)), tuple(refusals)


def _stream_of(order: LoadOrder, model: Model) -> Stream:
    if order.stream is not None:
        return model.sent_stream(order.stream)
    if order.kind() == ACCESS_LOG:
        return model.sent_stream(REQUESTS)
    if len(model.sent_streams) == 1:
        return next(iter(model.sent_streams.values()))
    raise InvalidRequest(
        f"{order.path} has no stream column", hint=f"say --stream: {suggestion('', model.sent_streams)}"
    )


def _check_columns(chunk: Chunk, stream: Stream, order: LoadOrder) -> None:
    """A table's columns are known before its first row: one the stream refuses would refuse every row."""
    if chunk.source is Source.JSON or stream.extra is not Extra.REFUSE:
        return
    unknown = [name for name in chunk.columns if name not in stream.fields and name not in ENVELOPE]
    if unknown:
        name = unknown[0]
        raise UnknownName(
            f"{order.path} has the column {name!r}, which stream {stream.name} does not declare",
            hint=f"{suggestion(name, stream.fields)}; say which field it is with --map field={name}, "
            "or declare 'extra: drop' in the model",
        )


def _texts(column: Column) -> list[str | None]:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        column = pc.cast(column, pa.string()).to_pylist()
    return [value if isinstance(value, str) else None for value in column]

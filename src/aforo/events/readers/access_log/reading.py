"""A log from where it was left, or from its start, as chunks that know how far they bring it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.columns import Source
from aforo.events.identity import ID_BYTES, Occurrences
from aforo.events.readers.access_log.grammar import Parsed, parsed
from aforo.events.readers.access_log.lines import LINE_BYTES, Block, blocks, first_line
from aforo.events.readers.chunk import Chunk, FileShape, Stretch
from aforo.events.readers.files import Opened, head, opened
from aforo.events.readers.marks import Mark
from aforo.events.refusals import Refusal, RefusalCode

TAIL_BYTES = 4 * 1024 * 1024
MOST_TAIL_BYTES = 64 * 1024 * 1024  # only a line that is far too long makes one larger
END_BYTES = 1024
BOM_BYTES = 3


def read(path: Path, shape: FileShape) -> Iterator[Chunk]:
    """The lines as rows with an id of their bytes; blank lines are no rows.

    With marks it goes on where this content was left, whatever the file is called now, and leaves a last line
    that nothing ends for the next time, unless the file is a gzip, to which nothing is added. A line that
    does not fit, or is over 64 KiB, is refused by its number.
    """
    head(path, BOM_BYTES)
    with opened(path) as file:
        if shape.marks is not None:
            shape.marks.prune()
        key = first_line(file.stream)
        mark = None if shape.marks is None or key is None or shape.from_start else shape.marks.find(key)
        log = None if mark is None else _resumed(file, shape, key, mark)
        if log is not None and (yield from log.chunks()):
            return
        # Nothing was read yet, or a line came that may have its like where the mark does not remember any:
        # from the start all are told apart, and those that are in already add nothing.
        file.stream.seek(0)
        yield from _Log(file, shape, key).chunks()


@dataclass(slots=True)
class _Reach:
    """Which lines may still find their like: stretches of the log, each with its latest time.

    Equal lines have the same time, so one that is later than all that was dropped has no like among it.
    """

    stretches: deque[tuple[int, int | None]]
    settled: int | None = None

    def add(self, start: int, end: int, latest: int | None) -> None:
        self.stretches.append((start, latest))
        while len(self.stretches) > 1 and self.stretches[1][0] <= end - TAIL_BYTES:
            self.settled = _later(self.settled, self.stretches.popleft()[1])

    @property
    def tail(self) -> int:
        """Where the lines begin that are still remembered."""
        return self.stretches[0][0] if self.stretches else 0


class _Log:
    """One reading of a log, and what it must know to go on."""

    def __init__(self, file: Opened, shape: FileShape, key: bytes | None) -> None:
        self._file = file
        self._shape = shape
        self._key = key
        self._ended = shape.marks is None or file.stream is not file.raw
        self.begun_at = self.offset = self.lines = 0
        self.end = b""
        self.occurrences = Occurrences()
        self.reach = _Reach(deque())

    def chunks(self) -> Generator[Chunk, None, bool]:
        """The chunks from the offset on; False where a line came that only a whole reading can name."""
        found = blocks(self._file.stream, self.offset, rows=self._shape.chunk_rows, ended=self._ended)
        for block in found:
            rows = _Rows.of(block)
            times = rows.parsed.columns["time"].cast(pa.int64())
            if len(times) and self.reach.settled is not None:
                earliest = pc.min(times).as_py()
                if self.begun_at and earliest <= self.reach.settled:
                    return False
            yield self._chunk(block, rows)
        yield self._last()
        return True

    def remember(self, block: Block, rows: _Rows) -> pa.Array:
        """Counts the block's lines as read; the ids of its rows."""
        times = rows.parsed.columns["time"].cast(pa.int64())
        self.reach.add(block.start, block.end, pc.max(times).as_py() if len(times) else None)
        return self.occurrences.number(rows.hashes()) if len(times) else pa.array([], pa.string())

    def _chunk(self, block: Block, rows: _Rows) -> Chunk:
        first = self.lines
        ids = self.remember(block, rows)
        self.lines += len(block.lines)
        self.offset = block.end
        self.end = block.ending(END_BYTES)
        return self._made(
            first,
            {**rows.parsed.columns, "id": ids},
            first + rows.places[rows.parsed.fits],
            rows.refusals(first),
        )

    def _last(self) -> Chunk:
        """No rows, but where the reading ended: it comes even when nothing was new."""
        columns = {**parsed(pa.array([], pa.binary())).columns, "id": pa.array([], pa.string())}
        return self._made(self.lines, columns, np.empty(0, np.int64), ())

    def _made(
        self,
        first: int,
        columns: dict[str, pa.Array],
        numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
        refusals: tuple[Refusal, ...],
    ) -> Chunk:
        mark, marks, key = self._mark(), self._shape.marks, self._key
        left = self._file.stream.tell() - self.offset

        def acknowledged() -> None:
            if marks is not None and key is not None:
                marks.keep(key, mark)

        return Chunk(
            first_row=first,
            rows=len(numbers),
            columns=columns,
            bytes_read=self._file.bytes_read(),
            bytes_total=self._file.bytes_total,
            source=Source.ARROW,
            numbers=numbers,
            refusals=refusals,
            acknowledged=acknowledged,
            stretch=Stretch(self.begun_at, left),
        )

    def _mark(self) -> Mark:
        return Mark(
            offset=self.offset,
            lines=self.lines,
            end=_named(self.end),
            end_bytes=len(self.end),
            tail=self.reach.tail,
            settled=self.reach.settled,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A block's lines that are not blank, read; `places` are theirs in the block."""

    texts: Sequence[bytes]
    places: np.ndarray[tuple[int], np.dtype[np.int64]]
    too_long: Sequence[int]
    parsed: Parsed

    @classmethod
    def of(cls, block: Block) -> _Rows:
        there = [(at, line) for at, line in enumerate(block.lines) if line is not None and line.strip()]
        texts = [line for _, line in there]
        places = np.array([at for at, _ in there], np.int64)
        too_long = [at for at, line in enumerate(block.lines) if line is None]
        return cls(texts, places, too_long, parsed(pa.array(texts, pa.binary())))

    def hashes(self) -> pa.Array:
        fitting = np.flatnonzero(self.parsed.fits).tolist()
        names = [blake2b(self.texts[at], digest_size=ID_BYTES).hexdigest() for at in fitting]
        return pa.array(names, pa.string())

    def refusals(self, first: int) -> tuple[Refusal, ...]:
        """By the number of the line: from 0 as all rows are, and from 1 in words, as editors count."""
        faults = [(int(self.places[at]), code, what) for at, code, what in self.parsed.faults]
        long = f"wanted a line of at most {LINE_BYTES:,} bytes"
        faults += [(at, RefusalCode.TOO_LONG, long) for at in self.too_long]
        return tuple(
            Refusal(first + at, code, f"line {first + at + 1:,}: {what}") for at, code, what in sorted(faults)
        )


def _resumed(file: Opened, shape: FileShape, key: bytes | None, mark: Mark) -> _Log | None:
    """The log as it was left, its tail read again; None where this is another content after all."""
    if mark.offset - mark.tail > MOST_TAIL_BYTES:
        return None
    file.stream.seek(mark.tail)
    tail = file.stream.read(mark.offset - mark.tail)
    end = tail[len(tail) - mark.end_bytes :]
    if len(tail) < mark.offset - mark.tail or _named(end) != mark.end:
        return None
    log = _Log(file, shape, key)
    log.begun_at, log.offset, log.lines, log.end = mark.offset, mark.offset, mark.lines, end
    log.reach.settled = mark.settled
    lines = [None if len(line) > LINE_BYTES else line for line in tail.split(b"\n")]
    block = Block(mark.tail, mark.offset, lines)
    log.remember(block, _Rows.of(block))
    return log


def _named(end: bytes) -> str:
    return blake2b(end, digest_size=ID_BYTES).hexdigest()


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)

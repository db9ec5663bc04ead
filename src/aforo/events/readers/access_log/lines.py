"""Lines of a log by their offsets, none held that is longer than a line may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

LINE_BYTES = 64 * 1024
BLOCK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that follow one another, None for one that is too long; `end` is after the last of them.

    Of the very last one of a file it may be that nothing ends it: then the block is `cut`.
    """

    start: int
    end: int
    lines: Sequence[bytes | None]
    cut: bool = False

    def ending(self, size: int) -> bytes:
        """The last bytes of its content, at most so many; fewer where a line is in them that is too long."""
        kept: list[bytes] = []
        room = size
        for line in reversed(self.lines):
            if line is None or room <= 0:
                break
            kept.append(line if self.cut and not kept else line + b"\n")
            room -= len(kept[-1])
        return b"".join(reversed(kept))[-size:]


def blocks(stream: BinaryIO, at: int, *, rows: int, ended: bool) -> Iterator[Block]:
    """The lines from `at`, where the stream stands, at most `rows` a block.

    A last line that nothing ends is one only where the file has `ended`: else it may still be written.
    """
    rest, skipped = b"", 0
    while data := stream.read(BLOCK_BYTES):
        *whole, rest = (rest + data).split(b"\n")
        for first in range(0, len(whole), rows):
            part = whole[first : first + rows]
            end = at + skipped + sum(map(len, part)) + len(part)
            lines = [None if len(line) > LINE_BYTES else line for line in part]
            if skipped:
                lines[0], skipped = None, 0
            yield Block(at, end, lines)
            at = end
        if skipped or len(rest) > LINE_BYTES:
            rest, skipped = b"", skipped + len(rest)
    if ended and (rest or skipped):
        yield Block(at, at + skipped + len(rest), [None if skipped else rest], cut=True)


def first_line(stream: BinaryIO) -> bytes | None:
    """The first line that is whole, or the beginning of one that is too long; None where neither is there."""
    stream.seek(0)
    start = stream.read(LINE_BYTES)
    line, ended, _ = start.partition(b"\n")
    return line if ended or len(start) == LINE_BYTES else None

"""RFC 3339 instants in columns of text: letters are read by their places, of all rows at once.

A pattern and a cast for each column would take many times as long, and longest where rows are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.events.cast.typed import FIRST_INSTANT, LAST_INSTANT, Mask, Typed, valid
from aforo.events.refusals import RefusalCode

Letters: TypeAlias = npt.NDArray[np.uint8]
Numbers: TypeAlias = npt.NDArray[np.int64]

_CLOCK = len("2013-01-31T17:05:00")
_OFFSET = len("+05:45")
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_DASHES, _COLONS, _BETWEEN = [4, 7], [13, 16], 10
_SMALL = np.uint8(ord("z") - ord("Z"))  # makes a letter a small one
_KEPT_DIGITS = 6  # of a fraction; what follows is cut
_USUAL_DIGITS = 9
_SECOND, _MINUTE, _DAY = 1_000_000, 60_000_000, 86_400_000_000  # in microseconds


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """Texts in one run of letters, by where each begins and ends in it; none is shorter than the shortest."""

    letters: Letters
    starts: Numbers
    ends: Numbers

    @classmethod
    def of(cls, texts: pa.Array) -> _Texts:
        _, offsets, letters = texts.buffers()
        bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset).astype(np.int64)
        run = np.frombuffer(letters, np.uint8) if letters is not None else np.zeros(0, np.uint8)
        return cls(run, bounds[:-1], bounds[1:])

    def some(self, rows: Numbers) -> _Texts:
        return (
            self
            if len(rows) == len(self.starts)
            else _Texts(self.letters, self.starts[rows], self.ends[rows])
        )

    def first(self, letters: int) -> Letters:
        """The first letters of each, one line a place."""
        found: Letters = self.letters[self.starts + np.arange(letters)[:, None]]
        return found

    def last(self, letters: int) -> Letters:
        """The last letters of each, one line a place."""
        found: Letters = self.letters[self.ends + np.arange(-letters, 0)[:, None]]
        return found


def timestamps(texts: pa.Array) -> Typed:
    """RFC 3339 with a zone, cut to microseconds; without one the instant is unknown and the row is bad."""
    there = valid(texts)
    whole = _Texts.of(texts)
    good = there & (whole.ends - whole.starts > _CLOCK)
    rows = np.flatnonzero(good)
    micros = np.zeros(len(texts), np.int64)
    micros[rows], good[rows] = _instants(whole.some(rows))
    over = good & ((micros < FIRST_INSTANT) | (micros > LAST_INSTANT))
    column = Typed(pa.array(micros, mask=~good | over).view(pa.timestamp("us")), {})
    return column.also(RefusalCode.WRONG_TYPE, there & ~good).also(RefusalCode.OUT_OF_RANGE, over)


def _instants(texts: _Texts) -> tuple[Numbers, Mask]:
    """Each text's microseconds, and whether it is an instant at all."""
    clock, told = _clock(texts.first(_CLOCK))
    offset, zone_at, zoned = _zone(texts)
    fraction, digits = _fraction(texts, zone_at)
    return clock + fraction - offset, told & zoned & digits


def _clock(letters: Letters) -> tuple[Numbers, Mask]:
    """What the first letters say, as if it were UTC."""
    digits = letters[_DIGITS] - np.uint8(ord("0"))
    good = (digits <= 9).all(axis=0)
    good &= (letters[_DASHES] == ord("-")).all(axis=0) & (letters[_COLONS] == ord(":")).all(axis=0)
    good &= (letters[_BETWEEN] | _SMALL == ord("t")) | (letters[_BETWEEN] == ord(" "))
    pairs = digits.reshape(7, 2, -1)
    # Where they are no digits, whatever comes of them will do.
    century, year, month, day, hour, minute, second = (10 * pairs[:, 0] + pairs[:, 1]).astype(np.int64)
    good &= (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    months = (12 * (100 * century + year - 1970) + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    first, next_first = (each.astype("datetime64[D]").astype(np.int64) for each in (months, months + 1))
    good &= day <= next_first - first
    days = first + day - 1
    return days * _DAY + (60 * hour + minute) * _MINUTE + second * _SECOND, good


def _zone(texts: _Texts) -> tuple[Numbers, Numbers, Mask]:
    """Each text's distance from UTC in microseconds, where its zone begins, and whether it has one."""
    utc: Mask = texts.letters[texts.ends - 1] | _SMALL == ord("z")
    offset, begins, good = np.zeros(len(utc), np.int64), texts.ends - 1, utc.copy()
    others = np.flatnonzero(~utc)
    if len(others):
        begins[others] -= _OFFSET - 1
        offset[others], good[others] = _offset(texts.some(others).last(_OFFSET))
    return offset, begins, good & (begins >= texts.starts + _CLOCK)


def _offset(letters: Letters) -> tuple[Numbers, Mask]:
    digits = letters[[1, 2, 4, 5]] - np.uint8(ord("0"))
    good = (digits <= 9).all(axis=0) & (letters[3] == ord(":"))
    good &= (letters[0] == ord("+")) | (letters[0] == ord("-"))
    hour, minute = (10 * digits[::2] + digits[1::2]).astype(np.int64)
    good &= (hour < 24) & (minute < 60)
    return np.where(letters[0] == ord("-"), -1, 1) * (60 * hour + minute) * _MINUTE, good


def _fraction(texts: _Texts, ends: Numbers) -> tuple[Numbers, Mask]:
    """Each text's part of a second in microseconds, and whether nothing else stands before its zone."""
    begins = texts.starts + _CLOCK
    lengths = ends - begins - 1  # without the point; -1 where there is none
    good: Mask = (lengths < 0) | (lengths > 0) & (texts.letters[begins] == ord("."))
    places = np.arange(max(0, min(_USUAL_DIGITS, int(lengths.max(initial=0)))))[:, None]
    letters = texts.letters[np.minimum(begins + 1 + places, ends)]
    digits = np.where(places < lengths, letters - np.uint8(ord("0")), 0)
    good &= (digits <= 9).all(axis=0)
    for row in np.flatnonzero(lengths > _USUAL_DIGITS).tolist():  # one may have millions
        good[row] &= texts.letters[begins[row] + 1 : ends[row]].tobytes().isdigit()
    kept = places[:_KEPT_DIGITS]
    return (digits[: len(kept)].astype(np.int64) * 10 ** (_KEPT_DIGITS - 1 - kept)).sum(axis=0), good

"""A typed column, and which of its rows are bad and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.events.refusals import RefusalCode
from aforo.model.field import FieldType

Mask: TypeAlias = npt.NDArray[np.bool_]
Faults: TypeAlias = Mapping[RefusalCode, Mask]

# The years 1 to 9999, in microseconds: what a calendar and RFC 3339 can write.
FIRST_INSTANT = -62_135_596_800_000_000
LAST_INSTANT = 253_402_300_799_999_999

ARROW: Mapping[FieldType, pa.DataType] = MappingProxyType(
    {
        FieldType.STRING: pa.string(),
        FieldType.INTEGER: pa.int64(),
        FieldType.NUMBER: pa.float64(),
        FieldType.BOOLEAN: pa.bool_(),
        FieldType.TIMESTAMP: pa.timestamp("us"),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """An array of the field's Arrow type, null where a row is bad.

    `faults` names the bad rows by their code: masks that hold at least one row and share none.
    """

    array: pa.Array
    faults: Faults

    @property
    def bad(self) -> Mask:
        """The rows that cannot be taken, whatever the code."""
        out = np.zeros(len(self.array), np.bool_)
        for mask in self.faults.values():
            out |= mask
        return out

    def also(self, code: RefusalCode, mask: Mask) -> Typed:
        """The column with these rows bad too; a row that was bad keeps its code."""
        if not mask.any():
            return self
        fresh = mask & ~self.bad
        if not fresh.any():
            return self
        known = self.faults.get(code)
        faults = {**self.faults, code: fresh if known is None else known | fresh}
        return Typed(without(self.array, fresh), faults)


def without(array: pa.Array, mask: Mask) -> pa.Array:
    """The array with null where the mask holds."""
    if not mask.any():
        return array
    return pc.if_else(pa.array(mask), pa.scalar(None, array.type), array)


def mask_of(flags: pa.Array) -> Mask:
    """A boolean array as a mask, nulls as false."""
    known = pc.fill_null(flags, False) if flags.null_count else flags
    mask: Mask = known.to_numpy(zero_copy_only=False)
    return mask


def valid(array: pa.Array) -> Mask:
    """The rows that are not null."""
    return mask_of(array.is_valid())


def byte_lengths(texts: pa.Array) -> npt.NDArray[np.int32]:
    """How many bytes each text takes; whatever the array says of one that is null."""
    if not len(texts):
        return np.zeros(0, np.int32)
    bounds = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset)
    lengths: npt.NDArray[np.int32] = bounds[1:] - bounds[:-1]
    return lengths


def not_finite(numbers: pa.Array) -> Mask:
    """NaN and infinities."""
    return mask_of(pc.invert(pc.is_finite(numbers)))


def outside(array: pa.Array, least: object, most: object) -> Mask:
    """The rows below `least` or above `most`, which are numbers or Arrow scalars."""
    return mask_of(pc.or_(pc.less(array, least), pc.greater(array, most)))

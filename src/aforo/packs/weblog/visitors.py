"""Visitors by a hash of address and agent, salted for the time of the request."""

from __future__ import annotations

from datetime import date
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aforo.windows import EARLIEST, LATEST, SLOT, Zone

VISITOR_BYTES = 16
SALT_BYTES = 32
A_DAY = date(1970, 1, 7)


class Visitors:
    """Names visitors so that neither address nor agent can be read from the name.

    The salt is made of a tenant's root secret and of the period of local days that the request falls into,
    and of nothing else: whenever a line arrives, and however often, its visitor has the same name, and no day
    is cut by a change. Periods are counted from the start of a week; with `salt_days` 0 there is one only.
    """

    def __init__(self, root: bytes, zone: Zone, *, salt_days: int) -> None:
        self._root = root
        self._zone = zone
        self._salt_days = salt_days
        self._origin = zone.week_start_of(A_DAY).toordinal()

    def names(self, addresses: pa.Array, agents: pa.Array, times: npt.NDArray[np.int64]) -> pa.Array:
        """The visitor of each request, 32 hex digits; times are microseconds, agents null where none came."""
        periods = pa.array(self._periods(times)).cast(pa.string()).cast(pa.binary())
        # The period and the length come first, so that no address runs into its agent.
        lengths = pc.binary_length(addresses).cast(pa.string()).cast(pa.binary())
        keys = pc.binary_join_element_wise(
            periods, lengths, addresses, agents, b":", null_handling="replace", null_replacement=b""
        )
        coded = keys.dictionary_encode()
        salts: dict[bytes, bytes] = {}
        names = [self._name(key, salts) for key in coded.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(coded.indices)

    def _name(self, key: bytes, salts: dict[bytes, bytes]) -> str:
        period, _, who = key.partition(b":")
        salt = salts.get(period)
        if salt is None:
            salt = salts[period] = blake2b(period, key=self._root, digest_size=SALT_BYTES).digest()
        return blake2b(who, key=salt, digest_size=VISITOR_BYTES).hexdigest()

    def _periods(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if not self._salt_days:
            return np.zeros(len(times), np.int64)
        # Days begin with slots, so one look at the zone does for all of a slot. What lies outside of the
        # times that events can have is refused later, and only must not break anything here.
        slots = np.clip(times, EARLIEST, LATEST - 1) // SLOT
        different, inverse = np.unique(slots, return_inverse=True)
        periods = [self._period(slot * SLOT) for slot in different.tolist()]
        return np.array(periods, np.int64)[inverse]

    def _period(self, time: int) -> int:
        return (self._zone.date_of(time).toordinal() - self._origin) // self._salt_days

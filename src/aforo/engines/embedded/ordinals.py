"""The numbers that entities' values have, at hand for the thread that writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded import dictionary
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.dictionary import Numbered
from aforo.engines.embedded.hashes import Hashes
from aforo.model.stream import Entity


@dataclass(slots=True)
class _Known:
    """What is remembered of one entity; `whole` while nothing of its table has been left out.

    `hashed` are the tenants some of whose values stand there as hashes.
    """

    whole: bool
    ordinals: dict[str, dict[str, int]] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)
    hashed: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        return sum(map(len, self.ordinals.values()))


class Ordinals:
    """Numbers values as they come, each tenant's from 0, and remembers up to `most` of them.

    The tables are searched only for what may have been left out of memory: a table is read whole once, and
    again never while it fits. Used within write transactions only; `forget` follows one that was rolled back.
    """

    def __init__(self, most: int, hashes: Hashes) -> None:
        self._most = most
        self._hashes = hashes
        self._known: dict[str, _Known] = {}

    def forget(self) -> None:
        """Reads everything again: what was remembered may never have been written."""
        self._known.clear()

    def of(self, cursor: Cursor, entity: Entity, rows: pa.Table) -> pa.Array:
        """The ordinals of the rows, null where they have no value; new values are written."""
        known = self._remembered(cursor, entity)
        tenants = rows["tenant"].combine_chunks().dictionary_encode()
        codes = tenants.indices.to_numpy(zero_copy_only=False)
        values = pc.cast(rows[entity.field].combine_chunks(), pa.string())
        out = np.zeros(rows.num_rows, np.uint32)
        new: list[Numbered] = []
        for code, tenant in enumerate(tenants.dictionary.to_pylist()):
            places = np.flatnonzero(codes == code)
            mine = values.take(places).to_pylist()
            numbers = known.ordinals.setdefault(tenant, {})
            missing = [value for value in dict.fromkeys(mine) if value is not None and value not in numbers]
            if missing:
                new += self._learn(cursor, known, entity, tenant, missing)
            out[places] = list(map(numbers.get, mine, repeat(0)))
        if new:
            dictionary.add(cursor, entity.name, new)
        self._let_go(known)
        return pa.array(out, mask=~values.is_valid().to_numpy(zero_copy_only=False))

    def _learn(
        self, cursor: Cursor, known: _Known, entity: Entity, tenant: str, missing: Sequence[str]
    ) -> list[Numbered]:
        """Remembers values of a tenant that were not at hand; of these, what nobody had numbered."""
        numbers = known.ordinals[tenant]
        if not known.whole:
            numbers.update(dictionary.found(cursor, entity.name, tenant, missing))
            missing = [value for value in missing if value not in numbers]
        if missing and tenant in known.hashed:
            numbers.update(self._returned(cursor, known, entity, tenant, missing))
            missing = [value for value in missing if value not in numbers]
        first = known.next.get(tenant, 0)
        numbers.update(zip(missing, range(first, first + len(missing)), strict=True))
        known.next[tenant] = first + len(missing)
        return [Numbered(tenant, missing, first)] if missing else []

    def _returned(
        self, cursor: Cursor, known: _Known, entity: Entity, tenant: str, missing: Sequence[str]
    ) -> dict[str, int]:
        """Those that stand there as hashes, with their numbers; from now on they stand there in clear."""
        forms = {self._hashes.of(tenant, entity.name, value): value for value in missing}
        numbers = known.ordinals[tenant]
        there = (
            [(form, numbers.pop(form)) for form in forms if form in numbers]
            if known.whole
            else dictionary.found(cursor, entity.name, tenant, forms)
        )
        back = {forms[form]: number for form, number in there}
        dictionary.clear_again(
            cursor, entity.name, [(tenant, value, number) for value, number in back.items()]
        )
        return back

    def _remembered(self, cursor: Cursor, entity: Entity) -> _Known:
        known = self._known.get(entity.name)
        if known is None:
            known = self._read(cursor, entity.name)
            self._known[entity.name] = known
        return known

    def _let_go(self, known: _Known) -> None:
        """Drops what one entity remembers once all together remember too much; its numbers go on."""
        if sum(each.size for each in self._known.values()) > self._most:
            known.ordinals.clear()
            known.whole = False

    def _read(self, cursor: Cursor, entity: str) -> _Known:
        known = _Known(whole=dictionary.size(cursor, entity) <= self._most)
        known.next.update(dictionary.next_numbers(cursor, entity))
        if self._hashes.exist(cursor):
            known.hashed = dictionary.hashed_tenants(cursor, entity)
        if known.whole:
            for tenant, value, ordinal in dictionary.rows(cursor, entity):
                known.ordinals.setdefault(tenant, {})[value] = ordinal
        return known

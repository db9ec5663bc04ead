"""The numbers that entities' values have, at hand for the thread that writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.layout import entity_table
from aforo.model.stream import Entity

NEW = "new_entities"


@dataclass(slots=True)
class _Known:
    """What is remembered of one entity; `whole` while nothing of its table has been left out."""

    whole: bool
    ordinals: dict[str, dict[str, int]] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.ordinals.values()))


class Ordinals:
    """Numbers values as they come, each tenant's from 0, and remembers up to `most` of them.

    The tables are searched only for what may have been left out of memory: a table is read whole once, and
    again never while it fits. Used within write transactions only; `forget` follows one that was rolled back.
    """

    def __init__(self, most: int) -> None:
        self._most = most
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
        new: list[tuple[str, str, int]] = []
        for code, tenant in enumerate(tenants.dictionary.to_pylist()):
            places = np.flatnonzero(codes == code)
            mine = values.take(places).to_pylist()
            new += self._learn(cursor, known, entity, tenant, mine)
            numbers = known.ordinals[tenant]
            out[places] = [0 if value is None else numbers[value] for value in mine]
        if new:
            _write(cursor, entity, new)
        self._let_go(known)
        return pa.array(out, mask=~values.is_valid().to_numpy(zero_copy_only=False))

    def _learn(
        self, cursor: Cursor, known: _Known, entity: Entity, tenant: str, values: Sequence[str | None]
    ) -> list[tuple[str, str, int]]:
        """Sees to it that all of a tenant's values are remembered; those that nobody had numbered."""
        numbers = known.ordinals.setdefault(tenant, {})
        missing = [value for value in dict.fromkeys(values) if value is not None and value not in numbers]
        if missing and not known.whole:
            numbers.update(_found(cursor, entity, tenant, missing))
            missing = [value for value in missing if value not in numbers]
        first = known.next.get(tenant, 0)
        numbers.update(zip(missing, range(first, first + len(missing)), strict=True))
        known.next[tenant] = first + len(missing)
        return [(tenant, value, first + at) for at, value in enumerate(missing)]

    def _remembered(self, cursor: Cursor, entity: Entity) -> _Known:
        known = self._known.get(entity.name)
        if known is None:
            known = _read(cursor, entity, self._most)
            self._known[entity.name] = known
        return known

    def _let_go(self, known: _Known) -> None:
        """Drops what one entity remembers once all together remember too much; its numbers go on."""
        if sum(each.size for each in self._known.values()) > self._most:
            known.ordinals.clear()
            known.whole = False


def _read(cursor: Cursor, entity: Entity, most: int) -> _Known:
    table = entity_table(entity.name)
    counted = first_row(cursor, f"SELECT count(*) FROM {table}")
    known = _Known(whole=counted is not None and int(counted[0]) <= most)
    known.next.update(
        cursor.execute(
            f"""
            -- The number that each tenant's next {entity.name} gets.
            SELECT tenant, max(ordinal)::BIGINT + 1 FROM {table} GROUP BY tenant
            """
        ).fetchall()
    )
    if known.whole:
        for tenant, value, ordinal in cursor.execute(
            f"SELECT tenant, value, ordinal FROM {table}"
        ).fetchall():
            known.ordinals.setdefault(tenant, {})[value] = ordinal
    return known


def _found(cursor: Cursor, entity: Entity, tenant: str, values: Iterable[str]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = cursor.execute(
        f"""
        -- Which of these values of a tenant have a number already.
        SELECT d.value, d.ordinal FROM {entity_table(entity.name)} AS d
        SEMI JOIN (SELECT unnest($values) AS value) AS v ON v.value = d.value WHERE d.tenant = $tenant
        """,
        {"tenant": tenant, "values": list(values)},
    ).fetchall()
    return found


def _write(cursor: Cursor, entity: Entity, new: list[tuple[str, str, int]]) -> None:
    tenants, values, ordinals = zip(*new, strict=True)
    cursor.register(NEW, pa.table({"tenant": tenants, "value": values, "ordinal": pa.array(ordinals)}))
    cursor.execute(f"INSERT INTO {entity_table(entity.name)} SELECT tenant, value, ordinal FROM {NEW}")
    cursor.unregister(NEW)

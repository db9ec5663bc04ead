"""Forget: of a value whose events were deleted a hash is kept while a set holds it, and nothing after that.

What is found comes of one snapshot; who came back since then is left as it is by the write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from aforo.engines.embedded import dictionary, sets, unheld
from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.erasing import streams_of
from aforo.engines.embedded.hashes import CLEAR, Hashes
from aforo.engines.embedded.layout import entity_table, quoted
from aforo.engines.embedded.modelling import last_commit
from aforo.engines.keeping import Forgotten
from aforo.model.model import Model
from aforo.states import distinct

LOOKED_AT, BACK, LOOSE, HASHED = "looked_at", "back_again", "loose", "hashed_values"

ENTITIES = "SELECT DISTINCT entity FROM unheld ORDER BY entity"

RIPE = """
-- Whose events went, once what was marked by then is folded: until then sets may hold what they will not.
SELECT u.tenant, u.ordinal, max(u."commit") AS "commit" FROM unheld AS u
LEFT JOIN (
    SELECT tenant, min("commit") AS first FROM (
        SELECT tenant, "commit" FROM ledger WHERE list_contains($streams, stream)
        UNION ALL
        SELECT tenant, 0 FROM derive_marks WHERE list_contains($streams, stream) AND since = 0
    ) GROUP BY tenant
) AS w ON w.tenant = u.tenant
WHERE u.entity = $entity GROUP BY u.tenant, u.ordinal, w.first
HAVING coalesce(w.first > max(u."commit"), true) ORDER BY u.tenant, u.ordinal LIMIT $most
"""

NOT_BACK = f"""
-- Those that nobody brought meanwhile.
SELECT l.* FROM {LOOSE} AS l ANTI JOIN {BACK} AS b ON b.tenant = l.tenant AND b.ordinal = l.ordinal
"""

ANSWERED = f"""
-- What was noted again since then is looked at again.
DELETE FROM unheld USING {LOOKED_AT} AS l
WHERE unheld.entity = $entity AND unheld.tenant = l.tenant AND unheld.ordinal = l.ordinal
    AND unheld."commit" <= l."commit"
"""

LAST_GIVEN = "DELETE FROM numbers_given WHERE entity = $entity AND list_contains($tenants, tenant)"

GIVEN = """
-- How far each tenant has counted, before the last of its numbers go.
INSERT INTO numbers_given SELECT $entity, unnest($tenants), unnest($next)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Values of one entity that were looked at as of a commit; no event has those to be hashed or removed.

    All have the columns `tenant` and `ordinal`; those to be hashed also `value`.
    """

    entity: str
    as_of: int
    looked_at: pa.Table
    to_hash: pa.Table
    to_remove: pa.Table


def find(cursor: Cursor, model: Model, most_values: int) -> Found | None:
    """Looks at values of one entity, at most so many; None where none is to be looked at."""
    for (entity,) in cursor.execute(ENTITIES).fetchall():
        streams = [stream.name for stream in streams_of(model, entity)]
        asked = {"entity": entity, "streams": streams, "most": most_values}
        ripe = cursor.sql(RIPE, params=asked).to_arrow_table()
        if ripe.num_rows:
            loose = _loose(cursor, entity, ripe)
            to_hash, to_remove = _apart(cursor, sets.of_entity(cursor, model, entity), loose)
            return Found(
                entity, last_commit(cursor), ripe, _values(cursor, entity, _table(to_hash)), _table(to_remove)
            )
    return None


def write(cursor: Cursor, found: Found, hashes: Hashes) -> Forgotten:
    """Hashes and removes what was found, but for those whom events brought back since."""
    cursor.register(LOOKED_AT, found.looked_at)
    cursor.register(BACK, _in_events(cursor, found.entity, found.as_of))
    hashed = _hash(cursor, found, hashes)
    removed = _remove(cursor, found)
    cursor.execute(ANSWERED, {"entity": found.entity})
    cursor.unregister(LOOKED_AT)
    cursor.unregister(BACK)
    return Forgotten(found.looked_at.num_rows, hashed, removed)


def _loose(cursor: Cursor, entity: str, ripe: pa.Table) -> dict[str, BitMap]:
    """Those of the ripe that no event has, by tenant."""
    cursor.register(LOOKED_AT, ripe)
    cursor.register(LOOSE, ripe.select(["tenant", "ordinal"]))
    cursor.register(BACK, _in_events(cursor, entity, since=0))
    loose = cursor.sql(NOT_BACK).to_arrow_table()
    for name in (LOOKED_AT, LOOSE, BACK):
        cursor.unregister(name)
    tenants = loose["tenant"].combine_chunks().dictionary_encode()
    codes = tenants.indices.to_numpy(zero_copy_only=False)
    ordinals = loose["ordinal"].to_numpy()
    return {
        tenant: distinct.of_members(ordinals[codes == code])
        for code, tenant in enumerate(tenants.dictionary.to_pylist())
    }


def _in_events(cursor: Cursor, entity: str, since: int) -> pa.Table:
    """Those of the registered values that any event of a commit from `since` on has."""
    selects = [
        f"""
        SELECT DISTINCT e.tenant, e.{quoted(column)} AS ordinal FROM {quoted(table)} AS e
        SEMI JOIN {LOOKED_AT} AS l ON l.tenant = e.tenant AND l.ordinal = e.{quoted(column)}
        WHERE e."commit" >= $since
        """
        for table, column in unheld.numbered(cursor, entity)
    ]
    if not selects:
        return _table({})
    return cursor.sql(" UNION ".join(selects), params={"since": since}).to_arrow_table()


def _apart(
    cursor: Cursor, kept: list[sets.Sets], loose: Mapping[str, BitMap]
) -> tuple[dict[str, BitMap], dict[str, BitMap]]:
    """Those that a set holds, and those that none does, by tenant. The newest days are read first."""
    held: dict[str, BitMap] = {}
    unset: dict[str, BitMap] = {}
    for tenant, asked in loose.items():
        left = asked.copy()
        for each in kept:
            for _, everybody in each.days(cursor, tenant):
                left -= everybody
                if not left:
                    break
        held[tenant], unset[tenant] = asked - left, left
    return held, unset


def _values(cursor: Cursor, entity: str, of: pa.Table) -> pa.Table:
    """What stands in clear of some numbers."""
    cursor.register(LOOSE, of)
    values = cursor.sql(
        f"""
        -- The values that are to be hashed.
        SELECT d.tenant, d.value, d.ordinal FROM {entity_table(entity)} AS d
        SEMI JOIN {LOOSE} AS l ON l.tenant = d.tenant AND l.ordinal = d.ordinal WHERE {CLEAR}
        """
    ).to_arrow_table()
    cursor.unregister(LOOSE)
    return values


def _hash(cursor: Cursor, found: Found, hashes: Hashes) -> int:
    """Puts hashes in the places of values; not where a value was erased meanwhile."""
    cursor.register(LOOSE, found.to_hash)
    rows = cursor.execute(NOT_BACK).fetchall()
    cursor.unregister(LOOSE)
    if not rows:
        return 0
    hashes.begin(cursor)
    tenants, values, ordinals = zip(*rows, strict=True)
    forms = [hashes.of(tenant, found.entity, value) for tenant, value, _ in rows]
    cursor.register(
        HASHED, pa.table({"tenant": tenants, "value": values, "ordinal": pa.array(ordinals), "form": forms})
    )
    table = entity_table(found.entity)
    changed = first_row(
        cursor,
        f"""
        -- Nobody's events say these values any more.
        UPDATE {table} SET value = h.form FROM {HASHED} AS h
        WHERE {table}.tenant = h.tenant AND {table}.ordinal = h.ordinal AND {table}.value = h.value
        """,
    )
    cursor.unregister(HASHED)
    return 0 if changed is None else int(changed[0])


def _remove(cursor: Cursor, found: Found) -> int:
    """Takes numbers away that nothing holds; they are not given again."""
    cursor.register(LOOSE, found.to_remove)
    going = cursor.sql(NOT_BACK).to_arrow_table()
    cursor.unregister(LOOSE)
    if not going.num_rows:
        return 0
    tenants = going["tenant"].unique().to_pylist()
    given = dictionary.next_numbers(cursor, found.entity)
    counted = {"entity": found.entity, "tenants": tenants}
    cursor.execute(LAST_GIVEN, counted)
    cursor.execute(GIVEN, {**counted, "next": [given[tenant] for tenant in tenants]})
    cursor.register(LOOSE, going)
    table = entity_table(found.entity)
    removed = first_row(
        cursor,
        f"DELETE FROM {table} USING {LOOSE} AS l "
        f"WHERE {table}.tenant = l.tenant AND {table}.ordinal = l.ordinal",
    )
    cursor.unregister(LOOSE)
    return 0 if removed is None else int(removed[0])


def _table(numbers: Mapping[str, BitMap]) -> pa.Table:
    """Numbers by tenant as rows."""
    ordinals = [np.array(each, np.uint32) for each in numbers.values()]
    sizes = [len(each) for each in ordinals]
    return pa.table(
        {
            "tenant": pa.array(np.repeat(np.array(list(numbers), np.object_), sizes), pa.string()),
            "ordinal": pa.array(np.concatenate(ordinals) if ordinals else np.empty(0, np.uint32)),
        }
    )

"""The rows of a rollup's period: from the events themselves, or merged from its slots (law 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout
from aforo.engines.embedded.parameters import timestamp
from aforo.engines.engine import Period
from aforo.states import distinct


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of a rollup's three tables; None for a part the rollup does not have."""

    sums: pa.Table
    buckets: pa.Table | None
    sets: pa.Table | None


def from_events(cursor: Cursor, layout: RollupLayout, start: str, *, only_dirty: bool) -> Parts:
    """Folds the registered `picked` events by their column `start`."""
    chosen = "WHERE __dirty" if only_dirty else "WHERE true"
    group = ", ".join(("__tenant AS tenant", f"{start} AS start", *layout.dimensions))
    return Parts(
        sums=cursor.sql(_fold_sums_sql(layout, group, chosen)).to_arrow_table(),
        buckets=_union(cursor, [_fold_buckets_sql(each, group, chosen) for each in layout.histograms]),
        sets=_concatenated(
            [_sets(cursor, each, _fold_sets_sql(each, group, chosen)) for each in layout.distincts]
        ),
    )


def from_slots(cursor: Cursor, layout: RollupLayout, span: tuple[int, int], fresh: Parts) -> Parts:
    """Merges into days the slots just folded and those of `span` that are kept and were not dirty."""
    within: dict[str, object] = {"first": timestamp(span[0]), "end": timestamp(span[1])}
    cursor.register("fresh_sums", fresh.sums)
    return Parts(
        sums=cursor.sql(_merge_sums_sql(layout), params=within).to_arrow_table(),
        buckets=_merge_buckets(cursor, layout, within, fresh.buckets),
        sets=_merge_sets(cursor, layout, within, fresh.sets),
    )


def _fold_sums_sql(layout: RollupLayout, group: str, chosen: str) -> str:
    states = "".join(f", {column.fold} AS {column.name}" for column in layout.columns)
    return f"""
        -- Counts, sums and extremes of {layout.rollup.name}.
        SELECT {group}{states} FROM picked {chosen} GROUP BY ALL ORDER BY tenant, start
    """


def _fold_buckets_sql(measure: MeasureLayout, group: str, chosen: str) -> str:
    return f"""
        -- How many values of {measure.measure.name} fall into each bucket, as two lists a group.
        SELECT * EXCLUDE (__key, __count), '{measure.key}' AS __measure, list(__key) AS __keys,
            list(__count) AS __counts
        FROM (
            SELECT {group}, {measure.input} AS __key, count(*) AS __count
            FROM picked {chosen} AND {measure.input} IS NOT NULL GROUP BY ALL
        ) GROUP BY ALL
    """


def _fold_sets_sql(measure: MeasureLayout, group: str, chosen: str) -> str:
    return f"""
        -- Which entities {measure.measure.name} saw, by group.
        SELECT {group}, list({measure.input}) AS __ordinals
        FROM picked {chosen} AND {measure.input} IS NOT NULL GROUP BY ALL ORDER BY tenant, start
    """


def _union(cursor: Cursor, selects: list[str]) -> pa.Table | None:
    if not selects:
        return None
    return cursor.sql(" UNION ALL ".join(selects) + " ORDER BY __measure, tenant, start").to_arrow_table()


def _sets(cursor: Cursor, measure: MeasureLayout, sql: str) -> pa.Table:
    """Groups with their lists of ordinals become groups with one bitmap each."""
    found = cursor.sql(sql).to_arrow_table()
    lists = found["__ordinals"].combine_chunks()
    groups = np.repeat(np.arange(found.num_rows), lists.value_lengths().to_numpy(zero_copy_only=False))
    ordinals = lists.flatten().to_numpy(zero_copy_only=False)
    return _with_sets(found.drop_columns(["__ordinals"]), measure.key, groups, ordinals)


def _with_sets(groups: pa.Table, key: str, of_group: np.ndarray, ordinals: np.ndarray) -> pa.Table:
    encoded = distinct.encode(of_group, ordinals, groups.num_rows)
    return groups.append_column("__measure", pa.array([key] * groups.num_rows, pa.string())).append_column(
        "__ordinals", encoded
    )


def _concatenated(tables: list[pa.Table]) -> pa.Table | None:
    return pa.concat_tables(tables) if tables else None


def _merge_sums_sql(layout: RollupLayout) -> str:
    dimensions = "".join(f", {name}" for name in layout.dimensions)
    columns = "".join(f", {column.name}" for column in layout.columns)
    merged = "".join(f", {column.merge} AS {column.name}" for column in layout.columns)
    return f"""
        -- A day's counts, sums and extremes are the merge of its slots'.
        WITH slots AS ({_slots_sql(layout, "sums", columns)})
        SELECT tenant, day AS start{dimensions}{merged} FROM slots GROUP BY ALL ORDER BY tenant, day
    """


def _slots_sql(layout: RollupLayout, part: str, columns: str) -> str:
    """The slots of the days to fold, with their day: those just folded, and those kept and not dirty."""
    dimensions = "".join(f", {name}" for name in layout.dimensions)
    return f"""
        SELECT f.tenant, c.__day AS day{dimensions}{columns}
        FROM fresh_{part} AS f JOIN calendar AS c ON c.__tenant = f.tenant AND c.__slot = f.start
        UNION ALL
        SELECT k.tenant, c.__day AS day{dimensions}{columns}
        FROM {layout.table(Period.SLOT, part)} AS k
        JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = k.start AND NOT c.__dirty
        WHERE k.start >= $first AND k.start < $end
    """


def _merge_buckets(
    cursor: Cursor, layout: RollupLayout, within: dict[str, object], fresh: pa.Table | None
) -> pa.Table | None:
    if fresh is None:
        return None
    cursor.register("fresh_buckets", fresh)
    dimensions = "".join(f", {name}" for name in layout.dimensions)
    sql = f"""
        -- A day's histograms are the sums of its slots', bucket by bucket.
        WITH slots AS ({_slots_sql(layout, "buckets", ", __measure, __keys, __counts")}), counted AS (
            SELECT tenant, day{dimensions}, __measure, unnest(__keys) AS __key, unnest(__counts) AS __count
            FROM slots
        ), merged AS (
            SELECT tenant, day{dimensions}, __measure, __key, sum(__count)::BIGINT AS __count
            FROM counted GROUP BY ALL
        )
        SELECT tenant, day AS start{dimensions}, __measure, list(__key) AS __keys, list(__count) AS __counts
        FROM merged GROUP BY ALL ORDER BY __measure, tenant, day
    """
    return cursor.sql(sql, params=within).to_arrow_table()


def _merge_sets(
    cursor: Cursor, layout: RollupLayout, within: dict[str, object], fresh: pa.Table | None
) -> pa.Table | None:
    """A day's sets are the unions of its slots': all are decoded, grouped and encoded at once."""
    if fresh is None:
        return None
    cursor.register("fresh_sets", fresh)
    dimensions = "".join(f", {name}" for name in layout.dimensions)
    sql = f"""
        -- The sets of the slots of the days to fold.
        WITH slots AS ({_slots_sql(layout, "sets", ", __measure, __ordinals")})
        SELECT tenant, day AS start{dimensions}, __measure, __ordinals FROM slots ORDER BY tenant, day
    """
    slots = cursor.sql(sql, params=within).to_arrow_table()
    numbered = slots.drop_columns(["__ordinals"]).append_column("__row", pa.array(np.arange(slots.num_rows)))
    cursor.register("slot_sets", numbered)
    groups = cursor.sql(
        f"""
        -- Which rows of slots make up each day's set.
        SELECT tenant, start{dimensions}, __measure, list(__row) AS __members
        FROM slot_sets GROUP BY ALL ORDER BY tenant, start
        """
    ).to_arrow_table()
    members = groups["__members"].combine_chunks()
    group_of = np.empty(slots.num_rows, np.int64)
    group_of[members.flatten().to_numpy(zero_copy_only=False)] = np.repeat(
        np.arange(groups.num_rows), members.value_lengths().to_numpy(zero_copy_only=False)
    )
    rows, ordinals = distinct.decode(slots["__ordinals"])
    encoded = distinct.encode(group_of[rows], ordinals, groups.num_rows)
    return groups.drop_columns(["__members"]).append_column("__ordinals", encoded)

"""The sets of a rollup's rows and what they should be, as pairs of group and ordinal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aforo.engines.drifted import Against
from aforo.engines.embedded.comparison import Comparison
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.gathering import lengths_of
from aforo.engines.embedded.parameters import Parameters
from aforo.engines.folds import Period
from aforo.states import distinct

Pairs = npt.NDArray[np.uint64]
Members = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]
Statement = tuple[str, Parameters]


def both_sets(cursor: Cursor, compared: Comparison) -> tuple[pa.Table, Pairs, Pairs]:
    """The groups that have a set on either side, and the pairs (group, ordinal) of both, ascending."""
    of_slots = compared.against is Against.SLOTS
    wanted, wanted_members = _members(cursor, _wanted(compared), kept=of_slots)
    kept, kept_members = _members(cursor, _kept(compared, compared.period, "start"), kept=True)
    groups, of_wanted, of_kept = _grouped(cursor, compared, wanted, kept)
    return groups, _as_pairs(of_wanted, wanted_members), _as_pairs(of_kept, kept_members)


def _wanted(compared: Comparison) -> Statement:
    if compared.against is Against.SLOTS:
        return _kept(compared, Period.SLOT, f"{compared.start} AS start")
    parameters = Parameters()
    selects = " UNION ALL ".join(
        f"""
            SELECT {compared.start} AS start{compared.dimensions}, {parameters.bind(each.key)} AS __measure,
                list(DISTINCT {each.input}) AS __ordinals
            {compared.picked()} AND {each.input} IS NOT NULL GROUP BY ALL
        """
        for each in compared.layout.distincts
    )
    return f"-- Which entities the events of days have.\n{selects}", parameters


def _kept(compared: Comparison, period: Period, start: str) -> Statement:
    parameters = Parameters()
    selects = " UNION ALL ".join(
        f"""
            SELECT {start}{compared.dimensions}, {parameters.bind(each.key)} AS __measure,
                {each.input} AS __ordinals
            {compared.kept(parameters, period)} AND len({each.input}) > 0
        """
        for each in compared.layout.distincts
    )
    return (
        f"-- The sets of each {period} of {compared.layout.rollup.name} as they are kept.\n{selects}",
        parameters,
    )


def _members(cursor: Cursor, statement: Statement, *, kept: bool) -> tuple[pa.Table, Members]:
    """The groups, and the members of their sets as (row, ordinal); `kept` sets are read from their gaps."""
    sql, parameters = statement
    found = cursor.sql(sql, params=parameters).to_arrow_table()
    lists = found["__ordinals"].combine_chunks()
    rows = np.repeat(np.arange(found.num_rows), lengths_of(lists))
    numbers = lists.flatten().to_numpy(zero_copy_only=False)
    members = distinct.members(lengths_of(lists), numbers) if kept else numbers
    return found.drop_columns(["__ordinals"]), (rows, members)


def _grouped(
    cursor: Cursor, compared: Comparison, wanted: pa.Table, kept: pa.Table
) -> tuple[pa.Table, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Every group of either side once, and which of them each side's rows are."""
    numbered = pa.concat_tables(
        [
            table.append_column("__is_kept", pa.array([is_kept] * table.num_rows, pa.bool_())).append_column(
                "__row", pa.array(np.arange(table.num_rows))
            )
            for is_kept, table in ((False, wanted), (True, kept))
        ],
        promote_options="permissive",
    )
    cursor.register("drift_sets", numbered)
    found = cursor.sql(
        f"""
        -- The groups of sets, and their rows on either side.
        SELECT start{compared.dimensions}, __measure, list(__row) FILTER (NOT __is_kept) AS __of_wanted,
            list(__row) FILTER (__is_kept) AS __of_kept
        FROM drift_sets GROUP BY start{compared.dimensions}, __measure
        ORDER BY start{compared.dimensions}, __measure
        """
    ).to_arrow_table()
    cursor.unregister("drift_sets")
    sides = (("__of_wanted", wanted.num_rows), ("__of_kept", kept.num_rows))
    of_wanted, of_kept = (_group_of(found[column].combine_chunks(), rows) for column, rows in sides)
    return found.drop_columns([column for column, _ in sides]), of_wanted, of_kept


def _group_of(members: pa.ListArray, rows: int) -> npt.NDArray[np.int64]:
    group_of = np.zeros(rows, np.int64)
    lengths = members.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    group_of[members.flatten().to_numpy(zero_copy_only=False)] = np.repeat(np.arange(len(members)), lengths)
    return group_of


def _as_pairs(group_of: npt.NDArray[np.int64], members: Members) -> Pairs:
    rows, ordinals = members
    return np.unique((group_of[rows].astype(np.uint64) << np.uint64(32)) | ordinals.astype(np.uint64))


def per_group(pairs: Pairs) -> dict[int, int]:
    """How many members each group that has any has."""
    groups, counts = np.unique(pairs >> np.uint64(32), return_counts=True)
    return dict(zip(groups.tolist(), counts.tolist(), strict=True))

"""Where kept rows of a rollup are not what they should be: a statement for each part, and what it finds.

Both sides go through one grouping, so that rows that are missing, too much or twice are found like wrong
ones, and nulls among the dimensions are equal.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from aforo.engines.drifted import Against, Difference
from aforo.engines.embedded.comparison import Comparison
from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.differing_sets import both_sets, per_group
from aforo.engines.embedded.layout import MeasureLayout, RollupLayout, StateColumn, quoted
from aforo.engines.embedded.parameters import Parameters, microseconds
from aforo.engines.folds import Period
from aforo.model.measure import MeasureKind
from aforo.states.histogram import value_of


def differences(cursor: Cursor, compared: Comparison) -> Iterator[Difference]:
    """Every difference, of the row's own numbers first. A row that is missing or too much is told once."""
    whole = set()
    for each in _of_sums(cursor, compared):
        if each.measure is None:
            whole.add(_row_of(each))
        yield each
    for each in _of_lists(cursor, compared):
        if _row_of(each) not in whole:
            yield each


def _row_of(difference: Difference) -> tuple[object, ...]:
    return (difference.start, *difference.split.values())


def _of_lists(cursor: Cursor, compared: Comparison) -> Iterator[Difference]:
    if compared.layout.histograms:
        yield from _of_buckets(cursor, compared)
    if compared.layout.distincts:
        yield from _of_sets(cursor, compared)


def _of_sums(cursor: Cursor, compared: Comparison) -> Iterator[Difference]:
    layout, parameters = compared.layout, Parameters()
    for row in _rows(cursor, sums_sql(compared, parameters), parameters):
        wanted, kept = row["__wanted_rows"], row["__kept_rows"]
        if wanted == kept:
            for unlike in _unlike(layout, row):
                yield _difference(compared, row, *unlike)
        else:
            states = (_states(layout, row, "w", wanted), _states(layout, row, "k", kept))
            yield _difference(compared, row, None, *states)


def _of_buckets(cursor: Cursor, compared: Comparison) -> Iterator[Difference]:
    parameters, names = Parameters(), _names(compared.layout.histograms)
    for row in _rows(cursor, buckets_sql(compared, parameters), parameters):
        more = f", and {row['__differ'] - 1} buckets more" if row["__differ"] > 1 else ""
        about = f"in the bucket of {value_of(row['__first']):.6g}{more}"
        wanted, kept = (f"{row[side]} {about}" for side in ("__wanted", "__kept"))
        yield _difference(compared, row, names[row["__measure"]], wanted, kept)


def _of_sets(cursor: Cursor, compared: Comparison) -> Iterator[Difference]:
    names = _names(compared.layout.distincts)
    groups, wanted, kept = both_sets(cursor, compared)
    lacking = per_group(np.setdiff1d(wanted, kept, assume_unique=True))
    spare = per_group(np.setdiff1d(kept, wanted, assume_unique=True))
    whole, there = per_group(wanted), per_group(kept)
    for at in sorted({*lacking, *spare}):
        row = {name: groups[name][at].as_py() for name in groups.column_names}
        yield _difference(
            compared,
            row,
            names[row["__measure"]],
            f"{whole.get(at, 0)}, {lacking.get(at, 0)} of which are not kept",
            f"{there.get(at, 0)}, {spare.get(at, 0)} of which should not be",
        )


def _difference(
    compared: Comparison, row: Mapping[str, Any], measure: str | None, wanted: str | None, kept: str | None
) -> Difference:
    rollup = compared.layout.rollup
    return Difference(
        stream=compared.stream,
        tenant=compared.tenant,
        rollup=rollup.name,
        period=compared.period.value,
        start=microseconds(row["start"]),
        split={name: row[name] for name in rollup.dimensions},
        measure=measure,
        against=compared.against,
        wanted=wanted,
        kept=kept,
    )


def sums_sql(compared: Comparison, parameters: Parameters) -> str:
    """Groups whose counts, sums and extremes differ, with both sides' (`w0`, `k0`, ...)."""
    columns, dimensions = compared.layout.columns, compared.dimensions
    wanted = _wanted_sums(compared, parameters)
    named = "".join(f", {column.name}" for column in columns)
    sides = "".join(
        f", any_value({column.name}) FILTER ({condition}) AS {side}{at}"
        for at, column in enumerate(columns)
        for side, condition in (("w", "NOT __is_kept"), ("k", "__is_kept"))
    )
    unlike = "".join(f" OR w{at} IS DISTINCT FROM k{at}" for at in range(len(columns)))
    return f"""
        -- Counts, sums and extremes of {compared.layout.rollup.name} that are not what they should be.
        WITH sides AS (
            SELECT false AS __is_kept, start{dimensions}{named} FROM ({wanted})
            UNION ALL
            SELECT true, start{dimensions}{named} {compared.kept(parameters)}
        ), compared AS (
            SELECT start{dimensions}, count(*) FILTER (NOT __is_kept) AS __wanted_rows,
                count(*) FILTER (__is_kept) AS __kept_rows{sides}
            FROM sides GROUP BY start{dimensions}
        )
        SELECT * FROM compared WHERE __wanted_rows <> __kept_rows{unlike} ORDER BY start{dimensions}
    """


def _wanted_sums(compared: Comparison, parameters: Parameters) -> str:
    columns, as_start = compared.layout.columns, f"{compared.start} AS start{compared.dimensions}"
    if compared.against is Against.EVENTS:
        folded = "".join(f", {column.fold} AS {column.name}" for column in columns)
        return f"SELECT {as_start}{folded} {compared.picked()} GROUP BY {compared.start}{compared.dimensions}"
    merged = "".join(f", {column.merge} AS {column.name}" for column in columns)
    slots = compared.kept(parameters, Period.SLOT)
    return f"SELECT {as_start}{merged} {slots} GROUP BY {compared.start}{compared.dimensions}"


def buckets_sql(compared: Comparison, parameters: Parameters) -> str:
    """Groups of histograms that differ, with how many buckets do, and the first one's counts."""
    dimensions = compared.dimensions
    return f"""
        -- Histograms of {compared.layout.rollup.name} that are not what they should be.
        WITH sides AS (
            {_wanted_buckets(compared, parameters)}
            UNION ALL
            {_kept_buckets(compared, parameters)}
        ), compared AS (
            SELECT start{dimensions}, __measure, __key, sum(__wanted)::BIGINT AS __wanted,
                sum(__kept)::BIGINT AS __kept
            FROM sides GROUP BY start{dimensions}, __measure, __key
        )
        SELECT start{dimensions}, __measure, count(*) AS __differ, min(__key) AS __first,
            arg_min(__wanted, __key) AS __wanted, arg_min(__kept, __key) AS __kept
        FROM compared WHERE __wanted <> __kept
        GROUP BY start{dimensions}, __measure ORDER BY start{dimensions}, __measure
    """


def _wanted_buckets(compared: Comparison, parameters: Parameters) -> str:
    as_start = f"{compared.start} AS start{compared.dimensions}"
    if compared.against is Against.SLOTS:
        return " UNION ALL ".join(
            f"""
            SELECT {as_start}, {parameters.bind(each.key)} AS __measure, unnest({quoted(each.keys)}) AS __key,
                unnest({quoted(each.counts)}) AS __wanted, 0 AS __kept
            {compared.kept(parameters, Period.SLOT)}
            """
            for each in compared.layout.histograms
        )
    return " UNION ALL ".join(
        f"""
            SELECT {as_start}, {parameters.bind(each.key)} AS __measure, {each.input} AS __key,
                count(*) AS __wanted, 0 AS __kept
            {compared.picked()} AND {each.input} IS NOT NULL GROUP BY ALL
        """
        for each in compared.layout.histograms
    )


def _kept_buckets(compared: Comparison, parameters: Parameters) -> str:
    return " UNION ALL ".join(
        f"""
            SELECT start{compared.dimensions}, {parameters.bind(each.key)}, unnest({quoted(each.keys)}), 0,
                unnest({quoted(each.counts)})
            {compared.kept(parameters)}
        """
        for each in compared.layout.histograms
    )


def _names(measures: tuple[MeasureLayout, ...]) -> dict[str, str]:
    return {each.key: each.measure.name for each in measures}


def _rows(cursor: Cursor, sql: str, parameters: Parameters) -> Iterator[dict[str, Any]]:
    """The rows by their columns: mostly none, for which a relation would plan the statement twice."""
    found = cursor.execute(sql, parameters).fetchall()
    names = [column[0] for column in cursor.description or ()]
    yield from (dict(zip(names, row, strict=True)) for row in found)


def _unlike(layout: RollupLayout, row: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str | None]]:
    """The measures whose states differ, with what is wanted and kept."""
    for at, (measure, column) in enumerate(_measures(layout)):
        wanted, kept = row[f"w{at}"], row[f"k{at}"]
        if wanted != kept:
            about = {measure.least: "at least ", measure.greatest: "at most "}.get(column.name, "")
            told = [None if each is None else about + _text(measure, each) for each in (wanted, kept)]
            yield measure.measure.name, told[0], told[1]


def _states(layout: RollupLayout, row: Mapping[str, Any], side: str, rows: object) -> str | None:
    """All states of a row, or how many rows there are where that is not one."""
    if rows != 1:
        return f"{rows} rows" if rows else None
    told = [
        f"{measure.measure.name} {_text(measure, row[f'{side}{at}'])}"
        for at, (measure, _column) in enumerate(_measures(layout))
        if row[f"{side}{at}"] is not None
    ]
    return ", ".join(told) or "a row without numbers"


def _measures(layout: RollupLayout) -> list[tuple[MeasureLayout, StateColumn]]:
    return [(measure, column) for measure in layout.measures for column in measure.columns]


def _text(measure: MeasureLayout, value: object) -> str:
    """A state in its measure's unit; a sum is kept in its field's smallest parts."""
    if (
        measure.measure.kind is MeasureKind.SUM
        and measure.field is not None
        and isinstance(value, int | Decimal)
    ):
        return format(Decimal(value).scaleb(-measure.field.scale), "f")
    return value.isoformat() + "Z" if isinstance(value, datetime.datetime) else str(value)

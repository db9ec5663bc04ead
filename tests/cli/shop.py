"""A small shop: its model file, its orders in each format, and what they add up to."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MODEL = """
tenants:
  corner: {timezone: Europe/Madrid}
streams:
  orders:
    id: [order]
    fields:
      order: {type: string, required: true, max_length: 8}
      customer: {type: string, required: true}
      country: {type: string, required: true, max_length: 2}
      amount: {type: number, required: true, minimum: 0, scale: 2}
    entities: {buyer: customer}
    measures:
      paid: count
      money: {sum: amount}
      amounts: {histogram: amount}
      customers: {distinct: buyer}
    rollups:
      all: {by: []}
      country: {by: [country]}
metrics:
  orders: {formula: paid, unit: orders, format: integer}
  revenue: {formula: money, unit: euros}
  median_order: {formula: "percentile(amounts, 50)", unit: euros}
  buyers: {formula: customers}
"""
COLUMNS = ("order", "time", "customer", "country", "amount")
ORDERS: Sequence[tuple[object, ...]] = (
    ("o1", "2024-03-01T09:15:00+01:00", "ana", "ES", 20.0),
    ("o2", "2024-03-01T10:00:00+01:00", "bea", "ES", 35.5),
    ("o3", "2024-03-02T11:30:00+01:00", "ana", "ES", 12.25),
    ("o4", "2024-03-02T12:00:00+01:00", "carl", "DE", 80.0),
)
# Each is wrong in one way; the codes stand in the order of the rows.
BAD: Sequence[tuple[object, ...]] = (
    ("o5", "2024-03-03T12:00:00+01:00", "dora", "PT", -5.0),
    ("a very long order", "2024-03-03T12:00:00+01:00", "dora", "PT", 5.0),
    ("o7", "yesterday", "dora", "PT", 5.0),
    ("o8", "2224-03-03T12:00:00+01:00", "dora", "PT", 5.0),
    ("o9", "2024-03-03T12:00:00+01:00", None, "PT", 5.0),
)
BAD_CODES = ("out_of_range", "too_long", "bad_time", "in_future", "missing_field")
REVENUE = 147.75


def csv_file(path: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def ndjson_file(path: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    lines = [json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def parquet_file(path: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), path)
    return path


WRITERS = {"csv": csv_file, "ndjson": ndjson_file, "parquet": parquet_file}

"""A hash changes with the meaning, and with nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.version import measure_hash, rollup_hash

WRITTEN = """
tenants: {here: {timezone: Europe/Madrid}}
streams:
  sales:
    description: One sale
    id: [number]
    fields:
      number: {type: integer, required: true}
      shop: {type: string, max_length: 20, description: Where}
      price: {type: number, unit: euro, scale: 2, minimum: 0}
      buyer: string
    entities: {person: buyer}
    measures:
      sold: count
      dear: {count: true, where: 'price >= 100 and shop in ("b", "a") and buyer is not null'}
      turnover: {sum: price}
      prices: {histogram: price}
      buyers: {distinct: person}
    rollups:
      all: {by: [], measures: [sold, turnover, dear]}
      shop: {by: [shop]}
      shop_number: {by: [shop, number], grain: day}
metrics:
  mean_price: {formula: turnover / sold, unit: euro, owner: finance, description: Mean}
  median_price: {formula: "percentile(prices, 50)"}
"""


def read(text: str) -> Model:
    return read_model(text, source="sales.yaml")


def hashes(model: Model) -> tuple[str, ...]:
    stream = model.streams["sales"]
    measures = sorted(measure_hash(stream, measure) for measure in stream.measures.values())
    return (*measures, *sorted(rollup_hash(stream, rollup) for rollup in stream.rollups.values()))


BEFORE = read(WRITTEN)


def changed(old: str, new: str) -> Model:
    assert WRITTEN.count(old) == 1
    return read(WRITTEN.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("One sale", "One thing sold"),
        ("description: Where", "description: In which shop"),
        ("unit: euro, scale", "unit: eur, scale"),
        ("unit: euro, owner", "unit: eur, format: percent, owner"),
        ("owner: finance", "owner: sales"),
        ("description: Mean", "description: Mean price"),
        ("Europe/Madrid", "Asia/Kathmandu"),
        ('"b", "a"', '"a", "b", "b"'),
        ("price >= 100 and shop in", "buyer is not null and price >= 100.0 and shop in"),
        ("[sold, turnover, dear]", "[dear, sold, turnover]"),
        ("[shop, number]", "[number, shop]"),
        ("turnover / sold", "(turnover)/sold"),
        ("buyer: string", "buyer: {type: string, max_length: 1024}"),
    ],
)
def test_a_label_changes_nothing(old: str, new: str) -> None:
    model = changed(old, new)
    assert model.version == BEFORE.version
    assert hashes(model) == hashes(BEFORE)


@pytest.mark.parametrize(
    ("old", "new", "measures_and_rollups"),
    [
        ("scale: 2", "scale: 3", True),
        ("buyer: string", "buyer: integer", True),
        ("shop: {type: string, max_length: 20", "shop: {type: string, max_length: 21", False),
        ("minimum: 0", "minimum: 1", False),
        ("price >= 100", "price >= 101", True),
        ("price >= 100", "price > 100", True),
        ('shop in ("b", "a")', 'shop in ("b", "c")', True),
        ("turnover: {sum: price}", "turnover: {maximum: price}", True),
        ("turnover: {sum: price}", "turnover: {sum: number}", True),
        ("shop: {by: [shop]}", "shop: {by: [shop], grain: day}", True),
        ("[sold, turnover, dear]", "[sold, turnover]", True),
        ("[shop, number]", "[shop, buyer]", True),
        ("turnover / sold", "sold / turnover", False),
        ("percentile(prices, 50)", "percentile(prices, 51)", False),
        ("id: [number]", "id: [number]\n    extra: drop", False),
    ],
)
def test_a_meaning_changes_the_hash(old: str, new: str, measures_and_rollups: bool) -> None:
    model = changed(old, new)
    assert model.version != BEFORE.version
    assert (hashes(model) != hashes(BEFORE)) is measures_and_rollups


def test_where_events_come_from_changes_nothing() -> None:
    rules = "    segment: [page, {call: track, event: Sold, fields: {shop: context.page.path}}]\n"
    model = changed("    entities: {person: buyer}\n", f"    entities: {{person: buyer}}\n{rules}")
    assert len(model.streams["sales"].segment) == 2
    assert model.version == BEFORE.version
    assert hashes(model) == hashes(BEFORE)


def test_names_of_measures_and_rollups_are_labels_of_what_is_kept_but_not_of_the_model() -> None:
    renamed = read(WRITTEN.replace("turnover", "revenue").replace("shop_number:", "by_shop_and_number:"))
    assert hashes(renamed) == hashes(BEFORE)
    assert renamed.version != BEFORE.version


def test_the_same_fields_in_another_stream_are_another_rollup() -> None:
    other = read(WRITTEN.replace("  sales:", "  deals:")).streams["deals"]
    stream = BEFORE.streams["sales"]
    assert rollup_hash(other, other.rollups["all"]) != rollup_hash(stream, stream.rollups["all"])


def test_shapes() -> None:
    assert [len(digest) for digest in hashes(BEFORE)] == [16] * 8
    assert len(BEFORE.version) == 12


@settings(max_examples=25)
@given(st.data())
def test_order_of_declaration_changes_nothing(data: st.DataObject) -> None:
    tree = yaml.safe_load(WRITTEN)

    def shuffled(node: object, path: Sequence[str] = ()) -> object:
        if not isinstance(node, dict):
            return node
        keys = data.draw(st.permutations(sorted(node)), label=".".join(path))
        return {key: shuffled(node[key], (*path, key)) for key in keys}

    model = read(yaml.safe_dump(shuffled(tree), sort_keys=False))
    assert model.version == BEFORE.version
    assert hashes(model) == hashes(BEFORE)

"""Equal names have equal numbers wherever their rows stand; others have others."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aforo.engines.embedded.named import Named

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
rows = st.tuples(texts, texts, st.integers(0, 9), st.booleans())


def table(of: list[tuple[str, str, int, bool]]) -> pa.Table:
    tenants, ids, times, untimed = zip(*of, strict=True)
    return pa.table(
        {"tenant": tenants, "id": ids, "time": pa.array(times, pa.timestamp("us")), "untimed": untimed}
    )


@given(st.lists(rows, min_size=1, max_size=12), st.integers(0, 11))
def test_numbers_are_equal_where_names_are(of: list[tuple[str, str, int, bool]], first: int) -> None:
    brought = table(of)
    numbers = Named.of("s", brought).hashes.tolist()
    names = [(tenant, id_, None if untimed else time) for tenant, id_, time, untimed in of]
    told = dict(zip(names, numbers, strict=True))
    assert [told[name] for name in names] == numbers
    timed = {name: number for name, number in told.items() if name[2] != 0}
    assert len(set(timed.values())) == len(timed)
    assert Named.of("s", brought.slice(first)).hashes.tolist() == numbers[first:]
    assert not set(Named.of("t", brought).hashes.tolist()) & set(numbers)


def test_where_one_text_ends_is_a_part_of_the_name() -> None:
    split = [("ab", "c" * 8, 1, False), ("a", "bc" + "c" * 7, 1, False), ("ab", "c" * 8 + "\0", 1, False)]
    assert len(set(Named.of("s", table(split)).hashes.tolist())) == 3

"""What bodies weigh is shared out among all that they brought, for many bodies at once as for each alone."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aforo.engines.appends import Owners
from aforo.engines.outcomes import shares
from aforo.events.volumes import volumes

bodies = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.lists(st.sampled_from("abc"), max_size=8),
        st.lists(
            st.tuples(st.sampled_from("bcd"), st.integers(1, 4)), max_size=3, unique_by=lambda each: each[0]
        ),
    ),
    max_size=6,
)


@given(bodies)
def test_every_event_of_a_body_weighs_the_same(
    sent: list[tuple[int, list[str], list[tuple[str, int]]]],
) -> None:
    rows = [tenant for _, kept, _ in sent for tenant in kept]
    ends = np.cumsum([0, *(len(kept) for _, kept, _ in sent)]).tolist()
    parts = [(at, start, end) for at, (start, end) in enumerate(itertools.pairwise(ends)) if end > start]
    owners = {"s": Owners.of(pa.table({"tenant": pa.array(rows, pa.string())}))}
    lost = [
        (at, ("s", tenant), count) for at, (_, _, refused) in enumerate(sent) for tenant, count in refused
    ]
    found = volumes([size for size, _, _ in sent], owners, {"s": parts} if parts else {}, lost)

    wanted: Counter[str] = Counter()
    for size, kept, refused in sent:
        events = Counter(kept) + Counter(dict(refused))
        wanted.update(
            dict(zip(sorted(events), shares(size, [events[name] for name in sorted(events)]), strict=True))
        )
    assert {each.tenant: each.bytes for each in found} == dict(+wanted)

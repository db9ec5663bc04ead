"""The newest refused events, kept in the commit that counts them."""

from __future__ import annotations

import json

from aforo.engines.embedded.database import Cursor, first_row
from aforo.engines.embedded.parameters import Parameters, microseconds, timestamp
from aforo.engines.refused import KeptSample, Sample, SampleLimits, SamplesAsked

INSERT = """
-- What was refused with this commit.
INSERT INTO refused
SELECT $commit, unnest($places), $at, unnest($streams), unnest($tenants), unnest($codes), unnest($details),
    unnest($names)
"""

COUNT = "SELECT count(*) FROM refused"

NEWEST = """
    SELECT * FROM refused QUALIFY row_number() OVER (
        PARTITION BY stream, tenant, code ORDER BY "commit" DESC, place DESC
    ) <= $per_reason
"""

PRUNE = f"""
-- Only the newest of each stream, tenant and code stay, and of those the newest of all.
DELETE FROM refused WHERE ("commit", place) NOT IN (
    SELECT ("commit", place) FROM ({NEWEST}) ORDER BY "commit" DESC, place DESC LIMIT $in_all
)
"""


def keep(
    cursor: Cursor, samples: tuple[Sample, ...], number: int, arrival: int, limits: SampleLimits
) -> None:
    """Adds a commit's samples; when a quarter more than may stay has come together, the oldest go."""
    if not samples:
        return
    cursor.execute(
        INSERT,
        {
            "commit": number,
            "at": timestamp(arrival),
            "places": list(range(len(samples))),
            "streams": [each.stream for each in samples],
            "tenants": [each.tenant for each in samples],
            "codes": [each.code for each in samples],
            "details": [each.detail for each in samples],
            "names": [json.dumps(dict(each.names), ensure_ascii=False) for each in samples],
        },
    )
    kept = first_row(cursor, COUNT)
    if kept is not None and kept[0] > limits.in_all + limits.in_all // 4:
        cursor.execute(PRUNE, {"per_reason": limits.per_reason, "in_all": limits.in_all})


def read(cursor: Cursor, asked: SamplesAsked, limits: SampleLimits) -> tuple[KeptSample, ...]:
    """The newest first, no more of each kind than are kept."""
    parameters = Parameters({"per_reason": limits.per_reason})
    conditions = [
        f"{column} = {parameters.bind(wanted)}"
        for column, wanted in (("tenant", asked.tenant), ("stream", asked.stream), ("code", asked.code))
        if wanted is not None
    ]
    if asked.before is not None:
        commit, place = (f"{parameters.bind(each)}::BIGINT" for each in asked.before)
        conditions.append(f'("commit" < {commit} OR ("commit" = {commit} AND place < {place}))')
    rows = cursor.execute(
        f"""
        -- Refused events, newest first.
        SELECT "commit", place, arrived_at, stream, tenant, code, detail, names FROM ({NEWEST})
        WHERE {" AND ".join(conditions) or "true"}
        ORDER BY "commit" DESC, place DESC LIMIT {parameters.bind(asked.limit)}
        """,
        parameters,
    ).fetchall()
    return tuple(
        KeptSample(commit, place, microseconds(at), Sample(stream, tenant, code, detail, json.loads(names)))
        for commit, place, at, stream, tenant, code, detail, names in rows
    )

"""The events that are steps of entities' paths, as columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aforo.engines.embedded.database import Cursor
from aforo.engines.embedded.layout import events_table, ordinal_column
from aforo.engines.embedded.parameters import Parameters, conditions_sql
from aforo.engines.reads import Paths, PathsRequest

AMONG = "among"


def read(cursor: Cursor, request: PathsRequest) -> Paths:
    """Every event of the window that is a step and has the entity, with which steps it is."""
    parameters = Parameters()
    holds = {at: conditions_sql(each, request.stream, parameters) or "true" for at, each in request.steps}
    bits = " + ".join(f"CASE WHEN {sql} THEN {1 << at} ELSE 0 END" for at, sql in holds.items())
    ordinal = ordinal_column(request.entity.name, request.entity.field)
    among = "" if request.among is None else f" AND {ordinal} IN (SELECT ordinal FROM {AMONG})"
    start, end = (parameters.bind_time(time) for time in (request.window.start, request.window.end))
    sql = f"""
        -- Which steps each event is, with its entity and its time.
        SELECT {ordinal} AS ordinal, epoch_us(time) AS time, ({bits})::UTINYINT AS steps
        FROM {events_table(request.stream.name)}
        WHERE tenant = {parameters.bind(request.tenant)} AND time >= {start} AND time < {end}
            AND {ordinal} IS NOT NULL AND ({" OR ".join(f"({each})" for each in holds.values())}){among}
    """
    if request.among is not None:
        ordinals = pa.array(np.array(request.among.to_array(), np.uint32))
        cursor.register(AMONG, pa.table({"ordinal": ordinals}))
    found = cursor.execute(sql, parameters).fetchnumpy()
    return Paths(
        np.asarray(found["ordinal"], np.uint32),
        np.asarray(found["time"], np.int64),
        np.asarray(found["steps"], np.uint8),
        (sql,),
    )

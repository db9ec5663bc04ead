"""What a draft goes through before it is kept: named steps, each giving back the draft and its refusals."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aforo.errors import nearest
from aforo.events.columns import Column, Faults, Mask, Source, absent, checked, instants, named, reason, typed
from aforo.events.draft import ENVELOPE, Draft, Stepped, value_at
from aforo.events.echoes import Echoes
from aforo.events.identity import Occurrences, composed_ids, content_ids
from aforo.events.refusals import Refusal, RefusalCode, shown
from aforo.model.field import Field, FieldType
from aforo.model.measure import MeasureKind
from aforo.model.stream import Extra, Stream
from aforo.windows import EARLIEST

MICROSECONDS = 1_000_000
MAX_ID_LENGTH = 256  # characters
MAX_TENANT_LENGTH = 128  # characters
UNTIMED = "untimed"
GIVEN = "__given"

_TENANT = Field(name="tenant", type=FieldType.STRING, required=True, max_length=MAX_TENANT_LENGTH)
_ID = Field(name="id", type=FieldType.STRING, max_length=MAX_ID_LENGTH)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the steps need to know beside the draft; `arrival` is in microseconds.

    `tenant` is given to events that name none. `occurrences` numbers equal rows of a file that bring no id.
    `tenants` are the only ones there may be, where they are fixed. `echoes` know content that comes again.
    """

    arrival: int
    future_seconds: int
    tenant: str | None = None
    occurrences: Occurrences | None = None
    tenants: frozenset[str] | None = None
    echoes: Echoes | None = None


def known(draft: Draft, _rules: Rules) -> Stepped:
    """Fields that the stream does not declare are dropped, or their events refused, as the stream says."""
    unknown = [name for name in draft.columns if name not in draft.stream.fields and name not in ENVELOPE]
    refusals: list[Refusal] = []
    if draft.stream.extra is Extra.REFUSE:
        for name in unknown:
            draft, refused = _refuse(draft, _came(draft.columns[name]), _unknown_field(draft.stream, name))
            refusals += refused
    return draft.lacking(unknown), refusals


def fitting(draft: Draft, _rules: Rules) -> Stepped:
    """Every field has its type and is within its bounds; nothing is coerced."""
    summed = {each.field for each in draft.stream.measures.values() if each.kind is MeasureKind.SUM}
    refusals: list[Refusal] = []
    for field in draft.stream.fields.values():
        draft, refused = _fit(draft, field, summed=field.name in summed)
        refusals += refused
    return draft, refusals


def dated(draft: Draft, rules: Rules) -> Stepped:
    """Every event has a time that can be; one that brings none takes its arrival's."""
    column = draft.columns.get("time")
    if column is None:
        times, bad = pa.nulls(draft.rows, pa.int64()), np.zeros(draft.rows, np.bool_)
    else:
        times, bad = instants(column, draft.source)
    latest = rules.arrival + rules.future_seconds * MICROSECONDS
    whole = times.fill_null(rules.arrival) if times.null_count else times
    micros, timed = whole.to_numpy(), _true(times.is_valid())
    early, late = timed & (micros < EARLIEST), timed & (micros > latest)
    said = times if column is None else column
    return _refuse_faults(
        draft.having({"time": whole, UNTIMED: times.is_null()}),
        {RefusalCode.BAD_TIME: bad | early, RefusalCode.IN_FUTURE: late},
        lambda code, row: _time_detail(code, value_at(said, row)),
    )


def owned(draft: Draft, rules: Rules) -> Stepped:
    """Every event has a tenant: its own, else the sender's."""
    column = draft.columns.get("tenant")
    came = absent(_TENANT, draft.rows) if column is None else typed(_TENANT, column, draft.source)
    names = named(came.array)
    if rules.tenant is not None:
        names = names.fill_null(rules.tenant)
    whole = checked(_TENANT, names)
    for code, mask in came.faults.items():
        whole = whole.also(code, mask)
    strange: Faults = {}
    if rules.tenants is not None:
        fixed = pa.array(sorted(rules.tenants), pa.string())
        unknown = pc.invert(pc.is_in(whole.array, value_set=fixed))
        strange = {RefusalCode.UNKNOWN_TENANT: _true(pc.and_(whole.array.is_valid(), unknown))}
    before = draft.columns if column is not None else {"tenant": names}
    return _refuse_faults(
        draft.having({"tenant": whole.array}),
        {**whole.faults, **came.faults, **strange},
        lambda code, row: _tenant_detail(
            code, value_at(names if code is RefusalCode.UNKNOWN_TENANT else before["tenant"], row)
        ),
    )


def identified(draft: Draft, rules: Rules) -> Stepped:
    """Every event has an id: its own, else one made of the stream's id fields, else of its whole content."""
    column = draft.columns.get("id")
    given = absent(_ID, draft.rows) if column is None else checked(_ID, column, draft.source)
    ids = named(given.array)
    missing = _true(ids.is_null())
    if missing.any():
        made, draft = _made_ids(draft, rules, missing)
        ids = pc.if_else(pa.array(missing), made, ids)
    before = column if column is not None else ids
    return _refuse_faults(
        draft.having({"id": ids}), given.faults, lambda code, row: reason(_ID, code, value_at(before, row))
    )


STEPS: tuple[Callable[[Draft, Rules], Stepped], ...] = (known, fitting, dated, owned, identified)


def walk(draft: Draft, rules: Rules) -> Stepped:
    """All steps in order; a row that one step refuses never reaches the next."""
    refusals: list[Refusal] = []
    for step in STEPS:
        if not draft.rows:
            break
        draft, refused = step(draft, rules)
        refusals += refused
    return draft, refusals


def as_table(draft: Draft) -> pa.Table:
    """The draft's rows as an engine keeps them."""
    columns: dict[str, Column] = {
        "tenant": draft.columns["tenant"],
        "id": draft.columns["id"],
        "time": pa.array(draft.columns["time"]).view(pa.timestamp("us")),
        UNTIMED: draft.columns[UNTIMED],
        **{name: draft.columns[name] for name in draft.stream.fields},
    }
    return pa.table(columns)


def _fit(draft: Draft, field: Field, *, summed: bool) -> Stepped:
    column, source = draft.columns.get(field.name), draft.source
    if column is None:
        column, source = absent(field, draft.rows).array, Source.ARROW
    fitted = checked(field, column, source, summed=summed)
    before = column
    return _refuse_faults(
        draft.having({field.name: fitted.array}),
        fitted.faults,
        lambda code, row: reason(field, code, value_at(before, row)),
    )


def _made_ids(draft: Draft, rules: Rules, missing: Mask) -> tuple[pa.Array, Draft]:
    """Ids for events that bring none, and the draft with a mark on those whose id nobody could make again.

    An event with neither id nor time cannot be told from its like, so each counts, unless its stream says for
    how long equal content is the same.
    """
    if draft.stream.id:
        return composed_ids([draft.columns[name] for name in draft.stream.id]), draft
    fields = {name: draft.columns[name] for name in draft.stream.fields}
    ids = content_ids(fields, draft.columns["time"])
    if rules.occurrences is not None:
        # Only among rows without an id: an equal row that brings one must not change another's number.
        numbered = rules.occurrences.number(ids.filter(pa.array(missing)))
        return pc.replace_with_mask(ids, pa.array(missing), numbered), draft
    alone = missing & _true(draft.columns[UNTIMED])
    if not alone.any():
        return ids, draft
    fresh = pc.replace_with_mask(ids, pa.array(alone), pa.array(_fresh_ids(draft, rules, alone), pa.string()))
    return fresh, draft.having({GIVEN: alone})


def _fresh_ids(draft: Draft, rules: Rules, alone: Mask) -> list[str]:
    """An id for each of these rows, that of its like where one came a while ago."""
    if draft.stream.same_content_minutes is None or rules.echoes is None:
        return [uuid.uuid4().hex for _ in range(int(alone.sum()))]
    mine = draft.kept(alone)
    fields = {name: mine.columns[name] for name in draft.stream.fields}
    contents = content_ids(fields, np.zeros(mine.rows, np.int64)).to_pylist()
    tenants = [str(value_at(mine.columns["tenant"], row)) for row in range(mine.rows)]
    return rules.echoes.ids(draft.stream, tenants, contents, rules.arrival)


def _refuse(draft: Draft, mask: Mask, detail: str) -> Stepped:
    return _refuse_faults(draft, {RefusalCode.UNKNOWN_FIELD: mask}, lambda _code, _row: detail)


def _refuse_faults(
    draft: Draft,
    faults: Faults,
    detail: Callable[[RefusalCode, int], str],
) -> Stepped:
    refusals: list[Refusal] = []
    if not faults:
        return draft, refusals
    good = np.ones(draft.rows, np.bool_)
    for code, mask in faults.items():
        refusals += [
            Refusal(int(draft.index[row]), code, detail(code, row))
            for row in np.flatnonzero(mask & good).tolist()
        ]
        good &= ~mask
    return draft.kept(good), refusals


def _came(column: Column) -> Mask:
    """The rows in which a column brings a value."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return _true(column.is_valid())
    return np.array([value is not None for value in column], np.bool_)


def _true(flags: pa.Array | pa.ChunkedArray) -> Mask:
    known = pc.fill_null(flags, False) if flags.null_count else flags
    mask: Mask = known.to_numpy(zero_copy_only=False)
    return mask


def _unknown_field(stream: Stream, name: str) -> str:
    near = nearest(name, stream.fields)
    return f"field {name}: unknown to {stream.name}" + (f", did you mean {near}?" if near else "")


def _time_detail(code: RefusalCode, came: object) -> str:
    if code is RefusalCode.IN_FUTURE:
        return f"time: came {shown(came)}, which is ahead of the clock"
    return f"time: came {shown(came)}, wanted RFC 3339 with a zone, not before 1973"


def _tenant_detail(code: RefusalCode, came: object) -> str:
    if code is RefusalCode.MISSING_FIELD:
        return "tenant: missing"
    if code is RefusalCode.UNKNOWN_TENANT:
        # Which tenants there are is nobody's business: no nearest name is told.
        return f"tenant: came {shown(came)}, which is none of those that the model declares"
    return reason(_TENANT, code, came)

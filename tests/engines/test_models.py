"""How every engine follows a model that changes over kept events, and what it will not do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.engines.conftest import Opens
from tests.engines.gauges import (
    DEFAULT,
    MODEL,
    NOON,
    READINGS,
    YAML,
    Bench,
    Sent,
    ask,
    some_readings,
)

from aforo.errors import ModelConflict
from aforo.model.condition import Condition, Op
from aforo.model.field import Field, FieldType
from aforo.model.measure import Measure, MeasureKind
from aforo.model.model import Model
from aforo.model.reading import read_model
from aforo.model.rollup import Rollup
from aforo.model.stream import Entity, Stream
from aforo.model.tenant import Tenant
from aforo.windows import DAY, SLOT, Window, Zone

RIVER = Zone("America/New_York")
ALL = Window(NOON - 3 * DAY, NOON + 3 * DAY)


def having(stream: Stream) -> Model:
    return replace(MODEL, streams={**MODEL.streams, stream.name: stream})


def filled(opens: Opens, model: Model = MODEL) -> Bench:
    bench = Bench(opens(model), model)
    bench.send(*some_readings(40), stream=model.streams["readings"])
    bench.fold()
    return bench


def changed(bench: Bench, opens: Opens, model: Model) -> None:
    """The model is another from now on, on the same kept events."""
    bench.engine = opens(model)
    bench.reference.model = model


def test_the_same_model_again_changes_nothing(opens: Opens) -> None:
    bench = filled(opens)
    bench.engine.apply_model(MODEL, DEFAULT)
    changed(bench, opens, MODEL)
    assert bench.engine.dirty_slots() == 0
    bench.check_everything()


def test_a_new_field_is_null_in_what_was_kept_before(opens: Opens) -> None:
    bench = filled(opens)
    fields = {**READINGS.fields, "colour": Field(name="colour", type=FieldType.STRING)}
    coloured = replace(READINGS, fields=fields)
    changed(bench, opens, having(coloured))
    assert bench.engine.dirty_slots() == 0
    bench.send(Sent(id="new", fields={"colour": "brown"}), stream=coloured)
    bench.fold()
    answer = bench.check(ask(coloured, None, window=ALL, zone=RIVER, by=("colour",)))
    assert {split for _, split in answer} == {(None,), ("brown",)}


def test_a_field_that_is_no_more_leaves_the_rest_as_it_was(opens: Opens) -> None:
    bench = filled(opens)
    fields = {name: field for name, field in READINGS.fields.items() if name != "seen"}
    bare = replace(READINGS, fields=fields)
    changed(bench, opens, having(bare))
    bench.send(*some_readings(5, seed=1), stream=bare)
    bench.fold()
    bench.check_everything(stream=bare)
    changed(bench, opens, MODEL)
    answer = bench.check(ask(READINGS, None, window=ALL, zone=RIVER, measures=("all_readings",)))
    assert answer[0, ()] == {"all_readings": 45}


def test_a_new_measure_is_built_from_the_events(opens: Opens) -> None:
    bench = filled(opens)
    means = {**READINGS.measures, "depths": Measure(name="depths", kind=MeasureKind.MAXIMUM, field="level")}
    deep = replace(
        READINGS,
        measures=means,
        rollups={
            **READINGS.rollups,
            "gates": Rollup(name="gates", dimensions=("station",), measures=tuple(means)),
        },
    )
    changed(bench, opens, having(deep))
    assert [build.rollup for build in bench.engine.builds()] == ["gates"]
    bench.fold()
    bench.check_everything(stream=deep)


def test_a_dropped_rollup_leaves_and_comes_back_whole(opens: Opens) -> None:
    bench = filled(opens)
    few = replace(READINGS, rollups={"whole": READINGS.rollups["whole"]})
    changed(bench, opens, having(few))
    bench.send(*some_readings(10, seed=1), stream=few)
    bench.fold()
    bench.check_everything(stream=few)
    changed(bench, opens, MODEL)
    bench.fold()
    bench.check_everything()


def test_a_label_rebuilds_nothing(opens: Opens) -> None:
    bench = filled(opens)
    rollups = {"all": replace(READINGS.rollups["whole"], name="all")}
    named = replace(READINGS, rollups={**READINGS.rollups, **rollups}, description="Of the river")
    named = replace(named, rollups={k: v for k, v in named.rollups.items() if k != "whole"})
    changed(bench, opens, having(named))
    assert bench.engine.dirty_slots() == 0
    bench.check_everything(stream=named)


def test_a_new_entity_numbers_the_events_that_are_there(opens: Opens) -> None:
    bench = filled(opens)
    seen = with_entity("station")
    changed(bench, opens, having(seen))
    bench.send(*some_readings(10, seed=1), stream=seen)
    bench.fold()
    bench.check_everything(stream=seen)


def test_an_entity_may_come_to_mean_another_field(opens: Opens) -> None:
    first, second = with_entity("station"), with_entity("probe")
    bench = filled(opens, having(first))
    changed(bench, opens, having(second))
    bench.send(*some_readings(10, seed=1), stream=second)
    bench.fold()
    bench.check_everything(stream=second)


def test_an_entity_that_was_away_counts_what_came_meanwhile(opens: Opens) -> None:
    seen = with_entity("station")
    bench = filled(opens, having(seen))
    changed(bench, opens, MODEL)
    bench.send(*some_readings(10, seed=1))
    bench.fold()
    changed(bench, opens, having(seen))
    bench.fold()
    bench.check_everything(stream=seen)


def with_entity(field: str) -> Stream:
    """The readings, with one more entity over a field, and what is counted of it."""
    measure = Measure(name="things", kind=MeasureKind.DISTINCT, entity="thing", field=field)
    return replace(
        READINGS,
        entities={**READINGS.entities, "thing": Entity(name="thing", field=field)},
        measures={**READINGS.measures, "things": measure},
        rollups={**READINGS.rollups, "more": Rollup(name="more", dimensions=("wet",), measures=("things",))},
    )


def test_a_stream_that_was_away_comes_back_whole(opens: Opens) -> None:
    bench = filled(opens)
    bench.send(*some_readings(5, seed=1))
    changed(bench, opens, replace(MODEL, streams={}))
    assert bench.engine.claim(100) is None
    assert bench.engine.statistics().streams == ()
    changed(bench, opens, MODEL)
    bench.fold()
    bench.check_everything()


def test_a_field_of_another_type_is_a_conflict_and_changes_nothing(opens: Opens) -> None:
    bench = filled(opens)
    fields = {"first": Field(name="first", type=FieldType.STRING), **READINGS.fields}
    fields["flow"] = Field(name="flow", type=FieldType.NUMBER)
    rollups = {**READINGS.rollups, "more": Rollup(name="more", dimensions=(), measures=("dry",))}
    with pytest.raises(ModelConflict, match=r"field flow of stream readings .* BIGINT .* number"):
        bench.engine.apply_model(having(replace(READINGS, fields=fields, rollups=rollups)), DEFAULT)
    # The engine goes on with the model it had, and a later opening finds no trace of the other.
    bench.send(*some_readings(5, seed=1))
    bench.fold()
    bench.check_everything()
    changed(bench, opens, MODEL)
    assert bench.engine.dirty_slots() == 0
    bench.check_everything()


def test_a_sum_that_what_is_kept_does_not_fit_is_a_conflict_and_changes_nothing(opens: Opens) -> None:
    """Its rollup could never be built; that of a smaller scale, or of what fits, can."""
    bench = filled(opens, summing())
    for at, mass in enumerate((9e17, 2.5, None)):
        bench.send(Sent(id=f"{at}", fields={"mass": mass}), stream=summing().streams["readings"])
    for scale, where in ((6, ()), (1, ()), (6, (Condition("mass", Op.LT, 1e12),))):
        total = Measure(name="total", kind=MeasureKind.SUM, field="mass", where=where)
        if (scale, where) == (6, ()):
            with pytest.raises(
                ModelConflict, match=r"total of stream readings .* mass, 9e\+17 .* scale of 6"
            ):
                bench.engine.apply_model(summing(total, scale), DEFAULT)
        else:
            changed(bench, opens, summing(total, scale))
        bench.fold()
        bench.check_everything()


def summing(total: Measure | None = None, scale: int = 0) -> Model:
    """The readings with one more field, and perhaps a sum of it."""
    mass = Field(name="mass", type=FieldType.NUMBER, scale=scale)
    stream = replace(READINGS, fields={**READINGS.fields, "mass": mass})
    if total is not None:
        sums = Rollup(name="sums", dimensions=(), measures=("total",))
        measures, rollups = {**READINGS.measures, "total": total}, {**READINGS.rollups, "sums": sums}
        stream = replace(stream, measures=measures, rollups=rollups)
    return having(stream)


def test_a_tenant_without_events_may_move(opens: Opens) -> None:
    bench = filled(opens)
    tenants = {**MODEL.tenants, "hills": Tenant(name="hills", timezone="Asia/Kolkata")}
    changed(bench, opens, replace(MODEL, tenants=tenants))
    assert bench.engine.zone("hills") == Zone("Asia/Kolkata")


def test_a_tenant_that_events_named_may_be_declared_as_it_counts(opens: Opens) -> None:
    bench = filled(opens)
    bench.send(Sent(id="1", tenant="brook"))
    brook = Tenant(name="brook", timezone=DEFAULT.timezone, week_start=DEFAULT.week_start)
    changed(bench, opens, replace(MODEL, tenants={**MODEL.tenants, "brook": brook}))
    assert not bench.engine.days_wait("readings", "brook")


# Names an engine might use for tables, columns and aliases of its own, and words of SQL.
OWN = (
    *("day", "slot", "dirty", "measure", "events", "ordinals", "ordinal", "value", "seq", "stage", "rows"),
    *("folded", "picked", "calendar", "starts", "raised", "first", "ledger", "commits", "sums", "sets"),
    *("a", "b", "c", "d", "e", "k", "r", "s", "d0", "stated", "merged", "key", "hash", "name", "tables"),
    *("select", "from", "where", "group", "order", "table", "all", "null", "default", "user", "rowid", "end"),
)
TYPES = ("string", "integer")
FIELDS = "".join(f"      {name}: {{type: {TYPES[at % 2]}}}\n" for at, name in enumerate(OWN))
WIDEST = ", ".join(f'"{name}"' for name in OWN if name not in ("slot", "value"))
NAMED = f"""
tenants: {{river: {{timezone: America/New_York}}}}
streams:
  events:
    fields:
{FIELDS}
    entities: {{value: value, seq: seq, events: events, rowid: rowid}}
    measures:
      all_rows: count
      sum: {{sum: slot}}
      min: {{minimum: slot}}
      values: {{distinct: value, where: "ordinal is not null"}}
      seqs: {{distinct: seq}}
      list: {{histogram: slot, where: "day is not null"}}
    rollups:
      events: {{by: []}}
      all: {{by: [{WIDEST}]}}
      day: {{by: [day, dirty, "null", rows, end], grain: day}}
"""


def test_fields_may_be_named_like_an_engines_own(opens: Opens) -> None:
    model = read_model(NAMED, source="named.yaml")
    stream = model.streams["events"]
    bench = Bench(opens(model), model)
    for batch in range(2):
        sent = [
            Sent(
                id=f"{batch}-{at}",
                time=NOON + at * SLOT // 2,
                fields={
                    name: at * place if field.type is FieldType.INTEGER else f"{name} {at % 2}"
                    for place, (name, field) in enumerate(stream.fields.items())
                    if (at + place) % 5
                },
            )
            for at in range(6)
        ]
        bench.send(*sent, sent[0], stream=stream)
        bench.fold()
    bench.check_everything(stream=stream)
    for name in OWN:
        request = ask(
            stream, None, window=ALL, zone=RIVER, by=(name,), measures=("all_rows", "values", "list")
        )
        bench.check(request)


def test_the_yaml_of_this_suite_is_sound() -> None:
    assert read_model(YAML, source="gauges.yaml") == MODEL

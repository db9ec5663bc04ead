"""What a right model holds to: each rule is one function, and all are asked, whatever the others found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aforo.model.findings import Finding
from aforo.model.rules import (
    derivations,
    fields,
    measures,
    metrics,
    names,
    rollups,
    segment,
    streams,
    tenants,
)
from aforo.model.sheet import Sheet

RULES: tuple[Callable[[Sheet], Iterator[Finding]], ...] = (
    names.names_are_well_formed,
    names.names_are_not_reserved,
    names.names_are_not_built_in,
    names.columns_do_not_meet,
    fields.bounds_are_in_order,
    fields.bounds_fit_the_type,
    fields.sizes_are_sensible,
    streams.ids_are_of_required_fields,
    streams.entities_are_over_fields,
    streams.slots_outlive_events,
    streams.equal_content_is_the_same_for_a_while,
    measures.measured_fields_are_known,
    measures.counted_entities_are_known,
    measures.conditions_fit_their_fields,
    measures.measures_differ,
    rollups.dimensions_are_known,
    rollups.kept_measures_are_known,
    rollups.rollups_differ,
    segment.filled_fields_are_known,
    segment.paths_lead_somewhere,
    segment.values_can_fit,
    segment.named_calls_are_track_calls,
    segment.required_fields_come,
    segment.every_rule_takes_something,
    derivations.sources_are_sent,
    derivations.gaps_are_sensible,
    derivations.taken_fields_are_known,
    derivations.source_conditions_fit,
    derivations.firsts_are_kept,
    metrics.streams_are_known,
    metrics.measures_are_of_one_stream,
    metrics.measures_answer_as_used,
    tenants.zones_are_known,
    tenants.weeks_start_on_a_day,
)

"""A draft of what is defined: checked against what is there as it is taken in, and then written whole."""

from __future__ import annotations

import re
from dataclasses import replace
from graphlib import TopologicalSorter
from urllib.parse import quote

import msgspec

from aforo.errors import Fault, InvalidExpression, InvalidRequest, OutsidePrefix, suggestion
from aforo.objects.prefix import Prefix
from aforo.runs.considering import reconsider
from aforo.runs.defined import SHAPE, DatasetDefined, Defined, Grounds, MetricDefined, SeriesDefined
from aforo.runs.expression import read as read_expression
from aforo.runs.expression import references, unit_of
from aforo.runs.hand import Hand
from aforo.runs.lineage import Graph
from aforo.runs.manifest import VALUE_COLUMN
from aforo.store import catalog
from aforo.store.run import DatasetKind, ExpressionType, Series, result_dataset, rollup_dataset
from aforo.store.run_tables import CODE_LENGTH, DATASET_LENGTH, URI_LENGTH

CODE = re.compile(rf"[A-Za-z0-9_.-]{{1,{CODE_LENGTH}}}")
DATASET_ID = re.compile(rf"[A-Za-z0-9_.:/-]{{1,{DATASET_LENGTH}}}")


class Draft:
    """What is to be written, checked against what is there as it is read."""

    def __init__(self, hand: Hand, tenant: str, grounds: Grounds, faults: list[Fault]) -> None:
        self._hand = hand
        self._tenant = tenant
        self._grounds = grounds
        self._faults = faults
        # Whoever defines beside this waits here: two halves of a ring never pass each other.
        metrics = catalog.all_metrics(hand.connection, frozenset({tenant}))
        catalog.hold(hand.connection, {each.id for each in metrics})
        self._known = {each.code: each for each in catalog.all_series(hand.connection, frozenset({tenant}))}
        self._datasets: list[tuple[DatasetDefined, DatasetKind, str]] = []
        self._series: dict[str, Series] = {}
        self._metrics: list[tuple[MetricDefined, str, frozenset[str]]] = []

    def dataset(self, place: str, wanted: DatasetDefined) -> None:
        """Takes a dataset with its series in."""
        there = catalog.dataset(self._hand.connection, wanted.id)
        if there is not None and (there.tenant != self._tenant or there.kind is DatasetKind.METRIC):
            self._fault(f"{place}.id", "conflict", f"{wanted.id!r} is taken")
            return
        kind = DatasetKind.ROLLUP if wanted.id.startswith("rollup:") else DatasetKind.OUTSIDE
        prefix = self._rollup(place, wanted) if kind is DatasetKind.ROLLUP else self._outside(place, wanted)
        self._datasets.append((wanted, kind, prefix))
        for number, each in enumerate(wanted.series):
            self._one_series(f"{place}.series[{number}]", wanted, each)

    def metrics(self, wanted: list[tuple[str, MetricDefined]]) -> None:
        """Takes metrics in: they may use each other, whatever the order they come in."""
        for place, each in wanted:
            self._result(place, each)
        uses = {each.code: _reads(each) for _, each in wanted}
        ring = Graph({**catalog.uses(self._hand.connection, self._tenant), **uses}).cycle()
        if ring is not None:
            told = f"these metrics use each other in a ring: {' → '.join(ring)}"
            self._fault("metrics", "ring", told)
            return
        named = {each.code: (place, each) for place, each in wanted}
        # What a metric is made from comes first, so that its unit is known.
        for code in TopologicalSorter(uses).static_order():
            if code in named:
                self._metric(*named[code], uses[code])

    def raise_if_any(self) -> None:
        """Raises InvalidRequest with all faults."""
        if self._faults:
            told = "a fault" if len(self._faults) == 1 else f"{len(self._faults)} faults"
            raise InvalidRequest(
                f"the definitions have {told}; nothing of them was applied",
                hint=SHAPE,
                faults=self._faults[:100],
            )

    def write(self) -> Defined:
        """Keeps all of it."""
        connection, at, tenant = self._hand.connection, self._hand.now, self._tenant
        for dataset, kind, prefix in self._datasets:
            catalog.put_dataset(
                connection,
                at,
                dataset_id=dataset.id,
                tenant=tenant,
                kind=kind,
                name=dataset.name,
                prefix=prefix,
            )
        for metric, prefix, _ in self._metrics:
            catalog.put_dataset(
                connection,
                at,
                dataset_id=result_dataset(tenant, metric.code),
                tenant=tenant,
                kind=DatasetKind.METRIC,
                name=metric.name,
                prefix=prefix,
            )
        for series in self._series.values():
            catalog.put_series(connection, at, series)
        kept = [
            catalog.put_metric(
                connection,
                at,
                tenant=tenant,
                code=metric.code,
                meaning={
                    "expression_type": ExpressionType(metric.expression_type),
                    "expression": msgspec.json.encode(metric.expression_json).decode(),
                    "unit": self._series[metric.code].unit,
                    "required_days": metric.required_days,
                },
                name=metric.name,
                reads=sorted(reads),
            )
            for metric, _, reads in self._metrics
        ]
        for each in catalog.hold(connection, {each.id for each in kept}).values():
            reconsider(self._hand, each)
        return Defined(len(self._datasets), len(self._series) - len(self._metrics), len(self._metrics))

    def _outside(self, place: str, wanted: DatasetDefined) -> str:
        if DATASET_ID.fullmatch(wanted.id) is None or wanted.id.startswith("metric:"):
            told = (
                f"{wanted.id[:100]!r} came, wanted 1 to {DATASET_LENGTH} of A-Z a-z 0-9 _ . : / - that do not"
            )
            self._fault(f"{place}.id", "wrong_value", f"{told} begin with 'metric:'")
        if wanted.prefix is None:
            self._fault(
                f"{place}.prefix", "missing_field", "the URI that its versions begin with has to be told"
            )
            return ""
        return self._below_roots(f"{place}.prefix", wanted.prefix)

    def _below_roots(self, place: str, prefix: str) -> str:
        """Only where the operator has files of the tenant read or written: see the setting `runs.roots`."""
        try:
            Prefix.of(prefix)
        except OutsidePrefix as error:
            self._fault(place, "wrong_value", f"{error.detail}; {error.hint}")
            return prefix
        roots = self._grounds.of(self._tenant)
        if len(prefix) > URI_LENGTH or not any(_below(prefix, root) for root in roots):
            told = f"{prefix[:200]!r} lies under none of {', '.join(roots)} (the setting runs.roots)"
            self._fault(place, "wrong_value", told)
        return prefix

    def _rollup(self, place: str, wanted: DatasetDefined) -> str:
        stream = wanted.id.removeprefix("rollup:").removesuffix(f":{self._tenant}")
        if wanted.id != rollup_dataset(stream, self._tenant) or stream not in self._grounds.streams:
            known = [rollup_dataset(each, self._tenant) for each in self._grounds.streams]
            told = f"{wanted.id[:100]!r} is none of our rollups; {suggestion(wanted.id, known)}"
            self._fault(f"{place}.id", "unknown_name", told)
        elif wanted.prefix is not None:
            self._fault(f"{place}.prefix", "wrong_value", "our own rollups have none; leave it out")
        else:
            measured = self._grounds.streams[stream]
            for number, each in enumerate(wanted.series):
                column = each.column or each.code
                if column not in measured:
                    told = f"no metric {column!r} over {stream}; {suggestion(column, measured)}"
                    self._fault(f"{place}.series[{number}].column", "unknown_name", told)
        return f"{wanted.id}@"

    def _one_series(self, place: str, dataset: DatasetDefined, wanted: SeriesDefined) -> None:
        there = self._known.get(wanted.code)
        if CODE.fullmatch(wanted.code) is None:
            self._fault(f"{place}.code", "wrong_value", _no_code(wanted.code))
        elif there is not None and there.dataset_id != dataset.id:
            self._fault(f"{place}.code", "conflict", f"{wanted.code!r} is a series of {there.dataset_id!r}")
        column = wanted.column or wanted.code
        if len(column) > CODE_LENGTH:
            self._fault(f"{place}.column", "too_long", f"at most {CODE_LENGTH} characters are taken")
        self._add(wanted.code, wanted.name, wanted.unit, dataset.id, column)

    def _result(self, place: str, wanted: MetricDefined) -> None:
        """The series that a metric makes, so that others may use it."""
        mine = result_dataset(self._tenant, wanted.code)
        there = self._known.get(wanted.code)
        if CODE.fullmatch(wanted.code) is None:
            self._fault(f"{place}.code", "wrong_value", _no_code(wanted.code))
        elif there is not None and there.dataset_id != mine:
            self._fault(f"{place}.code", "conflict", f"{wanted.code!r} is a series of {there.dataset_id!r}")
        self._add(wanted.code, wanted.name, wanted.unit, mine, VALUE_COLUMN)

    def _metric(self, place: str, wanted: MetricDefined, reads: frozenset[str]) -> None:
        if wanted.required_days is not None and not 1 <= wanted.required_days <= 36_500:
            told = f"came {wanted.required_days}, wanted 1 to 36500, or nothing for versions of any age"
            self._fault(f"{place}.requiredDays", "wrong_value", told)
        prefix = f"{self._grounds.results_of(self._tenant)}{quote(wanted.code)}/"
        if wanted.prefix is not None:
            prefix = self._below_roots(f"{place}.prefix", wanted.prefix)
        self._measure(place, wanted)
        self._metrics.append((wanted, prefix, reads))

    def _measure(self, place: str, wanted: MetricDefined) -> None:
        """The unit that a metric's expression comes to; where one is declared it has to be that."""
        units = {code: each.unit for code, each in self._known.items()}
        try:
            unit = unit_of(
                read_expression(wanted.expression_type, wanted.expression_json, units=units), units
            )
        except InvalidExpression as error:
            self._faults += [
                Fault(".".join(filter(None, (place, each.path))), each.code, each.message)
                for each in error.faults
            ]
            return
        if wanted.unit is not None and unit != wanted.unit:
            told = f"came {wanted.unit!r}, and the expression comes to {unit or 'a plain number'}"
            self._fault(f"{place}.unit", "units", told)
        self._known[wanted.code] = self._series[wanted.code] = replace(self._known[wanted.code], unit=unit)

    def _add(self, code: str, name: str, unit: str | None, dataset_id: str, column: str) -> None:
        made = Series(
            tenant=self._tenant, code=code, name=name, unit=unit, dataset_id=dataset_id, column=column
        )
        if code in self._series:
            self._fault("series", "conflict", f"{code!r} is defined twice")
        self._known[code] = self._series[code] = made

    def _fault(self, path: str, code: str, message: str) -> None:
        self._faults.append(Fault(path, code, message))


def _reads(wanted: MetricDefined) -> frozenset[str]:
    """The series a metric reads; none where its expression cannot be read, which is told with its units."""
    try:
        return references(read_expression(wanted.expression_type, wanted.expression_json, units=None))
    except InvalidExpression:
        return frozenset()


def _below(prefix: str, root: str) -> bool:
    return prefix.startswith(root if root.endswith("/") else f"{root}/")


def _no_code(code: str) -> str:
    return f"{code[:100]!r} came, wanted 1 to {CODE_LENGTH} of A-Z a-z 0-9 _ . -"

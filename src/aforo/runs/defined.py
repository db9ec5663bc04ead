"""What people write of datasets and metrics, and what it stands on; read with the faults of every part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import msgspec

from aforo.errors import Fault, InvalidRequest, suggestion
from aforo.store.run_tables import CODE_LENGTH, NAME_LENGTH

MOST_DEFINED = 10_000
SHAPE = (
    'for example {"datasets": [{"id": "macro", "prefix": "file:///srv/macro/", "series": [{"code": "GDP"}]}]}'
)


Name = Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)]
Unit = Annotated[str, msgspec.Meta(max_length=CODE_LENGTH)]


class SeriesDefined(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A series of a dataset; its column is named as its code unless it says otherwise."""

    code: str
    name: Name = ""
    unit: Unit | None = None
    column: str | None = None


class DatasetDefined(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A dataset. One of our own rollups has no prefix, and metrics of the model for columns."""

    id: str
    name: Name = ""
    prefix: str | None = None
    series: tuple[SeriesDefined, ...] = ()


class MetricDefined(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A metric. `prefix` is where its results are written, if not below the setting's place."""

    code: str
    expression_type: str
    expression_json: Any
    name: Name = ""
    unit: Unit | None = None
    required_days: int | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Defined:
    """What was defined, by how many of each."""

    datasets: int
    series: int
    metrics: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What definitions stand on: where files may lie, where results go, and what our own streams measure."""

    roots: tuple[str, ...]
    results: str
    streams: Mapping[str, Collection[str]] = field(default_factory=dict)  # stream: metrics over it

    def of(self, tenant: str) -> tuple[str, ...]:
        """The URIs below which a tenant's datasets may lie; `{tenant}` in a root stands for its name."""
        mine = (root.replace("{tenant}", quote(tenant, safe="")) for root in self.roots)
        return (*mine, self.results_of(tenant))

    def results_of(self, tenant: str) -> str:
        """The URI below which a tenant's results are written."""
        return f"{self.results.rstrip('/')}/{quote(tenant, safe='')}/"


T = TypeVar("T")
PARTS = ("datasets", "metrics")


def read(
    asked: object,
) -> tuple[list[tuple[str, DatasetDefined]], list[tuple[str, MetricDefined]], list[Fault]]:
    """What is asked for, with its places; what cannot be read is among the faults."""
    if not isinstance(asked, Mapping):
        raise InvalidRequest("definitions are an object", hint=SHAPE)
    faults = [
        Fault(str(name)[:100], "unknown_name", f"means nothing here; {suggestion(str(name), PARTS)}")
        for name in asked
        if name not in PARTS
    ][:20]
    datasets = _each(asked, "datasets", DatasetDefined, faults)
    return datasets, _each(asked, "metrics", MetricDefined, faults), faults


def _each(
    asked: Mapping[str, Any], part: str, kind: Callable[..., T], faults: list[Fault]
) -> list[tuple[str, T]]:
    came = asked.get(part, [])
    if not isinstance(came, list) or len(came) > MOST_DEFINED:
        faults.append(Fault(part, "wrong_type", f"wanted a list of at most {MOST_DEFINED}"))
        return []
    read: list[tuple[str, T]] = []
    for number, one in enumerate(came):
        place = f"{part}[{number}]"
        try:
            read.append((place, msgspec.convert(one, kind)))
        except msgspec.ValidationError as error:
            said, _, path = str(error).partition(" - at `$")
            faults.append(Fault(place + path.rstrip("`"), "wrong_value", said))
    return read

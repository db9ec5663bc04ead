"""Everything that is declared: streams, metrics and tenants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aforo.errors import Fault, InvalidModel, UnknownName
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.model.version import model_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A whole model; `version` names its meaning, and follows from the rest."""

    streams: Mapping[str, Stream]
    metrics: Mapping[str, Metric]
    tenants: Mapping[str, Tenant]
    version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", model_version(self.streams, self.metrics))

    def stream(self, name: str) -> Stream:
        """The stream named so; UnknownName otherwise."""
        if name not in self.streams:
            raise UnknownName.of("stream", name, self.streams)
        return self.streams[name]

    def metric(self, name: str) -> Metric:
        """The metric named so; UnknownName otherwise."""
        if name not in self.metrics:
            raise UnknownName.of("metric", name, self.metrics)
        return self.metrics[name]

    def tenant(self, name: str) -> Tenant:
        """The declared tenant named so; UnknownName otherwise."""
        if name not in self.tenants:
            raise UnknownName.of("tenant", name, self.tenants)
        return self.tenants[name]

    @staticmethod
    def merged(models: Iterable[Model]) -> Model:
        """One model of many; InvalidModel names everything that two of them declare.

        A tenant may be declared twice if both say the same.
        """
        streams: dict[str, Stream] = {}
        metrics: dict[str, Metric] = {}
        tenants: dict[str, Tenant] = {}
        faults: list[Fault] = []
        for model in models:
            faults += _twice("streams", "stream", streams, model.streams)
            faults += _twice("metrics", "metric", metrics, model.metrics)
            same = {name for name, tenant in model.tenants.items() if tenants.get(name) == tenant}
            others = {name: tenant for name, tenant in model.tenants.items() if name not in same}
            faults += _twice("tenants", "tenant", tenants, others)
            streams.update(model.streams)
            metrics.update(model.metrics)
            tenants.update(model.tenants)
        if faults:
            raise InvalidModel("the model files contradict each other", faults=faults)
        return Model(streams=streams, metrics=metrics, tenants=tenants)


def _twice(section: str, kind: str, have: Mapping[str, object], more: Mapping[str, object]) -> list[Fault]:
    return [
        Fault(f"{section}.{name}", "duplicate", f"two model files declare a {kind} named {name!r}")
        for name in more
        if name in have
    ]

"""Everything that is declared: streams, metrics and tenants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aforo.errors import Fault, InvalidModel, UnknownName
from aforo.model import ingest
from aforo.model.metric import Metric
from aforo.model.stream import Stream
from aforo.model.tenant import Tenant
from aforo.model.version import model_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A whole model; `version` names its meaning, and follows from the rest.

    `streams` and `metrics` are what is declared; `sent_streams` take events, the derived ones do not. Those
    that are built in can be asked beside them and take no events; they are the same in every model, and no
    part of its version.
    """

    streams: Mapping[str, Stream]
    metrics: Mapping[str, Metric]
    tenants: Mapping[str, Tenant]
    version: str = field(init=False)
    sent_streams: Mapping[str, Stream] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", model_version(self.streams, self.metrics))
        sent = {name: stream for name, stream in self.streams.items() if stream.derivation is None}
        object.__setattr__(self, "sent_streams", sent)

    @property
    def asked_streams(self) -> Mapping[str, Stream]:
        """Every stream that can be asked: the declared ones, then those built in."""
        return {**self.streams, **ingest.STREAMS}

    @property
    def asked_metrics(self) -> Mapping[str, Metric]:
        """Every metric that can be asked: the declared ones, then those built in."""
        return {**self.metrics, **ingest.METRICS}

    def stream(self, name: str) -> Stream:
        """The declared stream named so; UnknownName otherwise."""
        if name not in self.streams:
            raise UnknownName.of("stream", name, self.streams)
        return self.streams[name]

    def sent_stream(self, name: str) -> Stream:
        """The declared stream named so, which takes events; UnknownName otherwise."""
        if name not in self.sent_streams:
            raise UnknownName.of("stream that events are sent to", name, self.sent_streams)
        return self.sent_streams[name]

    def asked_stream(self, name: str) -> Stream:
        """The stream named so, declared or built in; UnknownName otherwise."""
        found = self.streams.get(name) or ingest.STREAMS.get(name)
        if found is None:
            raise UnknownName.of("stream", name, self.asked_streams)
        return found

    def metric(self, name: str) -> Metric:
        """The metric named so, declared or built in; UnknownName otherwise."""
        found = self.metrics.get(name) or ingest.METRICS.get(name)
        if found is None:
            raise UnknownName.of("metric", name, self.asked_metrics)
        return found

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

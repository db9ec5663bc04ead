"""The command line's verbs over runs, through the server that holds the directory or over its store."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, urlencode

from aforo.assembly.build import load_model
from aforo.assembly.reach import connection_to
from aforo.assembly.remote import called
from aforo.client import Connection
from aforo.clock import Clock
from aforo.settings import Settings
from aforo.store.act import Actor

Json = dict[str, object]
Asked = Mapping[str, str]


class Running(Protocol):
    """The verbs; replies are HTTP's JSON, and `asked` are HTTP's parameters, such as the tenant."""

    def define(self, definitions: object, asked: Asked) -> Json: ...

    def update(self, dataset_id: str, told: Mapping[str, object]) -> Json: ...

    def runs(self, asked: Asked) -> Json: ...

    def run(self, run_id: str) -> Json: ...

    def log(self, run_id: str, asked: Asked) -> Json: ...

    def cancel(self, run_id: str) -> Json: ...

    def again(self, run_id: str) -> Json: ...

    def metrics(self, asked: Asked) -> Json: ...

    def why(self, code: str, asked: Asked) -> Json: ...

    def lineage(self, code: str, asked: Asked) -> Json: ...

    def start(self, code: str, asked: Asked) -> Json: ...

    def datasets(self, asked: Asked) -> Json: ...

    def dataset(self, dataset_id: str) -> Json: ...

    def series(self, asked: Asked) -> Json: ...

    def queues(self) -> Json: ...

    def buried(self, name: str) -> Json: ...

    def redrive(self, name: str, asked: Asked) -> Json: ...

    def close(self) -> None: ...


def running(settings: Settings, clock: Clock) -> Running:
    """The server that the settings name or that holds the data directory, else the store itself."""
    connection = connection_to(settings)
    return LocalRunning(settings, clock) if connection is None else RemoteRunning(connection)


class RemoteRunning:
    """Speaks to a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def define(self, definitions: object, asked: Asked) -> Json:
        return called(lambda: self._connection.put(_path("/definitions", asked=asked), definitions))

    def update(self, dataset_id: str, told: Mapping[str, object]) -> Json:
        return self._post(_path("/datasets", dataset_id, "updates"), told)

    def runs(self, asked: Asked) -> Json:
        return self._get(_path("/runs", asked=asked))

    def run(self, run_id: str) -> Json:
        return self._get(_path("/runs", run_id))

    def log(self, run_id: str, asked: Asked) -> Json:
        return self._get(_path("/runs", run_id, "log", asked=asked))

    def cancel(self, run_id: str) -> Json:
        return self._post(_path("/runs", run_id, "cancel"), {})

    def again(self, run_id: str) -> Json:
        return self._post(_path("/runs", run_id, "again"), {})

    def metrics(self, asked: Asked) -> Json:
        return self._get(_path("/metrics", asked=asked))

    def why(self, code: str, asked: Asked) -> Json:
        return self._get(_path("/metrics", code, "why", asked=asked))

    def lineage(self, code: str, asked: Asked) -> Json:
        return self._get(_path("/metrics", code, "lineage", asked=asked))

    def start(self, code: str, asked: Asked) -> Json:
        return self._post(_path("/metrics", code, "runs", asked=asked), {})

    def datasets(self, asked: Asked) -> Json:
        return self._get(_path("/datasets", asked=asked))

    def dataset(self, dataset_id: str) -> Json:
        return self._get(_path("/datasets", dataset_id))

    def series(self, asked: Asked) -> Json:
        return self._get(_path("/series", asked=asked))

    def queues(self) -> Json:
        return self._get("/queues")

    def buried(self, name: str) -> Json:
        return self._get(_path("/queues", name, "buried"))

    def redrive(self, name: str, asked: Asked) -> Json:
        return self._post(_path("/queues", name, "redrive", asked=asked), {})

    def close(self) -> None:
        """There is nothing to let go of: every call was a request of its own."""

    def _get(self, path: str) -> Json:
        return called(lambda: self._connection.get(path))

    def _post(self, path: str, body: object) -> Json:
        return called(lambda: self._connection.post(path, body))


class LocalRunning:
    """Opens the store, and not the events: several may have it at once, and none of them computes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        from aforo.assembly.reacting import reactive_over
        from aforo.store.connect import Store
        from aforo.telemetry import Telemetry

        self._store = Store(settings.data, settings.store)
        self._reactive = reactive_over(
            self._store, settings, load_model(settings), clock, Telemetry(), lambda _stream, _tenant: None
        )

    def define(self, definitions: object, asked: Asked) -> Json:
        from aforo.http import definitions as of_definitions
        from aforo.http import reply

        tenant = _tenant(asked)
        return reply.plain(of_definitions.defined(self._reactive.definitions, tenant, definitions, _actor()))

    def update(self, dataset_id: str, told: Mapping[str, object]) -> Json:
        from aforo.http import datasets, reply

        return reply.plain(datasets.taken(self._reactive.reactor, dataset_id, dict(told), None))

    def runs(self, asked: Asked) -> Json:
        from aforo.http import reply, runs, runs_asked

        return reply.plain(runs.listed(self._store, runs_asked.asked_of(asked), _tenants(asked)))

    def run(self, run_id: str) -> Json:
        from aforo.http import reply, runs

        return reply.plain(runs.found(self._reactive.history, run_id, None))

    def log(self, run_id: str, asked: Asked) -> Json:
        from aforo.http import paging, reply, runs

        history, page = self._reactive.history, paging.page_in(asked)
        return reply.plain(runs.logged(history, self._store, run_id, page, None))

    def cancel(self, run_id: str) -> Json:
        from aforo.http import reply, run_shapes

        return reply.plain(run_shapes.run_shown(self._reactive.asking.cancel(run_id, _actor())))

    def again(self, run_id: str) -> Json:
        from aforo.http import reply, run_shapes

        return reply.plain(run_shapes.run_shown(self._reactive.asking.again(run_id, _actor())))

    def metrics(self, asked: Asked) -> Json:
        from aforo.http import paging, reply, run_metrics

        return reply.plain(run_metrics.listed(self._store, paging.page_in(asked), _tenants(asked)))

    def why(self, code: str, asked: Asked) -> Json:
        from aforo.http import reply, run_metrics

        return reply.plain(run_metrics.reasons(self._reactive.history, _tenant(asked), code))

    def lineage(self, code: str, asked: Asked) -> Json:
        from aforo.http import reply, run_metrics

        return reply.plain(run_metrics.descent(self._store, _tenant(asked), code))

    def start(self, code: str, asked: Asked) -> Json:
        from aforo.http import reply, run_shapes

        run = self._reactive.asking.by_hand(_tenant(asked), code, _actor())
        return reply.plain(run_shapes.run_shown(run))

    def datasets(self, asked: Asked) -> Json:
        from aforo.http import datasets, paging, reply

        return reply.plain(datasets.listed(self._store, paging.page_in(asked), _tenants(asked)))

    def dataset(self, dataset_id: str) -> Json:
        from aforo.http import datasets, reply

        return reply.plain(datasets.found(self._store, dataset_id, None))

    def series(self, asked: Asked) -> Json:
        from aforo.http import paging, reply
        from aforo.http import series as of_series

        return reply.plain(of_series.listed(self._store, paging.page_in(asked), _tenants(asked)))

    def queues(self) -> Json:
        from aforo.http import queues, reply

        return reply.plain(queues.listed(self._reactive.dead))

    def buried(self, name: str) -> Json:
        from aforo.http import queues, reply

        return reply.plain(queues.some_buried(self._reactive.dead, name))

    def redrive(self, name: str, asked: Asked) -> Json:
        from aforo.http import paging, queues, reply

        most = paging.page_in(asked).limit
        return reply.plain(queues.redriven(self._reactive.dead, name, most, _actor()))

    def close(self) -> None:
        self._reactive.bus.close()
        self._store.close()


def _actor() -> Actor:
    return Actor(f"command line ({getpass.getuser()})")


def _tenant(asked: Asked) -> str:
    from aforo.http import whose

    return asked.get(whose.TENANT, whose.DEFAULT)


def _tenants(asked: Asked) -> frozenset[str] | None:
    from aforo.http import whose

    tenant = asked.get(whose.TENANT)
    return None if tenant is None else frozenset({tenant})


def _path(room: str, *names: str, asked: Asked | None = None) -> str:
    path = "/".join([room, *(quote(name, safe="") for name in names)])
    return f"{path}?{urlencode(asked)}" if asked else path

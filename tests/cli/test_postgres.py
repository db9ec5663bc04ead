"""`AFORO_STORE=postgresql://...` is all it takes, for the command line and for a server."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.cli.conftest import Aforo, serving
from tests.store.postgres import Server, programs_of, server_of


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that a test may stop; its empty database is the store."""
    programs = programs_of(18)
    assert programs is not None
    with server_of(programs) as server:
        monkeypatch.setenv("AFORO_STORE", server.url())
        yield server


def status(url: str, path: str, key: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status


def test_a_database_is_all_it_takes(folder: Path, aforo: Aforo, server: Server) -> None:
    told = aforo("doctor", "--format", "json").json
    assert told["store"].startswith("postgresql://aforo@")
    assert told["storeVersion"].startswith("PostgreSQL 18.")
    with serving(folder) as (_, url):
        key = aforo("keys", "create", "root", "--scope", "admin").out.strip()
        assert status(url, "/v1/keys", key) == 200
        server.stop_at_once()
        assert [status(url, path, key) for path in ("/v1/keys", "/ready", "/health")] == [503, 503, 200]
        aforo("keys", "list").told_no("does not answer", code=1)
        server.start()
        assert [status(url, path, key) for path in ("/v1/keys", "/ready")] == [200, 200]
    assert [key["name"] for key in aforo("keys", "list", "--format", "json").json["keys"]] == ["root"]
    assert not (folder / "aforo-data" / "control.db").exists()


def test_a_database_that_cannot_be_reached(
    folder: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFORO_STORE", "postgresql://aforo:s3cret@127.0.0.1:1/aforo")
    for command in ("keys list", "serve", "doctor"):
        refused = aforo(*command.split())
        refused.told_no("postgresql://aforo@127.0.0.1:1/aforo does not answer", code=1)
        assert "s3cret" not in refused.err

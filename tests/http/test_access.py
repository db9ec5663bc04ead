"""A server without keys: Host and Origin against other people's pages, the token for the operator's."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from tests.http.conftest import TOKEN

from aforo.http.access.hosts import is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9", "localhost", "LOCALHOST:8321", "[::1]", "[::1]:8321", "127.0.0.5:1"]
)
def test_names_of_this_machine(shared: TestClient, host: str) -> None:
    assert shared.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "localhost@evil.example",
        "10.0.0.1",
        "[::2]",
        "0.0.0.0",
        "127.0.0.1:8321:1",
        "localhost, evil.example",
        "",
        "[::1",
        "2130706433",
    ],
)
def test_other_names(shared: TestClient, host: str) -> None:
    reply = shared.get("/health", headers={"Host": host})
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8321", "http://localhost:3000", "https://[::1]"])
def test_pages_of_this_machine(shared: TestClient, origin: str) -> None:
    assert shared.get("/health", headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1.evil.example",
        "file://",
        "chrome-extension://abc",
        "http://[",
    ],
)
def test_other_pages(shared: TestClient, origin: str) -> None:
    reply = shared.post("/v1/events", json={"events": []}, headers={"Origin": origin})
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")


def test_no_reply_lets_another_page_read_it(shared: TestClient) -> None:
    reply = shared.get("/v1/models", headers={"Origin": "http://localhost:3000"})
    assert not [name for name in reply.headers if name.startswith("access-control-")]


OPERATOR = [("POST", "/v1/fold"), ("GET", "/v1/doctor")]


@pytest.mark.parametrize(("method", "path"), OPERATOR)
@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        "Bearer é".encode(),
    ],
)
def test_without_the_token(shared: TestClient, method: str, path: str, shown: str | bytes | None) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    reply = shared.request(method, path, headers=headers)  # type: ignore[arg-type]
    assert (reply.status_code, reply.json()["code"]) == (503, "admin_auth_not_configured")
    assert TOKEN not in reply.text


@pytest.mark.parametrize(("method", "path"), OPERATOR)
def test_with_the_token(shared: TestClient, method: str, path: str) -> None:
    assert shared.request(method, path, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_no_page_shows_the_token(shared: TestClient) -> None:
    for path in ("/openapi.json", "/docs", "/internal/metrics", "/health", "/v1/models"):
        assert TOKEN not in shared.get(path).text


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("::1", True), ("0.0.0.0", False), ("example.org", False), ("", False)],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback

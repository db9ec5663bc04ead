"""Errors over HTTP: one shape for all, the status each has, and nothing of the inside."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.http.conftest import TOKEN, URL, House

from aforo import errors
from aforo.errors import AforoError, Fault
from aforo.http import examples, problems
from aforo.http.app import create_app
from aforo.http.problem_examples import PROBLEMS
from aforo.questions.asked import Asked

QUESTION = examples.QUESTIONS["Delays of a day by airport"]
SECRET = "the-secret-of-the-inside"


def every_error() -> list[type[AforoError]]:
    found = [value for value in vars(errors).values() if inspect.isclass(value)]
    return [value for value in found if issubclass(value, AforoError)]


def made(kind: type[AforoError]) -> AforoError:
    faults = [Fault("here", "wrong", "is wrong", 3), Fault("there", "wrong", "is wrong too")]
    if kind is errors.IntakeFull:
        return errors.IntakeFull("full", retry_after_seconds=1.2, hint="later")
    return kind("what came", hint="what to do", faults=faults)


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_problem(kind: type[AforoError]) -> None:
    reply = problems.told(made(kind))
    body = msgspec.json.decode(bytes(reply.body))
    assert reply.headers["content-type"] == "application/problem+json"
    assert body["status"] == reply.status_code
    assert body["type"] == f"urn:aforo:problem:{body['code']}"
    assert body["title"]
    assert body["detail"]
    if reply.status_code == 500:
        assert body["code"] == "internal_error"
        assert "what came" not in str(body)
    else:
        assert body["code"] == kind.code
        assert body["hint"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidRequest, 400),
        (errors.UnknownName, 400),
        (errors.UnreadableFile, 400),
        (errors.NotJson, 400),
        (errors.NotInflatable, 400),
        (errors.NotAuthorised, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.MethodNotAllowed, 405),
        (errors.NotAcceptable, 406),
        (errors.BodyTooSlow, 408),
        (errors.BodyTooLarge, 413),
        (errors.UnsupportedBody, 415),
        (errors.QuestionTooLarge, 422),
        (errors.NotServable, 422),
        (errors.InvalidModel, 500),
        (errors.TooManyRequests, 429),
        (errors.NotYourTenant, 403),
        (errors.AdminAuthNotConfigured, 503),
        (errors.IntakeFull, 503),
        (errors.Stopping, 503),
        (errors.StorageError, 503),
        (errors.DataInUse, 503),
        (errors.TimeLimit, 504),
        (errors.StorageFull, 507),
    ],
)
def test_statuses(kind: type[AforoError], status: int) -> None:
    assert problems.told(made(kind)).status_code == status


def test_faults_are_told_one_by_one() -> None:
    body = problems.problem_of(made(errors.InvalidRequest))
    assert msgspec.json.decode(msgspec.json.encode(body))["errors"] == [
        {"path": "here", "code": "wrong", "message": "is wrong", "line": 3},
        {"path": "there", "code": "wrong", "message": "is wrong too"},
    ]


def test_what_is_left_out_is_not_there() -> None:
    body = msgspec.to_builtins(problems.problem_of(errors.InvalidRequest("so")))
    assert set(body) == {"type", "title", "status", "detail", "code"}


def test_when_to_come_again() -> None:
    assert problems.told(made(errors.IntakeFull)).headers["retry-after"] == "2"
    assert int(problems.told(made(errors.Stopping)).headers["retry-after"]) > 0
    assert "retry-after" not in problems.told(made(errors.InvalidRequest)).headers


def test_the_examples_in_the_reference_are_of_the_table() -> None:
    by_code = {problems.code_of(kind): problems.kind_of(kind) for kind in every_error()}
    for example in PROBLEMS.values():
        kind = by_code[example["code"]]
        assert (example["status"], example["title"]) == (kind.status, kind.title)
        assert example["type"] == problems.type_of(example["code"])


def raising(house: House, error: Exception) -> TestClient:
    """A client of a server whose desk meets an error that is hard to bring about."""

    class Broken(type(house.rooms.desk)):  # type: ignore[misc]
        def ask(self, asked: Asked) -> Any:
            raise error

    rooms = house.rooms
    desk = Broken(rooms.engine, rooms.model, rooms.settings, rooms.clock, rooms.telemetry)
    return TestClient(create_app(replace(rooms, desk=desk), TOKEN), base_url=URL)


def test_what_nobody_foresaw_tells_nothing_of_the_inside(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = raising(house, ValueError(SECRET)).post("/v1/query", json=QUESTION)
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    assert reply.headers["content-type"] == "application/problem+json"
    assert SECRET not in reply.text
    written = capsys.readouterr()
    assert SECRET in caplog.text + written.out + written.err


def test_over_its_time(house: House) -> None:
    reply = raising(house, errors.TimeLimit("too long", hint="ask less")).post("/v1/query", json=QUESTION)
    assert (reply.status_code, reply.json()["code"]) == (504, "time_limit")


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (lambda client: client.get("/nothing"), 404, "not_found"),
        (lambda client: client.get("/v1/events/"), 404, "not_found"),
        (lambda client: client.get("/v1/metrics/"), 404, "not_found"),
        (lambda client: client.get("/v1/events"), 405, "method_not_allowed"),
        (lambda client: client.delete("/v1/models"), 405, "method_not_allowed"),
    ],
)
def test_what_the_router_says_no_to(
    shared: TestClient, call: Callable[[TestClient], Any], status: int, code: str
) -> None:
    reply = call(shared)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    if status == 405:
        assert reply.headers["allow"] in reply.json()["hint"]


def test_every_method_of_an_address_is_told(shared: TestClient) -> None:
    reply = shared.delete("/v1/query")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST")
    assert shared.get("/v1/events").headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    ["/v1/models", "/v1/metrics/flights", "/health", "/ready", "/internal/metrics", "/docs", "/openapi.json"],
)
def test_a_parameter_that_nobody_knows(shared: TestClient, path: str) -> None:
    reply = shared.get(path, params={"limt": 1, "cursor": "x"})
    assert (reply.status_code, reply.json()["code"]) == (400, "unknown_name")
    assert [error["path"] for error in reply.json()["errors"]] == ["limt", "cursor"]


def test_full(house: House, client: TestClient) -> None:
    house.buffer.stop(10)
    full = type(house.buffer)(
        house.rooms.engine,
        house.clock,
        house.rooms.telemetry,
        future_seconds=600,
        commit_rows=1_000,
        after_seconds=60.0,
        queue_rows=1,
    )
    intake = type(house.rooms.intake)(house.rooms.model, full, house.clock, future_seconds=600)
    waiting = intake.take([examples.UA_1545])  # nothing commits it yet
    with TestClient(create_app(replace(house.rooms, intake=intake), TOKEN), base_url=URL) as other:
        for reply in (other.post("/v1/events", json=examples.UA_1714), other.get("/ready")):
            assert (reply.status_code, reply.json()["code"]) == (503, "intake_full")
            assert reply.headers["retry-after"] == "1"
        assert other.get("/health").status_code == 200
    assert full.run_once()
    assert waiting.result(0).accepted == 1


def test_stopping(house: House, client: TestClient) -> None:
    house.buffer.stop(10)
    reply = client.post("/v1/events", json=examples.UA_1545)
    assert (reply.status_code, reply.json()["code"]) == (503, "stopping")
    assert "retry-after" in reply.headers
    assert client.get("/ready").status_code == 503
    health = client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "unhealthy")
    components = health.json()["components"]
    assert {name: part["status"] for name, part in components.items()} == {
        "engine": "healthy",
        "intake": "unhealthy",
        "store": "healthy",
    }

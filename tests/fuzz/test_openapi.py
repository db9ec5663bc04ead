"""The reference as a promise: whatever is sent where it says, what comes back is what it says, and no 5xx.

A key goes in `HEADERS`; a route that wants another may be given its own by path in `HEADERS_AT`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.http.conftest import URL, settings_in, standing

from aforo.settings import Access

ADMIN = "an-admin-key-for-the-fuzz"
HEADERS: Mapping[str, str] = {"Host": urlsplit(URL).netloc, "Authorization": f"Bearer {ADMIN}"}
HEADERS_AT: Mapping[str, Mapping[str, str]] = {}
PATIENCE_SECONDS = 120  # a whole check for drift, on a machine that does much else
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BOUNDS = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The reference of an app on real parts, asked in this process."""
    settings = settings_in(tmp_path_factory.mktemp("openapi"))
    for house in standing(replace(settings, access=Access(admin_key=ADMIN))):
        yield schemathesis.openapi.from_asgi("/openapi.json", house.app, headers=dict(HEADERS))


def test_every_route_keeps_what_the_reference_says(schema: Any) -> None:
    hold(schema, examples=20)


@pytest.mark.long
def test_every_route_keeps_it_a_thousand_times(schema: Any) -> None:
    hold(schema, examples=1_000)


def hold(schema: Any, examples: int) -> None:
    met: dict[str, Counter[int]] = defaultdict(Counter)
    for operation in (found.ok() for found in schema.get_all_operations()):

        @given(case=operation.as_strategy())
        @settings(max_examples=examples, **BOUNDS)
        def keeps(case: schemathesis.Case) -> None:
            headers = {**HEADERS, **HEADERS_AT.get(case.path, {})}
            reply = case.call_and_validate(headers=headers, checks=CHECKS, timeout=PATIENCE_SECONDS)
            met[case.path][reply.status_code] += 1

        keeps()
    assert set(met["/v1/events"]) >= {202, 400}, met
    assert set(met["/v1/query"]) >= {400}, met

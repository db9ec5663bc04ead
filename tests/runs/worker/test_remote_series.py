"""A worker that is a process of its own asks a server for rollups, and says what it can where it cannot."""

from __future__ import annotations

import pytest

from aforo.assembly.asking_rollups import RemoteSeries
from aforo.client import Connection
from aforo.errors import NotServable, ObjectsUnavailable

OF = ("rollup:orders:corner", "rollup:orders:corner@1.2", "revenue")


def test_a_worker_that_knows_of_no_server_fails_the_run_and_says_what_to_set() -> None:
    with pytest.raises(NotServable) as told:
        RemoteSeries(lambda: None)(*OF)
    assert "rollup:orders:corner" in told.value.detail
    assert "url and key" in told.value.hint


def test_a_server_that_does_not_answer_is_asked_again_later() -> None:
    with pytest.raises(ObjectsUnavailable, match="does not answer"):
        RemoteSeries(lambda: Connection("http://127.0.0.1:9", timeout_seconds=5))(*OF)

"""`aforo cache` as a person uses it, through the server that keeps the answers."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Aforo, serving
from tests.cli.shop import ORDERS, csv_file


def test_answers_of_a_server_are_told_and_cleared(aforo: Aforo, folder: Path) -> None:
    csv_file(folder / "orders.csv", ORDERS)
    assert aforo("load", "orders.csv", "--stream", "orders", "--tenant", "corner").code == 0
    assert aforo("cache", "stats", "--format", "json").json["entries"] == 0
    with serving(folder):
        ask = ("ask", "orders", "--tenant", "corner", "--from", "2024-01-01", "--to", "2024-12-31")
        proofs = [aforo(*ask, "--format", "json").json["proof"] for _ in range(2)]
        assert ["cached" in proof for proof in proofs] == [False, True]
        assert aforo("cache", "stats", "--format", "json").json["hits"] == 1
        assert aforo("cache", "clear", "--tag", "tenant:corner", "--format", "json").json == {"cleared": 1}
        wrong = aforo("cache", "clear", "--tag", "corner")
        assert wrong.code == 2
        assert "tenant:NAME" in wrong.err

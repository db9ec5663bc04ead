"""`aforo models`: what can be asked, in a table and as HTTP has it."""

from __future__ import annotations

from tests.cli.conftest import Aforo


def test_the_metrics_of_a_stream_are_listed(aforo: Aforo) -> None:
    told = aforo("models", "--format", "json").json
    assert {"version", "streams", "metrics"} <= told.keys()
    table = aforo("models", "--stream", "flights", "--format", "csv").out.splitlines()
    assert table[0] == "name,stream,formula,unit,description"
    assert len(table) - 1 == sum(each["stream"] == "flights" for each in told["metrics"]) > 0
    aforo("models", "--stream", "flihgts").told_no("flihgts", "flights")

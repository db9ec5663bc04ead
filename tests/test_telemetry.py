"""Own metrics and logs."""

from __future__ import annotations

import io
import json
import logging
import threading

import pytest
import structlog
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from aforo.telemetry import METRICS, PREFIX, Kind, Telemetry, configure_logging


def samples(telemetry: Telemetry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(telemetry.exposition().decode())
        for sample in family.samples
    }


def touch(telemetry: Telemetry) -> None:
    for metric in METRICS:
        labels = dict.fromkeys(metric.labels, "x")
        match metric.kind:
            case Kind.COUNTER:
                telemetry.count(metric.name, **labels)
            case Kind.GAUGE:
                telemetry.set(metric.name, 1, **labels)
            case Kind.HISTOGRAM:
                telemetry.observe(metric.name, 1, **labels)


def test_every_listed_metric_is_told_with_its_kind_sentence_and_labels() -> None:
    telemetry = Telemetry()
    touch(telemetry)
    told = {family.name: family for family in text_string_to_metric_families(telemetry.exposition().decode())}
    assert len(told) == len(METRICS)
    for metric in METRICS:
        family = told[f"{PREFIX}_{metric.name.removesuffix('_total')}"]
        assert (family.type, family.documentation) == (metric.kind, metric.sentence)
        assert all(set(sample.labels) - {"le"} == set(metric.labels) for sample in family.samples)


def test_counters_add_gauges_move_and_histograms_fill_buckets() -> None:
    telemetry = Telemetry()
    telemetry.count("events_refused_total", 3, stream="flights", code="too_long")
    telemetry.count("events_refused_total", stream="flights", code="too_long")
    telemetry.set("ledger_slots", 7)
    telemetry.set("ledger_slots", 2)
    telemetry.observe("commit_rows", 50)
    telemetry.observe("http_request_seconds", 0.02, route="/health")
    told = samples(telemetry)
    assert told["aforo_events_refused_total", (("code", "too_long"), ("stream", "flights"))] == 4
    assert told["aforo_ledger_slots", ()] == 2
    assert told["aforo_commit_rows_bucket", (("le", "10.0"),)] == 0
    assert told["aforo_commit_rows_bucket", (("le", "100.0"),)] == 1
    assert told["aforo_http_request_seconds_sum", (("route", "/health"),)] == 0.02


def test_two_telemetries_share_nothing_and_the_global_one_stays_clean() -> None:
    one, other = Telemetry(), Telemetry()
    one.count("fold_slots_total", 5)
    assert samples(one)["aforo_fold_slots_total", ()] == 5
    assert samples(other)["aforo_fold_slots_total", ()] == 0
    assert not [family for family in REGISTRY.collect() if family.name.startswith(PREFIX)]


def test_no_series_says_when_it_was_made() -> None:
    assert b"_created" not in Telemetry().exposition()


def test_a_name_that_is_not_listed_raises() -> None:
    telemetry = Telemetry()
    with pytest.raises(KeyError, match="no counter named 'fold_slot_total'"):
        telemetry.count("fold_slot_total")
    with pytest.raises(KeyError, match="no gauge named 'fold_slots_total'"):
        telemetry.set("fold_slots_total", 1)
    with pytest.raises(KeyError):
        telemetry.observe("ledger_slots", 1)


@pytest.mark.parametrize("labels", [{}, {"route": "x"}, {"stream": "a", "code": "b"}])
def test_wrong_labels_raise(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="label"):
        Telemetry().count("events_accepted_total", 1, **labels)


def test_threads_lose_no_count() -> None:
    telemetry = Telemetry()

    def work() -> None:
        for _ in range(2_000):
            telemetry.count("questions_total", source="rollup")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples(telemetry)["aforo_questions_total", (("source", "rollup"),)] == 8_000


def test_json_logs_are_one_object_a_line_whoever_speaks() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    structlog.contextvars.bind_contextvars(request="r1")
    structlog.get_logger("aforo.fold").info("folded", slots=3)
    logging.getLogger("other").warning("from %s", "elsewhere")
    structlog.get_logger("aforo.fold").debug("not told")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["slots"], first["level"], first["logger"], first["request"]) == (
        "folded",
        3,
        "info",
        "aforo.fold",
        "r1",
    )
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"], second["logger"]) == ("from elsewhere", "warning", "other")


@pytest.mark.parametrize("fmt", ["json", "text"])
def test_an_exception_is_told_without_the_values_around_it(fmt: str) -> None:
    stream = io.StringIO()
    configure_logging("info", fmt, stream)
    key = "s3" + "cret"
    for logger in (structlog.get_logger("aforo"), logging.getLogger("other")):
        try:
            raise OSError("the disk is full", len(key))
        except OSError:
            logger.exception("commit failed")
    told = stream.getvalue()
    assert told.count("commit failed") == 2
    assert told.count("the disk is full") >= 2
    assert "s3cret" not in told
    if fmt == "json":
        for line in map(json.loads, told.splitlines()):
            assert line["exception"][0]["exc_type"] == "OSError"


def test_text_logs_are_lines_without_colour_where_nobody_looks() -> None:
    stream = io.StringIO()
    configure_logging("warning", "text", stream)
    structlog.get_logger("aforo").info("not told")
    structlog.get_logger("aforo").warning("queue is long", rows=10)
    (line,) = stream.getvalue().splitlines()
    assert "queue is long" in line
    assert "rows=10" in line
    assert "\x1b" not in line


def test_setting_up_again_replaces_what_was() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging("info", "text", first)
    configure_logging("info", "text", second)
    structlog.get_logger("aforo").info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


@pytest.mark.parametrize(("level", "fmt"), [("loud", "text"), ("info", "xml")])
def test_a_level_or_form_that_does_not_exist_raises(level: str, fmt: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        configure_logging(level, fmt, io.StringIO())

"""`aforo ask` and `aforo doctor`: answers in each format, and wrong words with the nearest right ones."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import Aforo, furnished
from tests.cli.shop import ORDERS, csv_file

from aforo import __version__
from aforo.cli.app import run

MARCH = ("--tenant", "corner", "--from", "2024-03-01", "--to", "2024-03-03")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose data directory has the orders, folded; the tests here only read it."""
    folder = furnished(tmp_path_factory.mktemp("shop"))
    file = csv_file(folder / "orders.csv", ORDERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit, match="0"):
            run(["load", str(file), "--stream", "orders", "--tenant", "corner"])
    return folder


@pytest.fixture
def shop(loaded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The loaded folder as the working directory."""
    monkeypatch.chdir(loaded)
    monkeypatch.setenv("COLUMNS", "200")
    return loaded


@pytest.mark.usefixtures("shop")
class TestAnswers:
    def test_as_json_with_proof(self, aforo: Aforo) -> None:
        said = aforo("ask", "revenue,orders,buyers", *MARCH, "--by", "country", "--format", "json")
        assert said.code == 0
        assert said.json["rows"] == [
            {"country": "DE", "revenue": 80.0, "orders": 1, "buyers": 1},
            {"country": "ES", "revenue": 67.75, "orders": 3, "buyers": 2},
        ]
        proof = said.json["proof"]
        assert (proof["source"], proof["rollup"], proof["timezone"]) == ("rollup", "country", "Europe/Madrid")
        assert proof["exact"] == {"revenue": True, "orders": True, "buyers": True}

    def test_as_csv(self, aforo: Aforo) -> None:
        said = aforo("ask", "revenue", *MARCH, "--grain", "day", "--format", "csv")
        rows = list(csv.reader(io.StringIO(said.out)))
        assert rows[0] == ["time", "revenue"]
        assert [(day, float(value)) for day, value in rows[1:]] == [
            ("2024-03-01", 55.5),
            ("2024-03-02", 92.25),
            ("2024-03-03", 0.0),
        ]

    @pytest.mark.parametrize("format_", ["arrow", "parquet"])
    def test_as_a_table_for_programs(self, capsysbinary: pytest.CaptureFixture[bytes], format_: str) -> None:
        with pytest.raises(SystemExit, match="0"):
            run(["ask", "revenue", *MARCH, "--by", "country", "--format", format_])
        written = pa.BufferReader(capsysbinary.readouterr().out)
        table = pa.ipc.open_stream(written).read_all() if format_ == "arrow" else pq.read_table(written)
        assert table.to_pylist() == [
            {"country": "DE", "revenue": 80.0},
            {"country": "ES", "revenue": 67.75},
        ]
        assert json.loads(table.schema.metadata[b"aforo.proof"])["rollup"] == "country"

    def test_the_first_groups_the_rest_and_totals(self, aforo: Aforo) -> None:
        words = ("--by", "country", "--order", "orders desc", "--limit", "1", "--totals")
        said = aforo("ask", "revenue,orders", *MARCH, *words, "--format", "json")
        assert said.json["rows"] == [
            {"country": "ES", "revenue": 67.75, "orders": 3},
            {"country": None, "revenue": 80.0, "orders": 1, "other": True},
        ]
        assert said.json["totals"] == {"revenue": 147.75, "orders": 4}
        shown = aforo("ask", "revenue,orders", *MARCH, *words).out
        assert "totals" in shown
        assert "147.75" in shown

    def test_only_answers_are_written_for_programs(self, aforo: Aforo) -> None:
        aforo("doctor", "--format", "parquet").told_no("only the answers of 'aforo ask'")
        aforo("ask", "revenue", *MARCH, "--order", "revenu").told_no("did you mean 'revenue'?")

    def test_as_a_table_with_proof_and_what_was_considered(self, aforo: Aforo) -> None:
        said = aforo("ask", "revenue,median_order", *MARCH, "--explain")
        lines = said.out.splitlines()
        assert lines[0].split() == ["revenue", "(euros)", "median_order", "(euros)"]
        assert lines[1].split() == ["147.75", "20.086522"]
        assert "from rollup all" in said.out
        assert "exact but for median_order (within 0.99%)" in said.out
        assert "→ all: can serve" in said.out
        assert "  country: can serve" in said.out

    def test_numbers_are_never_cut_off_in_a_pipe(self, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "20")
        assert "147.75" in aforo("ask", "revenue,median_order,orders,buyers", *MARCH).out

    def test_where_and_compare(self, aforo: Aforo) -> None:
        where = ("--where", 'country = "ES" and country != "DE"')
        said = aforo(
            "ask", "revenue", *MARCH, *where, "--compare", "2024-02-27..2024-02-29", "--format", "json"
        )
        assert said.json["rows"] == [{"revenue": 67.75, "revenue_compared": 0.0, "revenue_delta": None}]

    def test_raw_events_say_why(self, aforo: Aforo) -> None:
        said = aforo("ask", "orders", *MARCH, "--where", "amount >= 30")
        assert "from the raw events: " in said.out
        explained = aforo("ask", "orders", *MARCH, "--where", "amount >= 30", "--explain").out
        told = " ".join(explained.split())
        assert "guard: about 4 raw events with 88 bytes were expected, and 50,000,000 with" in told
        assert "guard" not in aforo("ask", "orders", *MARCH, "--explain").out

    def test_options_stand_anywhere(self, aforo: Aforo, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        data = str(shop / "aforo-data")
        before = aforo("--format", "csv", "--data", data, "ask", "orders", *MARCH)
        among = aforo("ask", f"--data={data}", "orders", *MARCH[:2], "--format=csv", *MARCH[2:])
        after = aforo("ask", "orders", *MARCH, "--data", data, "--format", "csv")
        assert before.out == among.out == after.out == "orders\r\n4\r\n"

    def test_doctor_tells_what_is_kept_and_every_setting(self, aforo: Aforo) -> None:
        table = aforo("doctor")
        assert table.code == 0
        assert "{" not in table.out
        told = aforo("doctor", "--format", "json").json
        assert told["streams"] == [
            {
                "stream": "orders",
                "tenant": "corner",
                "events": 4,
                "first": "2024-03-01T08:15:00+00:00",
                "last": "2024-03-02T11:00:00+00:00",
                "dirtySlots": 0,
            }
        ]
        assert told["outcomes"] == {"accepted": 4}
        assert {"setting": "packs", "value": "", "source": "aforo.toml"} in told["settings"]


@pytest.mark.usefixtures("shop")
class TestWrongWords:
    def test_names(self, aforo: Aforo) -> None:
        aforo("ask", "revnue", *MARCH).told_no("no metric named 'revnue'", "did you mean 'revenue'?")
        aforo("ask", "revenue", *MARCH, "--by", "contry").told_no("named 'contry'", "did you mean 'country'?")
        aforo("ask", "revenue", *MARCH, "--where", 'contry = "ES"').told_no("did you mean 'country'?")
        aforo("ask", "revenue", "--tenant", "corna").told_no("no tenant named 'corna'")

    def test_values(self, aforo: Aforo) -> None:
        aforo("ask", "revenue", *MARCH, "--grain", "weak").told_no("'weak'", "did you mean 'week'?")
        aforo("ask", "revenue", *MARCH, "--timezone", "Europe/Madrit").told_no(
            "did you mean 'Europe/Madrid'?"
        )
        aforo("ask", "revenue", *MARCH, "--where", "country = ES").told_no("a string stands in quotes")
        aforo("ask", "revenue", *MARCH, "--compare", "lately").told_no("'lately' is no comparison")
        tenant = ("--tenant", "corner")
        aforo("ask", "revenue", *tenant, "--from", "2024-02-30").told_no("'2024-02-30' is not a date")
        aforo("ask", "revenue", *tenant, "--from", "2024-03-03", "--to", "2024-03-01").told_no("2024-03-0")

    def test_options_and_commands(self, aforo: Aforo) -> None:
        aforo("ask", "revenue", "--tenat", "corner").told_no("No such option: --tenat", "--tenant")
        aforo("ask", "revenue").told_no("Missing option '--tenant'")
        aforo("ask", "revenue", *MARCH, "--format").told_no("Option '--format' requires an argument")
        aforo("ask", "revenue", *MARCH, "--format", "tabel").told_no("'tabel' is not one of")
        aforo("aks", "revenue").told_no("No such command 'aks'", "Did you mean 'ask'?")

    def test_settings(self, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AFORO_HTTP_PROT", "1")
        monkeypatch.setenv("AFORO_ENGINE_THREADS", "many")
        aforo("doctor").told_no("AFORO_HTTP_PROT", "did you mean 'AFORO_HTTP_PORT'?", "AFORO_ENGINE_THREADS")

    @pytest.mark.parametrize("url", ["http://", "http://[::1", "http://127.0.0.1:99999"])
    def test_an_address_that_is_none(self, url: str, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AFORO_URL", url)
        aforo("doctor").told_no("no address of a server")

    def test_a_server_that_is_not_there(self, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AFORO_URL", "http://127.0.0.1:1")
        aforo("doctor").told_no("does not answer", code=1)


def test_a_question_that_is_too_large(shop: Path, aforo: Aforo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFORO_QUESTIONS_MAX_BUCKETS", "10")
    aforo("ask", "revenue", *MARCH, "--grain", "slot").told_no("10")


def test_the_version(aforo: Aforo) -> None:
    assert aforo("--version").out == f"aforo {__version__}\n"

"""Named questions are asked ahead, read from a file of which every fault is told."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from tests.engines.gauges import NOON, Sent
from tests.laws.shelf import MODEL, READINGS, Shelf, of_tenant

from aforo.errors import InvalidSettings, NotServable
from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.cache import Cache, Lifetimes
from aforo.questions.shelf import MemoryShelf
from aforo.questions.warming import Warmer, read_named
from aforo.rollups.folder import Folder
from aforo.settings import Settings
from aforo.telemetry import Telemetry


def test_what_is_refused_does_not_keep_the_others_from_being_asked() -> None:
    asked: list[str] = []

    def ask(question: Asked) -> None:
        asked.append(question.tenant)
        if question.tenant == "gone":
            raise NotServable("it is gone")

    named = {name: Asked(tenant=name, metrics=("flights",)) for name in ("gone", "nyc")}
    assert Warmer(named, ask, Telemetry(), after_seconds=1).run_once() == 1
    assert asked == ["gone", "nyc"]


def test_it_asks_at_the_start_and_whenever_it_is_woken() -> None:
    rounds = [Event(), Event()]
    left = iter(rounds)
    warmer = Warmer(
        {"board": Asked(tenant="nyc", metrics=("flights",))},
        lambda _: next(left).set(),
        Telemetry(),
        after_seconds=0.01,
    )
    warmer.start()
    assert rounds[0].wait(10)
    warmer.wake()
    assert rounds[1].wait(10)
    warmer.stop()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "no named questions"),
        ("{", "cannot be read"),
        ('{"board": {"tenant": "nyc"}, "other": {"metricks": []}}', "not all of it"),
    ],
)
def test_a_file_that_cannot_be_asked_is_told_at_the_start(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "questions.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSettings, match=told) as raised:
        read_named(path)
    assert [fault.path for fault in raised.value.faults] == (["board", "other"] if "board" in text else [])
    with pytest.raises(InvalidSettings, match="cannot be read"):
        read_named(tmp_path / "none.json")


def test_after_a_fold_the_answer_lies_ready(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "UTC")
    tenant = shelf.tenant()
    cache = Cache(MemoryShelf(shelf.clock, 10**6, lambda _: None), Lifetimes(300, 300, 300), Telemetry())
    desk = Desk(shelf.engine, MODEL, Settings(), shelf.clock, Telemetry(), cache)
    board = Asked(tenant=tenant, metrics=("readings",), from_="2013-03-01", to="2013-03-31")
    warmer = Warmer({"board": board}, desk.ask, Telemetry(), after_seconds=1)
    folder = Folder(
        shelf.engine, shelf.clock, Telemetry(), batch_rows=100, wake_after_seconds=1, folded=warmer.run_once
    )
    bench = shelf.bench(tenant)
    for count in (1, 2):
        bench.send(*of_tenant(tenant, [Sent(id=str(count), time=NOON)]), stream=READINGS)
        folder.run_until_clean()
        answer = desk.ask(board)
        assert (answer.rows, answer.proof.age_seconds) == (({"readings": count},), 0.0)
    shelf.engine.close()

"""Each kind of fault is told on its line and at its place, with what came and what was wanted, and no other.

The texts are in `faulty/`, where `#! place: words` marks a line that must be told, at that place and with
those words.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aforo.errors import Fault, InvalidModel
from aforo.model.findings import FaultCode
from aforo.model.reading import read_model

FAULTY = Path(__file__).parent / "faulty"
SHOP = (FAULTY / "shop.yaml").read_text("utf-8")
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(FAULTY.glob("*.yaml")) if path.stem != "shop"}


def cases() -> dict[str, tuple[FaultCode, str, str]]:
    """Of each case in `lines.diff` the code, the line of the shop and what stands there instead."""
    found: dict[str, tuple[FaultCode, str, str]] = {}
    for case in (FAULTY / "lines.diff").read_text("utf-8").split("\n== ")[1:]:
        title, *lines = case.rstrip("\n").split("\n")
        name, code = title.split(": ")
        (right,) = [line[1:] for line in lines if line.startswith("-")]
        wrong = [line[1:].replace("\\t", "\t").replace("\\x07", "\x07") for line in lines if line[0] == "+"]
        assert name not in found
        found[name] = FaultCode(code), f"{right}\n", "\n".join(wrong) + "\n"
    return found


LINES = cases()


def faults_of(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(InvalidModel) as raised:
        read_model(text, source="shop.yaml")
    assert raised.value.detail.startswith(f"shop.yaml: {len(raised.value.faults)} fault")
    return raised.value.faults


def marks(text: str) -> list[tuple[int, str, str]]:
    """Line, place and words of each mark."""
    return [
        (number, place, words)
        for number, line in enumerate(text.splitlines(), 1)
        for place, words in re.findall(r"#! (\S*(?: There)?): (.*?)(?= #!|$)", line)
    ]


def assert_told(text: str) -> None:
    wanted = marks(text)
    faults = faults_of(text)
    assert [(fault.line, fault.path) for fault in faults] == [(line, place) for line, place, _ in wanted]
    for fault, (_, _, words) in zip(faults, wanted, strict=True):
        assert words in fault.message


def test_the_shop_is_right() -> None:
    assert set(read_model(SHOP, source="shop.yaml").streams) == {"shop"}


@pytest.mark.parametrize("name", LINES)
def test_one_wrong_line(name: str) -> None:
    code, right, wrong = LINES[name]
    assert SHOP.count(right) == 1
    text = SHOP.replace(right, wrong)
    assert marks(text)
    assert_told(text)
    assert {fault.code for fault in faults_of(text)} == {code}


@pytest.mark.parametrize("name", TEXTS)
def test_whole_texts(name: str) -> None:
    assert_told(TEXTS[name])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file says nothing; 'streams:' was wanted"),
        ("# to be written", "the file says nothing"),
        ("streams: " + "[" * 5_000, "more than 16 lists and mappings stand within one another"),
        ("streams: " + "{a: " * 5_000, "more than 16 lists and mappings"),
        ("a: 1\na: " + "[" * 5_000, "'a' was given already on line 1"),
        (b"streams: {}\nmetrics: \xff", "byte 0xff is not UTF-8"),
        ("#" * (1 << 20) + "#", "larger than 1,048,576 bytes"),
        ("\ud800: 1", "is not UTF-8"),
    ],
)
def test_files_that_are_no_models(text: str | bytes, said: str) -> None:
    assert said in "; ".join(fault.message for fault in faults_of(text))


def test_every_code_is_told_by_some_text() -> None:
    told = {code for code, _, _ in LINES.values()}
    assert told | {FaultCode.FILE} == set(FaultCode)


def test_the_message_lists_all_in_the_order_of_the_file() -> None:
    with pytest.raises(InvalidModel) as raised:
        read_model(TEXTS["many_at_once"], source="shop.yaml")
    lines = [int(line) for line in re.findall(r"^  line (\d+), ", str(raised.value), re.MULTILINE)]
    assert len(lines) == len(raised.value.faults) == 15
    assert lines == sorted(lines)

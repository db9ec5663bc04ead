"""The answer that the README shows is the one that is given."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.flights.conftest import Ask

README = Path(__file__).resolve().parents[2] / "README.md"
# These belong to the moment and the machine of the asking.
OF_THE_MOMENT = ("completeUntil", "staleSeconds", "commit", "revision", "tookMs")


def test_the_answer_in_the_readme_is_real(ask: Ask) -> None:
    block = re.search(
        r"<!-- answer -->.*?```json\n(.*?)```.*?<!-- /answer -->", README.read_text("utf-8"), re.S
    )
    assert block is not None
    shown = json.loads(block[1])
    given = json.loads(json.dumps(ask("aircraft", "dep_delay_p95", where='origin = "EWR"')))
    for key in OF_THE_MOMENT:
        assert shown["proof"].pop(key) is not None
        given["proof"].pop(key)
    assert shown == given

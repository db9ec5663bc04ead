"""The `where:` of whatever may have one."""

from __future__ import annotations

from aforo.errors import InvalidRequest
from aforo.model.condition import Condition, parse
from aforo.model.findings import FaultCode, Findings
from aforo.model.reading.section import Section


def read_where(findings: Findings, section: Section) -> tuple[Condition, ...]:
    """The conditions under `where`; none where nothing was said, or where it is faulty."""
    text = section.text("where")
    if text is None:
        return ()
    try:
        return parse(text)
    except InvalidRequest as error:
        hint = f"; {error.hint}" if error.hint else ""
        findings.fault(section.place("where"), FaultCode.BAD_CONDITION, f"in {text!r}: {error.detail}{hint}")
        return ()

"""The `metrics:` and `tenants:` of a model file."""

from __future__ import annotations

from aforo.errors import InvalidRequest
from aforo.model.findings import FaultCode, Findings
from aforo.model.formula import Formula, parse
from aforo.model.metric import Format
from aforo.model.reading.section import Section
from aforo.model.reading.written import Entries, Node
from aforo.model.sheet import MetricSheet
from aforo.model.tenant import Tenant

_METRIC_KEYS = ("formula", "stream", "unit", "format", "owner", "description")


def read_metric(findings: Findings, name: str, path: str, node: Node) -> MetricSheet:
    """A metric; a formula that cannot be read is a fault, and None stands in its place."""
    section = Section(findings, path, node, _METRIC_KEYS)
    if isinstance(node, Entries):
        section.need("formula")
    text = section.text("formula")
    return MetricSheet(
        name=name,
        stream=section.text("stream"),
        formula=None if text is None else _formula(findings, section.place("formula"), text),
        text=text or "",
        unit=section.text("unit") or "",
        format=section.choice("format", Format) or Format.NUMBER,
        owner=section.text("owner") or "",
        description=section.text("description") or "",
    )


def read_tenant(findings: Findings, name: str, path: str, node: Node) -> Tenant:
    """A tenant; UTC and Monday where nothing else is said."""
    section = Section(findings, path, node, ("timezone", "week_start"))
    return Tenant(
        name=name,
        timezone=section.text("timezone") or "UTC",
        week_start=section.text("week_start") or "monday",
    )


def _formula(findings: Findings, path: str, text: str) -> Formula | None:
    try:
        return parse(text)
    except InvalidRequest as error:
        hint = f"; {error.hint}" if error.hint else ""
        findings.fault(path, FaultCode.BAD_FORMULA, f"in {text!r}: {error.detail}{hint}")
        return None

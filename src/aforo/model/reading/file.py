"""From the bytes of a model file to a Model, in four steps: text, tree, sheet, rules."""

from __future__ import annotations

from pathlib import Path

from aforo.errors import InvalidModel
from aforo.model.findings import FaultCode, Findings
from aforo.model.formula import measures
from aforo.model.metric import Metric
from aforo.model.model import Model
from aforo.model.reading.metrics import read_metric, read_tenant
from aforo.model.reading.section import Section
from aforo.model.reading.streams import read_streams
from aforo.model.reading.written import Entries, written
from aforo.model.rules import RULES
from aforo.model.sheet import MetricSheet, Sheet

LARGEST_FILE_BYTES = 1 << 20


def read_file(path: Path) -> Model:
    """The model of a file; InvalidModel lists every fault, or says why the file cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidModel(f"the model file {path} cannot be read: {error.strerror or error}") from error
    return read_model(content, source=str(path))


def read_model(content: str | bytes, *, source: str) -> Model:
    """The model that a YAML text declares; InvalidModel lists every fault and names `source`."""
    findings = Findings()
    text = _text(content, findings)
    tree = None if text is None else written(text, findings)
    sheet = None if tree is None else _sheet(tree, findings)
    if sheet is not None:
        for rule in RULES:
            for path, code, message in rule(sheet):
                findings.fault(path, code, message)
    faults = findings.faults()
    if sheet is None or faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise InvalidModel(f"{source}: {count}; nothing of it was applied", faults=faults)
    return Model(
        streams=sheet.streams,
        metrics={name: _metric(sheet, metric) for name, metric in sheet.metrics.items()},
        tenants=sheet.tenants,
    )


def _text(content: str | bytes, findings: Findings) -> str | None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(raw) > LARGEST_FILE_BYTES:
        message = f"the file is larger than {LARGEST_FILE_BYTES:,} bytes, which is the most that is read"
        findings.fault("", FaultCode.FILE, message)
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        findings.fault("", FaultCode.FILE, f"byte {raw[error.start]:#04x} is not UTF-8", line)
        return None


def _sheet(tree: Entries, findings: Findings) -> Sheet:
    top = Section(findings, "", tree, ("streams", "metrics", "tenants"))
    return Sheet(
        streams=read_streams(findings, top.children("streams")),
        metrics={name: read_metric(findings, name, at, node) for name, at, node in top.children("metrics")},
        tenants={name: read_tenant(findings, name, at, node) for name, at, node in top.children("tenants")},
        sound=findings.sound,
    )


def _metric(sheet: Sheet, metric: MetricSheet) -> Metric:
    (stream,) = sheet.streams_of(metric)
    if metric.formula is None:
        raise InvalidModel(f"{metric.name} has no formula")
    return Metric(
        name=metric.name,
        stream=stream.name,
        formula=metric.formula,
        text=metric.text,
        unit=metric.unit,
        format=metric.format,
        owner=metric.owner,
        description=metric.description,
        measures=measures(metric.formula),
    )

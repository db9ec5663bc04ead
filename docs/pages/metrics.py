"""What the server tells of itself, from the one list of its own metrics."""

from __future__ import annotations

from aforo.telemetry import METRICS, PREFIX
from pages.writing import code, codes, number, paragraphs, table

INTRO = """
# The server's own metrics

`GET /internal/metrics` gives these in the text form of Prometheus. They are about the process, start at
zero with it, and have nothing to do with the metrics of your model. A histogram `x` comes as
`x_bucket`, `x_sum` and `x_count`.
"""


def page() -> str:
    """Every metric with its labels, and the bounds of the histograms."""
    rows = [(code(f"{PREFIX}_{each.name}"), each.kind, codes(each.labels), each.sentence) for each in METRICS]
    bounds = [
        (code(f"{PREFIX}_{each.name}"), ", ".join(map(number, each.buckets)))
        for each in METRICS
        if each.buckets
    ]
    return paragraphs(
        INTRO,
        table(("metric", "kind", "labels", "what it counts"), rows),
        "## Buckets",
        "The upper bounds of each histogram's buckets, in the unit of its name.",
        table(("metric", "bounds"), bounds),
    )

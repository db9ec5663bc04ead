"""`POST /v1/funnel`: how many came how far."""

from __future__ import annotations

from typing import Any

from aforo.http import examples_of_sets
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS, asking
from aforo.http.door import Door
from aforo.http.readings import Readings
from aforo.http.reply import Shape
from aforo.questions.ask import Desk
from aforo.questions.funnel import funnel
from aforo.questions.funnel_asked import FunnelAsked, decode
from aforo.questions.proof import told_to
from aforo.settings import Http


class StepReply(Shape, frozen=True):
    """How many reached a step, of those of the first step and of the one before; null of nobody."""

    step: int
    name: str
    count: int
    share: float | None
    share_of_previous: float | None


class FunnelReply(Shape, frozen=True):
    """The steps in order; `proof` says which kept sets told them, and why raw events did."""

    entity: str
    steps: list[StepReply]
    proof: dict[str, Any]


def funnelling(desk: Desk, readings: Readings, limits: Http) -> Door:
    """The way in for funnels."""
    return asking(
        "/v1/funnel",
        "askFunnel",
        ABOUT,
        decode,
        lambda asked, caller, askers: told_to(funnel(desk.within(caller.budget), asked), askers).as_json(),
        readings=readings,
        max_body_bytes=limits.max_body_bytes,
    )


ABOUT = About(
    tag="Questions",
    summary="Ask who comes how far",
    description=(
        "How many entities of one tenant went through up to 8 steps inside the window. They are told by the "
        "sets that rollups keep, where some mean the steps: those of days and quarter hours tell an order as "
        "far as it is one of days and quarter hours, and the raw events of the others alone are read, within "
        "the limits of raw questions (`alsoRead` in the proof). Exact either way."
    ),
    body=(Content("application/json", (FunnelAsked,), examples_of_sets.FUNNELS_ASKED),),
    reply=Content("application/json", (FunnelReply,), examples_of_sets.FUNNELS),
    errors=ERRORS,
)

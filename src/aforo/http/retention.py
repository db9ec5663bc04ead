"""`POST /v1/retention`: who came first when, and who came back."""

from __future__ import annotations

from typing import Any

from aforo.http import examples_of_sets
from aforo.http.about import About, Content
from aforo.http.asking import ERRORS, asking
from aforo.http.door import Door
from aforo.http.readings import Readings
from aforo.http.reply import Shape
from aforo.questions.ask import Desk
from aforo.questions.proof import told_to
from aforo.questions.retention import retention
from aforo.questions.retention_asked import RetentionAsked, decode
from aforo.settings import Http


class CohortReply(Shape, frozen=True):
    """Those who came first in the period that begins on `cohort`.

    `returned` counts who was seen 0, 1, 2 and more periods later, `shares` says it of the cohort's size; both
    are null for periods that have not begun. `partial` where the window or now cuts the period.
    """

    cohort: str
    partial: bool
    size: int
    returned: list[int | None]
    shares: list[float | None]


class RetentionReply(Shape, frozen=True):
    """The cohorts in order of time, each with as many numbers as there are periods from its own on."""

    metric: str
    returns: str
    grain: str
    cohorts: list[CohortReply]
    proof: dict[str, Any]


def retaining(desk: Desk, readings: Readings, limits: Http) -> Door:
    """The way in for questions of retention."""
    return asking(
        "/v1/retention",
        "askRetention",
        ABOUT,
        decode,
        lambda asked, caller, askers: told_to(retention(desk.within(caller.budget), asked), askers).as_json(),
        readings=readings,
        max_body_bytes=limits.max_body_bytes,
    )


ABOUT = About(
    tag="Questions",
    summary="Ask who comes back",
    description=(
        "Cohorts of one tenant by the day, week or month in which a metric saw each entity first, over all "
        "time that is kept, and how many of each were seen in every later period of the window. Exact: it is "
        "read from the sets that rollups keep."
    ),
    body=(Content("application/json", (RetentionAsked,), examples_of_sets.RETENTION_ASKED),),
    reply=Content("application/json", (RetentionReply,), examples_of_sets.RETENTION),
    errors=ERRORS,
)

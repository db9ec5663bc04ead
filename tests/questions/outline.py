"""How a question would be answered, in lines for a person; nothing is read."""

from __future__ import annotations

from aforo.questions.ask import Desk
from aforo.questions.asked import Asked
from aforo.questions.cost import raw_reads
from aforo.questions.guard import expected
from aforo.questions.needed import compared_window, plans_of, rankings
from aforo.questions.parts import by_stream, has_totals_of_its_own, totals
from aforo.questions.plan import Plan
from aforo.questions.planned import Planned


def outline(desk: Desk, asked: Asked) -> str:
    """The plan of everything that would be read, each under its title. Raises what a question does."""
    question = desk.resolve(asked)
    parts = by_stream(question, desk.model)
    several = len(parts) > 1
    told = [_told(desk.plan(part), "question", "comparison", named=several) for part in parts]
    if question.limit is not None:
        ranked = rankings(question, desk.plan(parts[0]), desk.model)
        told += [
            _told(desk.plan(each), title, named=several)
            for title, each in zip(("ranking", "ranking compared"), ranked, strict=False)
        ]
    if has_totals_of_its_own(question):
        other = compared_window(question, desk.plan(parts[0]))
        wholes = {"totals": question.window, **({} if other is None else {"totals compared": other})}
        told += [
            _told(desk.plan(totals(part, window)), title, named=several)
            for title, window in wholes.items()
            for part in parts
        ]
    raw = [read for planned in plans_of(desk, question) for read in raw_reads(planned)]
    if raw:
        limits = desk.settings.questions
        told.append(f"guard: it would read {expected(raw, question.tenant, desk.engine, limits)}")
    return "\n\n".join(told)


def _told(planned: Planned, *titles: str, named: bool) -> str:
    """The plan of each window in lines for a person, with the stream's name where there are several."""
    of = f" of {planned.stream.name}" if named else ""
    return "\n\n".join(
        f"{title}{of}: " + "\nseen before: ".join(explained(plan) for _, plan in side.reads)
        for title, side in zip(titles, planned.sides, strict=False)
    )


def explained(plan: Plan) -> str:
    """The plan in lines for a person: what is read, then what was considered."""
    source = "events" if plan.rollup is None else f"rollup {plan.rollup.name}"
    grains = f" ({' and '.join(plan.grains)} rows)" if plan.rollup else f": {plan.reason}"
    marks = {True: "*", False: "-"}
    return "\n".join(
        [
            f"read from {source}{grains}",
            *(f"{marks[one.chosen]} {one.rollup}: {one.why}" for one in plan.considered),
        ]
    )

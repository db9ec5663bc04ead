"""`aforo simulate`: a pack's data, made up, through the same intake as everybody's."""

from __future__ import annotations

from typing import Annotated

import typer

from aforo.cli.load import REFUSED, folding, tell, with_bar
from aforo.cli.output import Format, out
from aforo.cli.session import Session
from aforo.clock import SystemClock

DAYS, RATE, SEED = 90, 5_000, 7


def simulate(
    context: typer.Context,
    pack: Annotated[str, typer.Argument(help="Whose data is made up: projects or web.")],
    days: Annotated[int, typer.Option(help="How many days.")] = DAYS,
    rate: Annotated[int, typer.Option(help="Events of a day, about.")] = RATE,
    seed: Annotated[
        int, typer.Option(help="What all chance follows from: the same makes the same again.")
    ] = SEED,
    tenant: Annotated[
        str | None,
        typer.Option(
            help="Whose they are; the name begins with demo- or demo_.",
            show_default="the pack's, like demo-site",
        ),
    ] = None,
    to: Annotated[str, typer.Option(metavar="now|DATE", help="The last day, up to now at most.")] = "now",
    fold: Annotated[bool, typer.Option(help="Fold when all is there.")] = True,
) -> None:
    """Make up a pack's data, to try things out with. Making the same again changes nothing."""
    from aforo.assembly.simulating import simulation  # only who makes things up waits for it

    session: Session = context.obj
    settings = session.resolved().settings
    made = simulation(pack, settings, SystemClock(), tenant=tenant, to=to, days=days, rate=rate, seed=seed)
    with session.reaching() as reached:
        loaded = with_bar(reached, made.order, made.chunks())
        if fold:
            folding(reached)
    tell(loaded, session.format)
    if session.format is Format.TABLE:
        question = f"aforo ask {made.simulator.ask} --tenant {made.wish.tenant}"
        out().print(f"\nmade up, as the tenant's name says; ask: [bold]{question}[/]", soft_wrap=True)
    if loaded.refused:
        raise typer.Exit(REFUSED)

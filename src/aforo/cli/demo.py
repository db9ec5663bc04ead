"""`aforo demo`: 336,776 real flights and a made-up site in, proven answers out, then the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aforo.cli.load import folding, with_bar
from aforo.cli.output import out, shown
from aforo.cli.proofs import proof_lines
from aforo.cli.serve import tell_ready
from aforo.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from aforo.assembly import Local

YEAR = {"tenant": "nyc", "from": "2013-01-01", "to": "2013-12-31"}
BAR_WIDTH = 40


def demo(
    context: typer.Context,
    serve: Annotated[bool, typer.Option(help="Serve when all is loaded.")] = True,
) -> None:
    """Load a year of New York's flights and a made-up site, show what they say, and serve them."""
    from aforo.assembly.demo import ORDER, chunks, site

    session: Session = context.obj
    with session.holding() as local:
        with_bar(local, ORDER, chunks())
        made = site(local.aforo.settings, local.aforo.clock)
        if made is not None:
            with_bar(local, made.order, made.chunks())
        folding(local)
        _tell(local)
        if made is not None:
            _tell_site(local, made.wish.tenant)
        if serve:
            from aforo.assembly.serving import serve as serve_directory

            serve_directory(local, tell_ready)


def _tell(local: Local) -> None:
    console = out()
    whole = _asked(local, ["flights", "cancelled", "aircraft", "destinations", "dep_delay_p95"])
    row = whole["rows"][0]
    aircraft, destinations = row["aircraft"], row["destinations"]
    console.print(
        f"\n[bold]{row['flights']:,}[/] flights were to leave New York in 2013 and "
        f"[bold]{row['cancelled']:,}[/] never departed; "
        f"[bold]{aircraft:,}[/] aircraft flew to [bold]{destinations}[/] airports.",
    )
    by_carrier = _asked(local, ["flights"], by=["carrier"])
    ranked = sorted(by_carrier["rows"], key=lambda each: -each["flights"])[:8]
    _chart(console, "flights by carrier", [(each["carrier"], each["flights"]) for each in ranked])
    monthly = _asked(local, ["dep_delay_avg"], grain="month")
    _chart(
        console,
        "mean departure delay by month, minutes",
        [(each["time"][:7], each["dep_delay_avg"]) for each in monthly["rows"]],
    )
    late = _asked(local, ["dep_delay_p95"], by=["origin"])
    _chart(
        console,
        "delay that 95 % of departures stay within, minutes",
        [(each["origin"], each["dep_delay_p95"]) for each in late["rows"]],
    )
    console.print("\nthe proof of the last answer:")
    for line in proof_lines(late["proof"]):
        console.print(f"  {line}", style="dim", markup=False)
    console.print(
        "\nask for yourself: [bold]aforo ask dep_delay_p95 --tenant nyc --from 2013-01-01 --to 2013-12-31 "
        "--by carrier --grain month[/]\n",
        soft_wrap=True,
    )


def _tell_site(local: Local, tenant: str) -> None:
    """The last 30 days of the site, and where a dashboard would ask for them."""
    console = out()
    totals: dict[str, Any] = {}
    for metrics in (["web_visitors", "web_returning_visitors", "web_page_views"], ["web_new_leads"]):
        totals |= local.ask({"tenant": tenant, "metrics": metrics})["rows"][0]  # type: ignore[index]
    console.print(
        f"[bold]{tenant}[/] is made up, as its name says. In 30 days "
        f"[bold]{totals['web_visitors']:,}[/] visitors, "
        f"[bold]{totals['web_returning_visitors']:,}[/] of whom had been there before, saw "
        f"[bold]{totals['web_page_views']:,}[/] pages, "
        f"and [bold]{totals['web_new_leads']:,}[/] became leads.",
        soft_wrap=True,
    )
    by_source: Any = local.ask({"tenant": tenant, "metrics": ["web_visitors"], "by": ["traffic_source"]})
    bars = [(row["traffic_source"], row["web_visitors"]) for row in by_source["rows"]]
    bars.sort(key=lambda bar: -bar[1])
    _chart(console, "visitors by where they came from", bars)
    served = local.aforo.settings.http
    url = f"http://{served.host}:{served.port}"
    console.print(
        f"\nall of it at a glance, once served: "
        f"[bold]curl '{url}/v1/metrics/summary?propertyId={tenant}&compareTo=previous'[/]\n",
        soft_wrap=True,
    )


def _asked(local: Local, metrics: list[str], **more: object) -> dict[str, Any]:
    return local.ask({**YEAR, "metrics": metrics, **more})


def _chart(console: Console, title: str, bars: Sequence[tuple[str, float]]) -> None:
    """A bar a line, as long as its value is large."""
    from rich.markup import escape

    most = max(value for _, value in bars)
    width = max(len(name) for name, _ in bars)
    console.print(f"\n[bold]{title}[/]")
    for name, value in bars:
        bar = "█" * max(1, round(BAR_WIDTH * value / most))
        console.print(f"  {escape(name):<{width}} [cyan]{bar}[/] {shown(round(value, 1))}")

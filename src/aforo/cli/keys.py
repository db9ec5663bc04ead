"""`aforo keys`: what opens a server, and the audit of what was done with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from aforo.cli.output import Format, err, write
from aforo.cli.session import Session

keys = typer.Typer(
    name="keys",
    no_args_is_help=True,
    add_completion=False,
    help="Make, list and revoke the keys of a server, and read its audit.",
)
KEY_COLUMNS = ("id", "name", "kind", "scopes", "tenants", "state", "createdAt", "lastUsedAt")
ACT_COLUMNS = ("id", "at", "action", "actor", "address", "subject", "detail")

Limit = Annotated[int | None, typer.Option(help="Most lines, 1 to 1000.", show_default="100")]
Cursor = Annotated[str | None, typer.Option(help="Where the page before has ended.")]


@keys.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the key is called.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="ingest, read, define, operate, support or admin."),
    ] = None,
    tenant: Annotated[
        list[str] | None, typer.Option(metavar="TENANT", help="Whose data it opens; without it, everyone's.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="A write key that may stand in pages: ingest for one tenant.")
    ] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Pages a public key is for: https://app.example, or '*'."),
    ] = None,
    owner: Annotated[
        str, typer.Option(metavar="KIND:NAME", help="Who owns it; KIND is user, team or organisation.")
    ] = "user:admin",
    expires: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Until when it is good: 2030-01-01T00:00:00Z.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second in the long run, instead of the setting's.")
    ] = None,
    burst: Annotated[int | None, typer.Option(help="Requests at once, instead of the setting's.")] = None,
    raw_rows: Annotated[
        int | None, typer.Option(help="Raw events one question may read, instead of the setting's; 0: none.")
    ] = None,
    raw_bytes: Annotated[
        int | None, typer.Option(help="Bytes of those, instead of the setting's; 0: none.")
    ] = None,
) -> None:
    """Make a key and print its secret, this once."""
    session: Session = context.obj
    kind, _, owned_by = owner.rpartition(":")
    asked: dict[str, object] = {
        "name": name,
        "kind": "public" if public else "secret",
        "principal": {"kind": kind or "user", "name": owned_by},
        **{
            key: value
            for key, value in (("scopes", scope), ("tenants", tenant), ("origins", origin))
            if value
        },
        **{
            key: value
            for key, value in (
                ("expiresAt", expires),
                ("requestsPerSecond", rate),
                ("burstRequests", burst),
                ("rawRows", raw_rows),
                ("rawBytes", raw_bytes),
            )
            if value is not None
        },
    }
    with session.controlling() as controlled:
        reply: Mapping[str, Any] = controlled.create_key(asked)
    if session.format is Format.TABLE:
        sys.stdout.write(f"{reply['secret']}\n")
        note = f"{reply['key']['id']} is made; its secret above is shown this once and kept nowhere"
        err().print(note, style="dim", soft_wrap=True)
    else:
        row = {"secret": reply["secret"], **_row(reply["key"])}
        write(reply, session.format, ("secret", *KEY_COLUMNS), [row])


@keys.command(name="list")
def list_(context: typer.Context, limit: Limit = None, cursor: Cursor = None) -> None:
    """List the keys without their secrets, the newest first."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply: Mapping[str, Any] = controlled.keys(limit, cursor)
    _write(session, reply, KEY_COLUMNS, [_row(key) for key in reply["keys"]])


@keys.command()
def revoke(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as the list tells it.")],
) -> None:
    """End a key: it opens nothing from now on."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply = controlled.revoke_key(id_)
    write(reply, session.format, KEY_COLUMNS, [_row(reply)])


@keys.command()
def audit(context: typer.Context, limit: Limit = None, cursor: Cursor = None) -> None:
    """Read what was done with keys, and who was turned away, the newest first."""
    session: Session = context.obj
    with session.controlling() as controlled:
        reply: Mapping[str, Any] = controlled.acts(limit, cursor)
    _write(session, reply, ACT_COLUMNS, reply["acts"])


def _write(
    session: Session, reply: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    write(reply, session.format, columns, rows)
    if session.format is Format.TABLE and reply["nextCursor"] is not None:
        err().print(f"there is more: --cursor {reply['nextCursor']}", style="dim", soft_wrap=True)


def _row(key: Mapping[str, Any]) -> dict[str, Any]:
    """A key with its lists as words; a key that is bound to no tenant opens all."""
    tenants = "(all)" if key["tenants"] is None else ", ".join(key["tenants"])
    return {**key, "scopes": ", ".join(key["scopes"]), "tenants": tenants}

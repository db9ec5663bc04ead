"""An access log's way to events: where it was left, whose visitors they are, and which stream takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aforo.assembly.build import DEFAULT_TENANT, load_model
from aforo.assembly.order import LoadOrder
from aforo.errors import InvalidRequest, UnknownName
from aforo.events.readers import ACCESS_LOG, READERS, Chunk, FileShape, Marks
from aforo.model.tenant import Tenant
from aforo.packs.weblog import PACK, STREAM
from aforo.packs.weblog.requests import host_name
from aforo.packs.weblog.roots import root_secret
from aforo.packs.weblog.source import Requests
from aforo.packs.weblog.visitors import Visitors
from aforo.settings import Settings
from aforo.windows import Zone

MARKS, ROOTS = "marks", "roots"  # below `access-log` in the data directory


def chunks(order: LoadOrder, settings: Settings) -> Iterator[Chunk]:
    """The log's lines as events; all that can be wrong with the order is told before any is read."""
    tenant = _tenant(_checked(order), order, settings)
    stream = order.stream or STREAM
    folder = settings.data / "access-log"
    root = root_secret(folder / ROOTS, tenant.name, settings.access_log.secret)
    zone = Zone(tenant.timezone, tenant.week_start)
    requests = Requests(Visitors(root, zone, salt_days=settings.access_log.salt_days), order.sites)
    # A server elsewhere has not what the one here has: how far a log is read is known for each of them.
    owner = "\n".join((tenant.name, stream, settings.url or ""))
    shape = FileShape(marks=Marks(folder / MARKS, owner), from_start=order.from_start)
    return (requests.events(chunk) for chunk in READERS[ACCESS_LOG](order.path, shape))


def _checked(order: LoadOrder) -> str:
    """The tenant's name. Raises InvalidRequest for an order that is none for a log."""
    if order.mapping or order.nulls != LoadOrder(path=order.path).nulls:
        raise InvalidRequest(
            "--map or --null came with an access log, whose fields are fixed", hint="leave them out"
        )
    wrong = [site for site in order.sites if host_name(site) is None]
    if wrong:
        raise InvalidRequest(
            f"--site came {wrong[0]!r}, wanted a host", hint="for example --site example.org"
        )
    if order.tenant is None:
        raise InvalidRequest(
            f"{order.path} has no tenant column", hint="say whose events they are: --tenant T"
        )
    return order.tenant


def _tenant(name: str, order: LoadOrder, settings: Settings) -> Tenant:
    """The tenant with its zone, as the model has it, else as every tenant that nobody declared."""
    model = load_model(settings)
    if order.stream is None and STREAM not in model.streams:
        raise UnknownName(
            f"there is no stream named {STREAM!r}: the pack {PACK} has it, and is not among the packs",
            hint=f"set AFORO_PACKS={','.join((*settings.packs, PACK))}, or packs in aforo.toml",
        )
    return model.tenants.get(name, replace(DEFAULT_TENANT, name=name))

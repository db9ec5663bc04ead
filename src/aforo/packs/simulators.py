"""Every pack whose events can be made up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aforo.errors import UnknownName
from aforo.packs.projects.simulated import PROJECTS
from aforo.packs.simulating import Simulator
from aforo.packs.web.simulated import WEB

# One pack, one line: what makes its events.
SIMULATORS: Mapping[str, Simulator] = MappingProxyType({"projects": PROJECTS, "web": WEB})


def simulator(pack: str) -> Simulator:
    """What makes the events of a pack; UnknownName otherwise."""
    if pack not in SIMULATORS:
        raise UnknownName.of("pack whose events can be made up", pack, SIMULATORS)
    return SIMULATORS[pack]

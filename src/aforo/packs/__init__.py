"""The models that come with Aforo, by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from aforo.errors import UnknownName

# One pack, one line: its model file, below this package.
MODEL_FILES: Mapping[str, str] = MappingProxyType(
    {
        "flights": "flights/flights.yaml",
        "projects": "projects/projects.yaml",
        "web": "web/web.yaml",
        "weblog": "weblog/weblog.yaml",
    }
)


def model_file(pack: str) -> Traversable:
    """The model file of a built-in pack; UnknownName otherwise."""
    if pack not in MODEL_FILES:
        raise UnknownName.of("pack", pack, MODEL_FILES)
    return files(__name__).joinpath(MODEL_FILES[pack])

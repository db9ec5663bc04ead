"""Keeps pandas out of the command line's process.

pyarrow imports pandas with its first array wherever pandas is installed, and the demonstration's data package
asks for it: two seconds and 60 MB for something that is not used here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class WithoutPandas(MetaPathFinder):
    """Says that pandas is not installed."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of the command line", name=fullname)
        return None


def keep_out() -> None:
    """Holds for the rest of the process; pandas that is there already stays."""
    if not any(isinstance(finder, WithoutPandas) for finder in sys.meta_path):
        sys.meta_path.insert(0, WithoutPandas())

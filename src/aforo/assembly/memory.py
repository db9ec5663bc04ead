"""Memory that nothing needs any more goes back, and what stays is not looked through for it."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

LOOK_AFTER_OBJECTS = 10_000
"""So many are made before a look, less those that have gone: a few requests at once are Python's own 700."""


@contextmanager
def settled() -> Iterator[None]:
    """What is there now stays until the end: the collector looks through what comes later only.

    Modules, models and routes are some hundred thousand objects, and each full collection would stop every
    thread until it has seen them all. A request makes some hundred that go with it, and needs no look.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_AFTER_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def give_back() -> None:
    """Empties what the allocators keep for later; where the C library cannot, it keeps it."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

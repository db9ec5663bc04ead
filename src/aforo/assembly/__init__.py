"""The one place that builds everything and orders start and stop.

`serving` is not imported here: what it needs takes longer to import than most commands take to run.
"""

from aforo.assembly.build import Aforo, load_model
from aforo.assembly.compacting import compact
from aforo.assembly.control import Control, control
from aforo.assembly.definitions import definitions_in
from aforo.assembly.loading import Loaded, read_chunks
from aforo.assembly.local import Local
from aforo.assembly.order import LoadOrder
from aforo.assembly.reach import Reach, reach
from aforo.assembly.remote import Remote
from aforo.assembly.running import Running, running
from aforo.events.readers import Chunk, Stretch

__all__ = [
    "Aforo",
    "Chunk",
    "Control",
    "LoadOrder",
    "Loaded",
    "Local",
    "Reach",
    "Remote",
    "Running",
    "Stretch",
    "compact",
    "control",
    "definitions_in",
    "load_model",
    "reach",
    "read_chunks",
    "running",
]

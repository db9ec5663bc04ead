"""`aforo serve` over the bench's model: `python bench/serving.py DATA`, which with `--forget` stores nothing.

Without storing, the same app, intake and steps run, and an append is said to be durable at once.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import numpy as np  # noqa: E402

from aforo.assembly import Local  # noqa: E402
from aforo.assembly.serving import serve  # noqa: E402
from aforo.clock import SystemClock  # noqa: E402
from aforo.engines.appends import Append, Commit  # noqa: E402
from aforo.settings import Settings  # noqa: E402
from aforo.telemetry import configure_logging  # noqa: E402

MODELS = Path(__file__).parent / "models"


class Forgetting:
    """Keeps nothing, and says at once that all of it was new."""

    def append(self, append: Append) -> Commit:
        return Commit(0, tuple(np.ones(rows.rows.num_rows, np.bool_) for rows in append.rows), {})


def main() -> None:
    settings = Settings()
    settings = replace(
        settings, data=Path(sys.argv[1]), models=MODELS, packs=(), http=replace(settings.http, port=0)
    )
    if "--small-queue" in sys.argv:  # as large as 512 senders of 100 events can fill
        settings = replace(settings, intake=replace(settings.intake, queue_rows=20_000))
    configure_logging("warning", "text", sys.stderr)
    local = Local(settings, SystemClock())
    if "--forget" in sys.argv:
        local.aforo.buffer._engine = Forgetting()  # the app has no way to be told not to store
    serve(local, lambda _url: None)


if __name__ == "__main__":
    main()

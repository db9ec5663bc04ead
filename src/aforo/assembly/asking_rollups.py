"""Series of our own rollups for a worker that is a process of its own: asked from the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from aforo.assembly.remote import called
from aforo.client import Connection
from aforo.errors import NotServable, ObjectsUnavailable, Unreachable
from aforo.runs.series import Series


class RemoteSeries:
    """Asks whichever server there is at the moment; `connected` finds it, None where there is none."""

    def __init__(self, connected: Callable[[], Connection | None]) -> None:
        self._connected = connected

    def __call__(
        self,
        dataset_id: str,
        manifest_uri: str,  # noqa: ARG002  (what is folded by now is asked)
        column: str,
    ) -> Series:
        """The values of a column by days. Raises ObjectsUnavailable where it may be asked again later."""
        connection = self._connected()
        if connection is None:
            raise NotServable(
                f"{dataset_id} is read by asking a server, and this worker knows of none",
                hint="give it the settings url and key of the server that folds",
            )
        path = f"/datasets/{quote(dataset_id, safe='')}/measured?{urlencode({'column': column})}"
        try:
            reply: Any = called(lambda: connection.get(path))
        except Unreachable as error:
            raise ObjectsUnavailable(error.detail, hint=error.hint) from error
        values = [np.nan if value is None else value for value in reply["values"]]
        return Series(np.array(reply["dates"], "datetime64[D]"), np.array(values, np.float64), reply["unit"])

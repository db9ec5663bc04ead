"""An S3 to talk to over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from tests.amazon import REGION

from aforo.objects.s3 import s3_client


@pytest.fixture(scope="session")
def s3(amazon: str) -> Any:
    """A client of a server that was started for tests."""
    return s3_client(REGION, amazon)

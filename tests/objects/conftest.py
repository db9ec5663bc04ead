"""An S3 to talk to over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aforo.objects.s3 import s3_client


@pytest.fixture(scope="session")
def credentials() -> Iterator[None]:
    """What boto3 signs with; the server below does not look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "of-a-test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def s3(credentials: None) -> Iterator[Any]:
    """A client of a server that was started for these tests."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield s3_client("us-east-1", f"http://{host}:{port}")
    server.stop()

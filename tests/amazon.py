"""A server that speaks Amazon's protocols over HTTP, for the suites that want one: take `amazon`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

REGION = "us-east-1"


@pytest.fixture(scope="session")
def credentials() -> Iterator[None]:
    """What boto3 signs with; the server below does not look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "of-a-test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def amazon(credentials: None) -> Iterator[str]:
    """The address of such a server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()

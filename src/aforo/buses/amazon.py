"""What SNS and SQS have in common: clients of boto3, and what they say as errors of a bus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aforo.errors import AforoError, BusUnavailable, InvalidSettings, MessageRejected

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

MOST_WAIT_SECONDS = 20
"""Longest that SQS lets one wait for a message."""
FIFO = ".fifo"
CONNECTIONS = 20
ATTEMPTS = 3
"""How often boto3 sends what was not answered, or with a fault of the server."""
# What is wrong with a message itself; whatever else is refused may be taken once somebody mends it.
OF_THE_MESSAGE = frozenset({"InvalidMessageContents", "MessageTooLong", "BatchRequestTooLong"})
OF_A_PARAMETER = frozenset({"InvalidParameter", "InvalidParameterValue"})
OF_THE_ADDRESS = ("TopicArn", "QueueUrl")


def client_of(service: str, region: str | None, endpoint_url: str | None, *, attempts: int = ATTEMPTS) -> Any:
    """A client for any thread, with the credentials that boto3 finds. Raises InvalidSettings."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise InvalidSettings(
            "buses.kind is aws, and boto3 is not installed", hint="pip install 'aforo[aws]'"
        ) from error
    config = Config(
        connect_timeout=5,
        read_timeout=MOST_WAIT_SECONDS + 10,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=CONNECTIONS,
    )
    try:
        session = boto3.session.Session()
        return session.client(service, region_name=region, endpoint_url=endpoint_url, config=config)
    except (BotoCoreError, ValueError) as error:
        raise InvalidSettings(
            f"{service.upper()} cannot be asked: {error}", hint="look at aws.region and aws.endpoint_url"
        ) from error


@contextmanager
def told(address: str, *, of_a_message: bool = False) -> Iterator[None]:
    """What boto3 says of a topic or queue, as BusUnavailable.

    Where it is asked to take a message it may also say MessageRejected.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refused(address, error, of_a_message) from error
    except BotoCoreError as error:
        raise _unsent(address, error) from error


def order_of(address: str, group: str, dedup: str) -> dict[str, str]:
    """What a message needs besides where order is kept, which the address tells."""
    if not address.endswith(FIFO):
        return {}
    return {"MessageGroupId": group, "MessageDeduplicationId": dedup}


def _refused(address: str, error: ClientError, of_a_message: bool) -> AforoError:
    said = error.response.get("Error", {})
    code, why = str(said.get("Code", "")).rsplit(".", 1)[-1], str(said.get("Message", ""))
    of_a_parameter = code in OF_A_PARAMETER and not any(name in why for name in OF_THE_ADDRESS)
    if of_a_message and (of_a_parameter or code in OF_THE_MESSAGE):
        return MessageRejected(f"{address} refused a message: {why or code}", hint="look at what is sent")
    return BusUnavailable(
        f"{address} did not serve: {error}",
        hint="it is tried again; if it stays so, does it exist, and may these credentials use it?",
    )


def _unsent(address: str, error: BotoCoreError) -> BusUnavailable:
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        hint = "boto3 looks in the environment, in ~/.aws and for a role of the machine"
    else:
        hint = "it is tried again; if it stays so, look at the network and at aws.endpoint_url"
    return BusUnavailable(f"{address} cannot be reached: {error}", hint=hint)

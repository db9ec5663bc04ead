"""Files below a prefix of a bucket of S3, or of what speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aforo.errors import AforoError, NoSuchObject, ObjectError, ObjectsUnavailable
from aforo.objects.copying import CHUNK_BYTES, copied, too_large
from aforo.objects.object import Fetched
from aforo.objects.prefix import Prefix

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

THERE_ALREADY = "PreconditionFailed"
# Not the account's or the caller's doing; another try may go well. 409: two make one file at this moment.
PASSING = frozenset(
    {"SlowDown", "Throttling", "RequestTimeout", "RequestLimitExceeded", "ConditionalRequestConflict"}
)


class S3Objects:
    """Objects of `s3:` URIs, through a client of boto3, which may serve several threads.

    At most `page_keys` names are asked for at once.
    """

    def __init__(self, prefix: Prefix, client: Any, *, page_keys: int = 1_000) -> None:
        self._prefix = prefix
        self._client = client
        self._page_keys = page_keys

    @property
    def prefix(self) -> Prefix:
        return self._prefix

    def read(self, uri: str, most_bytes: int) -> bytes:
        with self._opened(uri, most_bytes) as body:
            content: bytes = body.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise too_large(uri, most_bytes)
        return content

    def fetch(self, uri: str, into: BinaryIO, most_bytes: int) -> Fetched:
        with self._opened(uri, most_bytes) as body:
            return copied(uri, lambda: body.read(CHUNK_BYTES), into, most_bytes)

    def create(self, uri: str, content: bytes | Path) -> bool:
        key = self._key_of_a_file(uri)
        if isinstance(content, Path):
            with content.open("rb") as file:
                return self._put(uri, key, file)
        return self._put(uri, key, content)

    def exists(self, uri: str) -> bool:
        key = self._key_of_a_file(uri)
        try:
            with _told(uri):
                self._client.head_object(Bucket=self._prefix.root, Key=key)
        except NoSuchObject:
            return False
        return True

    def remove(self, uri: str) -> None:
        key = self._key_of_a_file(uri)
        with _told(uri):
            self._client.delete_object(Bucket=self._prefix.root, Key=key)

    def unfinished(self, uri: str) -> Iterator[str]:
        """S3 keeps nothing of an object that was not made whole."""
        self._prefix.steps(uri)
        return iter(())

    def below(self, uri: str) -> Iterator[str]:
        steps = self._prefix.steps(uri)
        start = self._prefix.within + "".join(f"{step}/" for step in steps)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._prefix.root, Prefix=start, PaginationConfig={"PageSize": self._page_keys}
        )
        with _told(uri):
            for page in pages:
                for each in page.get("Contents", ()):
                    yield self._prefix.uri + each["Key"].removeprefix(self._prefix.within)

    @contextmanager
    def _opened(self, uri: str, most_bytes: int) -> Iterator[Any]:
        key = self._key_of_a_file(uri)
        with _told(uri):
            found = self._client.get_object(Bucket=self._prefix.root, Key=key)
            with found["Body"] as body:
                if found["ContentLength"] > most_bytes:
                    raise too_large(uri, most_bytes)
                yield body

    def _put(self, uri: str, key: str, content: bytes | BinaryIO) -> bool:
        """S3 makes an object whole or not at all, and with this condition only where there is none."""
        from botocore.exceptions import ClientError

        with _told(uri):
            try:
                self._client.put_object(Bucket=self._prefix.root, Key=key, Body=content, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) != THERE_ALREADY:
                    raise
                return False
        return True

    def _key_of_a_file(self, uri: str) -> str:
        steps = self._prefix.steps(uri)
        if not steps or uri.endswith("/"):
            raise NoSuchObject(f"{uri} is a folder", hint="name a file in it")
        return self._prefix.within + "/".join(steps)


def s3_client(region: str | None, endpoint_url: str | None) -> Any:
    """A client with the credentials that boto3 finds; ObjectError where it is not installed."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ObjectError(
            "files of S3 need boto3, which is not installed", hint="pip install 'aforo[aws]'"
        ) from error
    # A server of one's own has no name for each bucket.
    addressing = {"addressing_style": "path"} if endpoint_url else {}
    config = Config(
        connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 4}, s3=addressing
    )
    return boto3.session.Session().client("s3", region_name=region, endpoint_url=endpoint_url, config=config)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """What boto3 says of an object, as an error that a person can mend."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _error_of(uri, error) from error
    except BotoCoreError as error:
        raise _unsent(uri, error) from error


def _error_of(uri: str, error: ClientError) -> AforoError:
    code, said = _code(error), str(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("NoSuchKey", "404", "NoSuchBucket"):
        return NoSuchObject(f"there is no file {uri}", hint="look at the name, and whether it was removed")
    if status >= 500 or code in PASSING:
        return ObjectsUnavailable(f"S3 did not serve {uri}: {said}", hint="try again later")
    return ObjectError(f"{uri} cannot be used: {said}", hint="may these credentials do it?")


def _unsent(uri: str, error: BotoCoreError) -> AforoError:
    """The error for what has no whole reply: by the configuration, or by the network."""
    from botocore import exceptions as met

    if isinstance(error, met.NoCredentialsError | met.PartialCredentialsError | met.NoRegionError):
        return ObjectError(
            f"{uri} cannot be asked for: {error}",
            hint="boto3 looks in the environment, in ~/.aws and for a role of the machine",
        )
    if isinstance(error, met.ConnectionError | met.HTTPClientError | met.IncompleteReadError):
        return ObjectsUnavailable(f"S3 cannot be reached for {uri}: {error}", hint="try again later")
    return ObjectError(f"{uri} cannot be used: {error}", hint="are the settings of [aws] right?")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))

"""Which keeper a URI wants."""

from __future__ import annotations

from threading import Lock
from typing import Any

from aforo.objects.directory import DirectoryObjects
from aforo.objects.object import Objects
from aforo.objects.prefix import Prefix, Scheme
from aforo.objects.s3 import S3Objects, s3_client


class Opener:
    """Opens what lies below a prefix; S3 is talked to by one client, made when it is first wanted."""

    def __init__(self, *, region: str | None = None, endpoint_url: str | None = None) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._client: Any = None
        self._one_at_a_time = Lock()

    def under(self, prefix: str) -> Objects:
        """Raises OutsidePrefix for what is no prefix, ObjectError where its kind cannot be served here."""
        below = Prefix.of(prefix)
        match below.scheme:
            case Scheme.FILE:
                return DirectoryObjects(below)
            case Scheme.S3:
                return S3Objects(below, self._s3())

    def _s3(self) -> Any:
        with self._one_at_a_time:
            if self._client is None:
                self._client = s3_client(self._region, self._endpoint_url)
            return self._client

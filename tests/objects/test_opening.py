"""Which keeper a URI wants."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aforo.errors import ObjectError, OutsidePrefix
from aforo.objects.directory import DirectoryObjects
from aforo.objects.opening import Opener
from aforo.objects.s3 import S3Objects


def test_a_prefix_is_opened_by_its_scheme(credentials: None, tmp_path: Path) -> None:
    opener = Opener(region="us-east-1")
    kept = opener.under(f"{tmp_path.as_uri()}/")
    assert isinstance(kept, DirectoryObjects)
    assert isinstance(opener.under("s3://bucket/sales/"), S3Objects)
    with pytest.raises(OutsidePrefix, match="is no URI of files"):
        opener.under("ftp://host/")


def test_s3_without_its_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ObjectError) as told:
        Opener().under("s3://bucket/sales/")
    assert told.value.hint == "pip install 'aforo[aws]'"

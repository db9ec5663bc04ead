"""Files below a prefix: one suite for every place they are kept in."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aforo.errors import NoSuchObject, ObjectsUnavailable, ObjectTooLarge, OutsidePrefix
from aforo.objects.copying import CHUNK_BYTES
from aforo.objects.directory import DirectoryObjects
from aforo.objects.object import Objects
from aforo.objects.prefix import Prefix
from aforo.objects.s3 import S3Objects, s3_client

MOST = 1_000_000


@pytest.fixture(params=["directory", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """An empty place."""
    return (
        in_directory(tmp_path) if request.param == "directory" else in_bucket(request.getfixturevalue("s3"))
    )


def in_directory(folder: Path) -> DirectoryObjects:
    return DirectoryObjects(Prefix.of(f"{folder.as_uri()}/files of sales/".replace(" ", "%20")))


def in_bucket(client: Any) -> S3Objects:
    """In a bucket of its own, so that tests see nothing of each other."""
    bucket = f"bucket-{uuid4()}"
    client.create_bucket(Bucket=bucket)
    return S3Objects(Prefix.of(f"s3://{bucket}/files of sales/"), client)


def at(kept: Objects, name: str) -> str:
    return kept.prefix.uri + name


def test_what_is_made_is_read_and_fetched(kept: Objects) -> None:
    content = os.urandom(CHUNK_BYTES * 2 + 7)
    uri = at(kept, "2026/05/sales.parquet")
    assert kept.create(uri, content)
    assert kept.read(uri, len(content)) == content
    into = io.BytesIO()
    fetched = kept.fetch(uri, into, len(content))
    assert into.getvalue() == content
    assert (fetched.size_bytes, fetched.sha256) == (len(content), sha256(content).hexdigest())


def test_a_file_of_this_machine_is_copied(kept: Objects, tmp_path: Path) -> None:
    written = tmp_path / "here"
    written.write_bytes(b"a" * (CHUNK_BYTES + 1))
    assert kept.create(at(kept, "there"), written)
    assert kept.read(at(kept, "there"), 2 * CHUNK_BYTES) == written.read_bytes()


def test_an_empty_file_is_one(kept: Objects) -> None:
    assert kept.create(at(kept, "empty"), b"")
    assert kept.read(at(kept, "empty"), 0) == b""
    assert kept.fetch(at(kept, "empty"), io.BytesIO(), 0).size_bytes == 0


def test_what_is_there_stays(kept: Objects) -> None:
    uri = at(kept, "manifest.json")
    assert kept.create(uri, b"first")
    assert not kept.create(uri, b"second")
    assert kept.read(uri, MOST) == b"first"


def test_of_many_that_make_one_file_one_does(kept: Objects) -> None:
    uri = at(kept, "a/b/manifest.json")
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: kept.create(uri, str(number).encode()), range(24)))
    assert made.count(True) == 1
    assert kept.read(uri, MOST) == str(made.index(True)).encode()
    assert list(kept.below(kept.prefix.uri)) == [uri]  # and nothing unfinished lies about


def test_too_much_is_never_read(kept: Objects) -> None:
    uri = at(kept, "large")
    kept.create(uri, b"a" * 101)
    into = io.BytesIO()
    with pytest.raises(ObjectTooLarge, match="larger than the 100 bytes"):
        kept.read(uri, 100)
    with pytest.raises(ObjectTooLarge, match="larger than the 100 bytes"):
        kept.fetch(uri, into, 100)
    assert into.getvalue() == b""


def test_what_is_not_there_is_told(kept: Objects) -> None:
    kept.create(at(kept, "folder/file"), b"")
    for name in ("none", "none/none", "folder", "folder/", "folder/file/none", ""):
        with pytest.raises(NoSuchObject):
            kept.read(at(kept, name), MOST)
        with pytest.raises(NoSuchObject):
            kept.fetch(at(kept, name), io.BytesIO(), MOST)
    assert not kept.exists(at(kept, "none"))
    assert not kept.exists(at(kept, "folder"))
    assert kept.exists(at(kept, "folder/file"))


VERBS: dict[str, Callable[[Objects, str], object]] = {
    "read": lambda kept, uri: kept.read(uri, MOST),
    "fetch": lambda kept, uri: kept.fetch(uri, io.BytesIO(), MOST),
    "create": lambda kept, uri: kept.create(uri, b""),
    "exists": lambda kept, uri: kept.exists(uri),
    "below": lambda kept, uri: list(kept.below(uri)),
    "unfinished": lambda kept, uri: list(kept.unfinished(uri)),
    "remove": lambda kept, uri: kept.remove(uri),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["../beside", "a/../../beside", "a//b", "./a"])
def test_nothing_outside_is_touched(kept: Objects, verb: str, name: str) -> None:
    with pytest.raises(OutsidePrefix):
        VERBS[verb](kept, at(kept, name))
    with pytest.raises(OutsidePrefix):
        VERBS[verb](kept, kept.prefix.uri.replace("sales", "other") + name)


def test_what_is_removed_is_gone_and_nothing_else(kept: Objects) -> None:
    names = ["a/1/manifest.json", "a/1/x.parquet", "a/2/x.parquet", "b"]
    for name in names:
        kept.create(at(kept, name), b"")
    kept.remove(at(kept, "a/1/x.parquet"))
    assert list(kept.below(kept.prefix.uri)) == [at(kept, name) for name in (names[0], *names[2:])]
    for name in ("a/1/x.parquet", "a/2", "none", "none/none", "b/none"):
        kept.remove(at(kept, name))
    assert len(list(kept.below(kept.prefix.uri))) == 3
    kept.remove(at(kept, names[0]))
    kept.create(at(kept, names[0]), b"again")
    assert kept.read(at(kept, names[0]), MOST) == b"again"


def test_files_are_listed_in_order_and_below_their_folder_only(kept: Objects) -> None:
    names = ["a/b/2.csv", "a/b/1.csv", "a.csv", "a/c.csv", "ab.csv", "a-b.csv", "z"]
    for name in names:
        kept.create(at(kept, name), b"")
    assert list(kept.below(kept.prefix.uri)) == [at(kept, name) for name in sorted(names)]
    assert list(kept.below(at(kept, "a/"))) == [
        at(kept, name) for name in ("a/b/1.csv", "a/b/2.csv", "a/c.csv")
    ]
    assert list(kept.below(at(kept, "none/"))) == []


# What only a directory can have.


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder of the place below, with a file outside it."""
    folder = tmp_path / "files of sales"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"of someone else")
    return folder


def test_a_directory_follows_no_links(here: Path, tmp_path: Path) -> None:
    kept = in_directory(tmp_path)
    (here / "file").symlink_to(tmp_path / "secret")
    (here / "folder").symlink_to(tmp_path)
    for uri in (at(kept, "file"), at(kept, "folder/secret")):
        with pytest.raises((OutsidePrefix, NoSuchObject), match="link"):
            kept.read(uri, MOST)
    with pytest.raises(NoSuchObject, match="link"):
        kept.create(at(kept, "folder/made"), b"")
    assert not kept.create(at(kept, "file"), b"mine")
    assert (tmp_path / "secret").read_bytes() == b"of someone else"
    assert list(kept.below(kept.prefix.uri)) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["files of sales", "secret"]


def test_a_link_may_lead_to_the_prefix(here: Path, tmp_path: Path) -> None:
    (here / "a.csv").write_bytes(b"a")
    (tmp_path / "linked").symlink_to(here)
    kept = DirectoryObjects(Prefix.of(f"{(tmp_path / 'linked').as_uri()}/"))
    assert kept.read(at(kept, "a.csv"), MOST) == b"a"


def test_a_pipe_is_not_waited_for(here: Path, tmp_path: Path) -> None:
    os.mkfifo(here / "pipe")
    kept = in_directory(tmp_path)
    with pytest.raises(NoSuchObject, match="is no file"):
        kept.read(at(kept, "pipe"), MOST)


def test_what_fails_to_be_copied_leaves_nothing(here: Path, tmp_path: Path) -> None:
    kept = in_directory(tmp_path)
    with pytest.raises(NoSuchObject):
        kept.create(at(kept, "made"), tmp_path / "none")
    assert list(here.iterdir()) == []


# What only S3 can have.


def test_an_object_that_another_wrote_is_read(s3: Any) -> None:
    kept = in_bucket(s3)
    s3.put_object(Bucket=kept.prefix.root, Key="files of sales/a%20b#?.csv", Body=b"a")
    assert kept.read(at(kept, "a%20b#?.csv"), MOST) == b"a"
    assert list(kept.below(kept.prefix.uri)) == [at(kept, "a%20b#?.csv")]


def test_many_pages_are_listed(s3: Any) -> None:
    made = in_bucket(s3)
    names = [f"{number:02}" for number in range(11)]
    for name in names:
        made.create(at(made, name), b"")
    kept = S3Objects(made.prefix, s3, page_keys=3)
    assert list(kept.below(kept.prefix.uri)) == [at(kept, name) for name in names]


def test_a_bucket_that_is_not_there_is_told(s3: Any) -> None:
    kept = S3Objects(Prefix.of(f"s3://bucket-{uuid4()}/"), s3)
    with pytest.raises(NoSuchObject):
        kept.read(at(kept, "a"), MOST)
    with pytest.raises(NoSuchObject):
        kept.create(at(kept, "a"), b"")


def test_a_server_that_is_not_there_may_come_back(credentials: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listened on: every connection is refused
        client = s3_client("us-east-1", f"http://127.0.0.1:{taken.getsockname()[1]}")
        kept = S3Objects(Prefix.of("s3://bucket/"), client)
        for name in VERBS.keys() - {"unfinished"}:  # for which nothing is asked
            with pytest.raises(ObjectsUnavailable, match="cannot be reached"):
                VERBS[name](kept, at(kept, "a/" if name == "below" else "a"))


KILLED = """
import sys
from pathlib import Path
from aforo.objects.directory import DirectoryObjects
from aforo.objects.prefix import Prefix
DirectoryObjects(Prefix.of(sys.argv[1])).create(sys.argv[1] + "a/1/whole", Path("/dev/stdin"))
"""


def test_what_a_killed_process_left_unfinished_is_found_and_removed(tmp_path: Path) -> None:
    here = in_directory(tmp_path)
    here.create(at(here, "a/2/whole"), b"")
    (tmp_path / "files of sales" / "a" / "2" / ".unfinished-by-hand").touch()
    command = [sys.executable, "-c", KILLED, here.prefix.uri]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"a" * 2 * CHUNK_BYTES)  # returns once the first of it was read
        process.kill()
    [left] = here.unfinished(here.prefix.uri)
    assert left.startswith(at(here, "a/1/.unfinished-"))
    assert list(here.below(here.prefix.uri)) == [at(here, "a/2/whole")]
    here.remove(left)
    assert sorted(each.name for each in (tmp_path / "files of sales" / "a").iterdir()) == ["2"]

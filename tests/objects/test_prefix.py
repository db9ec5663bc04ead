"""Which URIs lie below a prefix, by their text."""

from __future__ import annotations

import pytest

from aforo.errors import OutsidePrefix
from aforo.objects.prefix import LONGEST_URI, Prefix

FILES = "file:///srv/sales%20of%20may/"
KEYS = "s3://bucket/sales/may%20/"


@pytest.mark.parametrize(
    ("prefix", "rest", "steps"),
    [
        (FILES, "a.csv", ("a.csv",)),
        (FILES, "2026%20b/%C3%A9.csv", ("2026 b", "é.csv")),
        (FILES, "folder/", ("folder",)),
        (FILES, "", ()),
        (KEYS, "a%20b/c.csv", ("a%20b", "c.csv")),
        ("s3://bucket/", "a", ("a",)),
        ("file:///", "etc/hosts", ("etc", "hosts")),
    ],
)
def test_steps_lead_from_the_prefix_to_the_file(prefix: str, rest: str, steps: tuple[str, ...]) -> None:
    assert Prefix.of(prefix).steps(prefix + rest) == steps


def test_a_prefix_knows_where_it_begins() -> None:
    files, keys = Prefix.of(FILES), Prefix.of(KEYS)
    assert (files.root, files.within) == ("/srv/sales of may", "")
    assert (keys.root, keys.within) == ("bucket", "sales/may%20/")


@pytest.mark.parametrize("prefix", [FILES, KEYS])
@pytest.mark.parametrize(
    "rest", ["../a", "a/../../b", "..", "a//b", "/a", "./a", "a/.", "a\0b", "a\nb", "x" * LONGEST_URI]
)
def test_what_climbs_out_is_refused(prefix: str, rest: str) -> None:
    with pytest.raises(OutsidePrefix):
        Prefix.of(prefix).steps(prefix + rest)


@pytest.mark.parametrize("rest", ["%2e%2e/a", "a/%2E%2E/b", "a%2Fb", "a%00b", "%2e"])
def test_what_climbs_out_in_disguise_is_refused_of_files(rest: str) -> None:
    with pytest.raises(OutsidePrefix):
        Prefix.of(FILES).steps(FILES + rest)


@pytest.mark.parametrize(
    "uri",
    ["file:///srv/sales/a.csv", "s3://bucket/sales/a.csv", FILES[:-1], "file:///srv/sales%20of%20may2/a"],
)
def test_what_lies_beside_is_refused(uri: str) -> None:
    with pytest.raises(OutsidePrefix, match="does not lie below"):
        Prefix.of(FILES).steps(uri)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("file:///srv/sales", "ends in no '/'\nhint: write 'file:///srv/sales/'"),
        ("file://host/srv/", "names the machine 'host'"),
        ("s3:///key/", "names no bucket"),
        ("s3://", "ends in no '/'"),
        ("s4://bucket/", "is no URI of files\nhint: did you mean 's3://'?"),
        ("/srv/sales/", "is no URI of files\nhint: "),
        ("file:///srv/../etc/", "has the step '..'"),
        ("s3://bucket/a/../", "has the step '..'"),
    ],
)
def test_what_is_no_prefix_is_told(uri: str, said: str) -> None:
    with pytest.raises(OutsidePrefix) as refused:
        Prefix.of(uri)
    assert said in str(refused.value)


def test_a_file_of_a_manifest_lies_beside_it() -> None:
    files, keys = Prefix.of(FILES), Prefix.of(KEYS)
    assert files.beside(f"{FILES}v1/manifest.json", "part 0/a#.csv") == f"{FILES}v1/part%200/a%23.csv"
    assert keys.beside(f"{KEYS}v1/manifest.json", "part 0/a%20.csv") == f"{KEYS}v1/part 0/a%20.csv"


@pytest.mark.parametrize(
    "path", ["../a.csv", "/etc/hosts", "a/../b", "", "s3://bucket/a.csv", "a" * LONGEST_URI]
)
def test_a_file_of_a_manifest_lies_nowhere_else(path: str) -> None:
    with pytest.raises(OutsidePrefix):
        Prefix.of(FILES).beside(f"{FILES}v1/manifest.json", path)

"""Manifests: what they say, and everything that can be wrong in one at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aforo.errors import InvalidManifest, NoSuchObject, ObjectTooLarge, OutsidePrefix
from aforo.objects.directory import DirectoryObjects
from aforo.objects.object import Objects
from aforo.objects.prefix import Prefix
from aforo.runs.manifest import Format, Manifest, Part, manifest_of, read_manifest

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def kept(tmp_path: Path) -> Objects:
    return DirectoryObjects(Prefix.of(f"{tmp_path.as_uri()}/sales/"))


def read(kept: Objects, content: object) -> Manifest:
    uri = kept.prefix.uri + "v1/manifest.json"
    kept.create(uri, content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_manifest(kept, uri, most_bytes=2_000, most_files=3)


def faults(kept: Objects, content: object) -> list[str]:
    with pytest.raises(InvalidManifest) as refused:
        read(kept, content)
    assert refused.value.hint
    return [str(fault) for fault in refused.value.faults]


def test_a_manifest_is_read(kept: Objects) -> None:
    came = {
        "format": "csv",
        "date": "day",
        "files": [{"path": "a b.csv", "rowCount": 3, "sha256": DIGEST.upper()}, {"path": "more/b.csv"}],
        "madeBy": "somebody",
    }
    below = kept.prefix.uri + "v1/"
    assert read(kept, came) == Manifest(
        below + "manifest.json",
        Format.CSV,
        "day",
        (Part(below + "a%20b.csv", 3, DIGEST), Part(below + "more/b.csv")),
    )


@pytest.mark.parametrize("form", Format)
def test_a_single_file_is_a_version_of_itself(kept: Objects, form: Format) -> None:
    uri = f"{kept.prefix.uri}v1/sales.{form}"
    assert read_manifest(kept, uri, most_bytes=0, most_files=1) == Manifest(uri, form, "date", (Part(uri),))
    with pytest.raises(OutsidePrefix):
        read_manifest(kept, f"file:///etc/sales.{form}", most_bytes=0, most_files=1)


def test_all_faults_are_told_at_once(kept: Objects) -> None:
    came = {
        "fromat": "csv",
        "date": "",
        "files": [
            {"path": "../../etc/passwd", "rowCount": -1, "sha256": "abc"},
            {"path": "a.csv", "rowcount": 3},
            "a.csv",
        ],
    }
    assert faults(kept, came) == [
        "format: it has to be there, and 'fromat' is",
        "date: '' came, wanted 1 to 128 characters",
        "files[0].path: the path '../../etc/passwd' has the step '..'",
        "files[0].rowCount: -1 came, wanted 0 or more rows",
        "files[0].sha256: 'abc' came, wanted 64 hexadecimal digits",
        "files[1].rowcount: did you mean 'rowCount'?",
        "files[2]: 'a.csv' came, wanted an object with a path",
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"format": "parqet"}, "format: 'parqet' is none; did you mean 'parquet'?"),
        ({"format": 3}, "format: 3 is none; known: csv, jsonl, parquet"),
        ({"format": None}, "format: it has to be there"),
        ({"date": ["a"]}, "date: a list came, wanted 1 to 128 characters"),
        ({"files": []}, "files: a list of 0 came, wanted a list of 1 to 3 files"),
        ({"files": [{"path": "a"}] * 4}, "files: a list of 4 came, wanted a list of 1 to 3 files"),
        ({"files": {"path": "a"}}, "files: an object came, wanted a list of 1 to 3 files"),
        ({"files": [{"path": "a"}, {"path": "a"}]}, "files[1].path: this file is named twice"),
        ({"files": [{"path": 3}]}, "files[0].path: 3 came, wanted a path relative to the manifest"),
        ({"files": [{}]}, "files[0].path: it has to be there"),
        ({"files": [{"path": "a", "rowCount": True}]}, "files[0].rowCount: true came, wanted 0 or more rows"),
    ],
)
def test_one_fault(kept: Objects, changed: dict[str, Any], told: str) -> None:
    sound = {"format": "csv", "date": "day", "files": [{"path": "a.csv"}]}
    assert faults(kept, sound | changed) == [told]


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 1_500, b'"\xff"', b"3", b"[]", b"null"])
def test_what_is_no_object_of_json_is_told(kept: Objects, content: bytes) -> None:
    with pytest.raises(InvalidManifest, match="the manifest file:"):
        read(kept, content)


def test_a_manifest_that_is_too_large_is_not_read(kept: Objects) -> None:
    with pytest.raises(ObjectTooLarge):
        read(kept, b" " * 2_001)


def test_a_manifest_that_is_not_there_is_told(kept: Objects) -> None:
    with pytest.raises(NoSuchObject):
        read_manifest(kept, kept.prefix.uri + "none.json", most_bytes=10, most_files=1)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.sampled_from(["csv", "a", "../a", DIGEST]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["format", "date", "files", "path", "rowCount", "sha256", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_nothing_that_comes_is_a_mistake_of_ours(came: object) -> None:
    prefix = Prefix.of("file:///nowhere/")
    try:
        found = manifest_of(prefix, prefix.uri + "manifest", json.dumps(came).encode(), 3)
    except InvalidManifest:
        return
    assert all(part.uri.startswith(prefix.uri) for part in found.parts)

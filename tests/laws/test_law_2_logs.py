"""Law 2 for logs: however a log grows, is cut, renamed, compressed or read again, each line counts once."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aforo.events.readers import Chunk, FileShape
from aforo.events.readers.access_log import lines, read, reading
from aforo.events.readers.marks import Marks


def line(host: int, second: int) -> bytes:
    return b'%d - - [01/Mar/2024:09:00:%02d +0000] "GET / HTTP/1.1" 200 1\n' % (host, second)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """Few addresses, and seconds that mostly go on: equal lines are near one another, and a few are not."""
    steps = st.tuples(
        st.integers(1, 2), st.sampled_from((0, 0, 0, 1, 2)), st.sampled_from((0, 0, 0, 0, 1, 4))
    )
    out, second = [], 0
    for host, ahead, late in draw(st.lists(steps, min_size=1, max_size=40)):
        second = min(59, second + ahead)
        out.append(line(host, max(0, second - late)))
        if draw(st.integers(0, 9)) == 0:
            out.append(draw(st.sampled_from((b"\n", b"no line\n"))))
    return b"".join(out)


@pytest.fixture(scope="module", autouse=True)
def _small_tails() -> Iterator[None]:
    """Sizes at which a log of forty lines is long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "TAIL_BYTES", 300)
        patch.setattr(lines, "BLOCK_BYTES", 170)
        yield


def ids(chunks: Sequence[Chunk]) -> list[str]:
    return [id_ for chunk in chunks for id_ in pa.array(chunk.columns["id"]).to_pylist()]


def loaded(path: Path, shape: FileShape, acknowledged: int | None = None) -> list[str]:
    """What a load takes in; so many chunks of it are acknowledged before it is killed, or all."""
    chunks = list(read(path, shape))
    for chunk in chunks[:acknowledged]:
        chunk.acknowledged()
    return ids(chunks[:acknowledged])


@settings(max_examples=60)
@given(
    logs(),
    st.lists(st.tuples(st.floats(0, 1), st.one_of(st.none(), st.integers(0, 3))), max_size=5),
    st.integers(1, 5),
)
def test_a_log_read_as_it_grows_gives_the_ids_of_a_log_read_whole(
    tmp_path_factory: pytest.TempPathFactory,
    content: bytes,
    cuts: list[tuple[float, int | None]],
    chunk_rows: int,
) -> None:
    """Cut at any byte, killed after any chunk: what comes in is what is there, and no id is missed or new."""
    folder = tmp_path_factory.mktemp("log")
    path, shape = folder / "access.log", FileShape(chunk_rows=chunk_rows, marks=Marks(folder / "marks", "me"))
    taken: set[str] = set()
    for share, acknowledged in sorted(cuts, key=lambda cut: cut[0]):
        path.write_bytes(content[: round(share * len(content))])
        taken.update(loaded(path, shape, acknowledged))
    path.write_bytes(content)
    taken.update(loaded(path, shape))
    whole = ids(list(read(path, FileShape(chunk_rows=7))))
    assert len(set(whole)) == len(whole)
    assert taken == set(whole)
    assert loaded(path, shape) == []
    packed = folder / "access.log.1.gz"
    packed.write_bytes(gzip.compress(content))
    assert loaded(packed, shape) == []
    again = FileShape(chunk_rows=chunk_rows, marks=shape.marks, from_start=True)
    assert Counter(loaded(packed, again)) == Counter(whole)


def test_a_file_that_was_cut_to_nothing_and_written_anew_is_read_from_its_start(tmp_path: Path) -> None:
    """With the same first line even, and longer than before."""
    path, shape = tmp_path / "access.log", FileShape(marks=Marks(tmp_path / "marks", "me"))
    path.write_bytes(line(1, 1) + line(1, 2))
    assert len(loaded(path, shape)) == 2
    path.write_bytes(line(1, 1) + line(1, 3) + line(1, 4))
    assert len(loaded(path, shape)) == 3
    path.write_bytes(line(1, 1))
    assert len(loaded(path, shape)) == 1


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path, shape = tmp_path / "access.log", FileShape(marks=Marks(tmp_path / "marks", "me"))
    content = b"".join(line(at, at) for at in range(1, 50))
    path.write_bytes(content)
    loaded(path, shape)
    path.write_bytes(content + line(49, 49) + line(1, 59))
    chunks = list(read(path, shape))
    numbers = [number for chunk in chunks for number in chunk.numbers.tolist()]
    assert numbers == [49, 50]
    assert ids(chunks)[0].endswith("#1")
    assert chunks[-1].stretch is not None
    assert (chunks[-1].stretch.begun_at, chunks[-1].stretch.left) == (len(content), 0)


@pytest.mark.parametrize("seconds", [[5] * 30, [9, *[1] * 30], [3, 9, 4, *[1] * 30]])
def test_equal_lines_are_told_apart_however_far_between(tmp_path: Path, seconds: list[int]) -> None:
    path, shape = tmp_path / "access.log", FileShape(marks=Marks(tmp_path / "marks", "me"), chunk_rows=1)
    content = b"".join(line(1, second) for second in seconds)
    path.write_bytes(content)
    before = set(loaded(path, shape))
    path.write_bytes(content + line(1, max(seconds)))
    assert len({*loaded(path, shape)} - before) == 1


def test_a_late_line_that_may_have_its_like_long_ago_makes_all_be_read_again(tmp_path: Path) -> None:
    path, shape = tmp_path / "access.log", FileShape(marks=Marks(tmp_path / "marks", "me"), chunk_rows=3)
    content = b"".join(line(at, at) for at in range(1, 50))
    path.write_bytes(content)
    first = loaded(path, shape)
    path.write_bytes(content + line(1, 1))
    again = loaded(path, shape)
    assert again == [*first, f"{first[0]}#1"]


def test_a_line_that_nothing_ends_waits_for_its_end(tmp_path: Path) -> None:
    path, shape = tmp_path / "access.log", FileShape(marks=Marks(tmp_path / "marks", "me"))
    path.write_bytes(line(1, 1) + line(2, 2)[:-5])
    chunks = list(read(path, shape))
    assert len(ids(chunks)) == 1
    assert chunks[-1].stretch is not None
    assert chunks[-1].stretch.left == len(line(2, 2)) - 5
    for chunk in chunks:
        chunk.acknowledged()
    path.write_bytes(line(1, 1) + line(2, 2))
    assert len(loaded(path, shape)) == 1


def test_whoever_else_reads_it_has_marks_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(line(1, 1))
    assert len(loaded(path, FileShape(marks=Marks(tmp_path / "marks", "me")))) == 1
    assert len(loaded(path, FileShape(marks=Marks(tmp_path / "marks", "you")))) == 1


def test_marks_that_were_longest_unused_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aforo.events.readers.marks.MOST_MARKS", 3)
    marks = Marks(tmp_path / "marks", "me")
    for at in range(6):
        path = tmp_path / f"{at}.log"
        path.write_bytes(line(at, 1))
        assert len(loaded(path, FileShape(marks=marks))) == 1
    marks.prune()
    assert len(list((tmp_path / "marks").iterdir())) == 3

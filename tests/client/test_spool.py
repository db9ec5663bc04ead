"""What is kept on the disk while the server is away."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.client.conftest import Aforo, Proxy, Sending, adds_up, run, says

from aforo.client import QueueFull
from aforo.client.segment import FULL_FROM_BYTES
from aforo.client.spool import Spool
from aforo.clock import ManualClock

AWAY = [says(503)] * 50


def segments(spool: Path) -> list[Path]:
    return sorted(spool.glob("*/*.ndjson"))


def kept(spool: Path) -> list[str]:
    """The ids on the disk, in order; a line without its end is none."""
    whole = [line for path in segments(spool) for line in path.read_bytes().split(b"\n")[:-1]]
    return [json.loads(line)["id"] for line in whole]


def test_events_move_to_the_disk_while_the_server_is_away(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path, aforo: Aforo, tenant: str
) -> None:
    sender = sending(spool=tmp_path, retry_first_seconds=10.0, flush_after_seconds=1.0)
    proxy.then(says(503))
    sender.track("visits", {}, id="1")
    assert not sender.flush()
    assert kept(tmp_path) == ["1"]
    sender.track("visits", {}, id="2")
    assert sender.due_in_seconds() == 1.0
    clock.advance(1.0)
    sender.run_once()
    assert (kept(tmp_path), len(proxy.came)) == (["1", "2"], 1)
    assert (sender.statistics().spooled, sender.statistics().waiting) == (2, 0)
    sender.track("visits", {}, id="3")
    run(sender, clock)
    assert [each["id"] for came in proxy.came[1:] for each in came.events] == ["1", "2", "3"]
    assert segments(tmp_path) == []
    assert aforo.events(tenant) == 3


def test_only_its_owner_reads_it_and_nothing_is_left_behind(
    sending: Sending, proxy: Proxy, tmp_path: Path
) -> None:
    parent = tmp_path / "new" / "spool"
    sender = sending(spool=parent)
    proxy.then(*AWAY)
    sender.track("visits", {})
    assert not sender.flush()
    [segment] = segments(parent)
    assert stat.S_IMODE(segment.stat().st_mode) == 0o600
    assert stat.S_IMODE(segment.parent.stat().st_mode) == 0o700
    proxy.script.clear()
    assert sender.close()  # nothing is waited for: it stays for the next
    assert segments(parent) == [segment]
    following = sending(spool=parent)
    assert following.flush()
    assert following.close()
    assert list(parent.iterdir()) == []


def test_a_segment_goes_only_after_all_of_it_has_its_receipt(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path
) -> None:
    sender = sending(spool=tmp_path, batch_events=2)
    for number in range(4):
        sender.track("visits", {}, id=str(number))
    assert sender.keep()
    sender.run_once()
    assert (sender.statistics().accepted, sender.statistics().spooled) == (2, 2)
    assert kept(tmp_path) == ["0", "1", "2", "3"]
    sender.run_once()
    assert segments(tmp_path) == []


def test_what_comes_while_a_segment_is_sent_goes_into_another(
    sending: Sending, clock: ManualClock, tmp_path: Path
) -> None:
    sender = sending(spool=tmp_path, batch_events=1)
    for number in range(2):
        sender.track("visits", {}, id=str(number))
    sender.keep()
    sender.run_once()
    sender.track("visits", {}, id="2")
    sender.keep()
    assert [kept(tmp_path), len(segments(tmp_path))] == [["0", "1", "2"], 2]
    run(sender, clock)
    assert (sender.statistics().accepted, segments(tmp_path)) == (3, [])


def test_a_torn_line_is_no_event(sending: Sending, clock: ManualClock, tmp_path: Path, aforo: Aforo) -> None:
    left = tmp_path / "00000000000000000001-1"
    left.mkdir()
    line = b'{"stream":"visits","tenant":"torn","id":"%d","time":"2013-01-01T00:00:00Z","fields":{}}'
    (left / "1.ndjson").write_bytes(line % 1 + b"\n" + line % 2 + b"\n" + (line % 3)[:-20])
    (left / "2.ndjson").write_bytes((line % 4)[:9])
    sender = sending(spool=tmp_path)
    run(sender, clock)
    now = sender.statistics()
    assert (now.found, now.accepted, now.dropped, aforo.events("torn")) == (2, 2, 0, 2)
    assert not left.exists()


def test_a_spoilt_line_harms_no_other(
    sending: Sending, clock: ManualClock, tmp_path: Path, aforo: Aforo
) -> None:
    left = tmp_path / "00000000000000000001-1"
    left.mkdir()
    line = b'{"stream":"visits","tenant":"spoilt","id":"1","time":"2013-01-01T00:00:00Z","fields":{}}'
    (left / "1.ndjson").write_bytes(b"\0" * 40 + b"\n" + line + b"\n\xff\xfe\n")
    refused = []
    sender = sending(url=aforo.url, spool=tmp_path, on_refused=refused.append)
    assert sender.flush()
    assert [(each.code, each.event) for each in refused] == [("not_an_object", {})] * 2
    assert aforo.events("spoilt") == 1


def test_its_size_is_bounded_and_what_has_no_room_is_counted(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path, aforo: Aforo, tenant: str
) -> None:
    sender = sending(spool=tmp_path, max_spool_bytes=1_000, queue_events=3)
    proxy.then(*AWAY)
    for _ in range(40):
        sender.track("visits", {})
        sender.run_once()
        assert adds_up(sender)
    size = sum(path.stat().st_size for path in segments(tmp_path))
    now = sender.statistics()
    assert 800 < size <= 1_000
    assert (now.waiting, now.spooled, now.dropped) == (3, len(kept(tmp_path)), 37 - len(kept(tmp_path)))
    assert sender.due_in_seconds() not in (None, 0.0)  # it does not spin on a full disk
    proxy.script.clear()
    run(sender, clock)
    assert aforo.events(tenant) == 40 - now.dropped


def test_a_full_queue_goes_to_the_disk_at_once(sending: Sending, clock: ManualClock, tmp_path: Path) -> None:
    sender = sending(spool=tmp_path, queue_events=10, when_full="raise")
    for number in range(25):
        sender.track("visits", {}, id=str(number))
    assert kept(tmp_path) == [str(number) for number in range(20)]
    run(sender, clock)
    assert sender.statistics().accepted == 25


def test_a_full_spool_raises_where_that_is_wanted(sending: Sending, tmp_path: Path) -> None:
    sender = sending(spool=tmp_path, max_spool_bytes=10, queue_events=1, when_full="raise")
    sender.track("visits", {})
    with pytest.raises(QueueFull):
        sender.track("visits", {})


def test_an_event_from_when_more_was_allowed_is_sent_alone(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path
) -> None:
    before = sending(spool=tmp_path)
    for page in ("a", "b" * 2_000, "c"):
        before.track("visits", {"page": page})
    proxy.then(says(503))
    before.flush()
    before.close()
    after = sending(spool=tmp_path, batch_bytes=1_000)
    run(after, clock)
    assert proxy.sizes == [3, 1, 1, 1]
    assert after.statistics().accepted + after.statistics().refused == 3


def test_nothing_is_done_after_the_end(sending: Sending, tmp_path: Path) -> None:
    sender = sending(spool=tmp_path)
    sender.track("visits", {})
    assert sender.close()
    assert sender.flush()
    sender.run_once()
    assert sender.due_in_seconds() is None
    assert list(tmp_path.iterdir()) == []


def test_segments_are_sealed_when_they_are_long(tmp_path: Path, clock: ManualClock) -> None:
    spool = Spool(tmp_path, 1 << 30, clock)
    line = b"x" * (FULL_FROM_BYTES // 2)
    for number in range(1, 6):
        assert spool.keep([line], number) == 1
    assert [path.stat().st_size // len(line) for path in segments(tmp_path)] == [2, 2, 1]
    assert spool.first() == 1
    spool.close()


def test_processes_share_a_directory_and_leave_the_living_alone(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path
) -> None:
    first, second = sending(spool=tmp_path), sending(spool=tmp_path)
    for sender, name in ((first, "a"), (second, "b")):
        sender.track("visits", {}, id=name)
        assert sender.keep()
    third = sending(spool=tmp_path)
    third.run_once()
    assert third.statistics().found == 0
    proxy.then(*AWAY)
    first.flush()
    first.close()
    clock.advance(1)
    third = sending(spool=tmp_path)
    third.run_once()
    assert (third.statistics().found, third.statistics().spooled) == (1, 1)
    assert second.statistics().spooled == 1


def test_what_others_leave_is_seen_when_the_server_is_back(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path
) -> None:
    living, ending = sending(spool=tmp_path), sending(spool=tmp_path)
    living.run_once()
    proxy.then(says(503), says(503))
    for sender in (living, ending):
        sender.track("visits", {})
        sender.flush()
    ending.close()
    run(living, clock)
    assert (living.statistics().found, living.statistics().accepted) == (1, 2)


def test_a_place_that_cannot_be_used_is_told_at_the_start(sending: Sending, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        sending(spool=tmp_path / "file").start()


def test_a_disk_that_fails_later_leaves_events_in_memory(
    sending: Sending, proxy: Proxy, clock: ManualClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sender = sending(spool=tmp_path / "spool", queue_events=2)
    sender.run_once()
    [own] = (tmp_path / "spool").iterdir()
    (own / "lock").unlink()
    own.rmdir()
    proxy.then(says(503), says(503))
    for _ in range(3):
        sender.track("visits", {})
        sender.flush()
    now = sender.statistics()
    assert (now.waiting, now.spooled, now.dropped) == (2, 0, 1)
    assert caplog.text.count("cannot be kept") == 1


LIMITED = """
import resource, sys
from pathlib import Path
from aforo.client.clock import SystemClock
from aforo.client.spool import Spool

spool = Spool(Path(sys.argv[1]), 1 << 30, SystemClock())
assert spool.keep([b"1" * 400], 1) == 1
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
assert spool.keep([b"2" * 400, b"3" * 400], 2) == 0
assert (spool.events, spool.size_bytes) == (1, 401)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert spool.keep([b"4" * 400], 4) == 1
assert spool.peek(9, 9_999) == (b"1" * 400,)
spool.advance(1)
assert spool.peek(9, 9_999) == (b"4" * 400,)
print("held")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX's")
def test_a_write_that_breaks_off_leaves_no_half_line(tmp_path: Path) -> None:
    """The file may not grow past 1,000 bytes, as on a disk that is full in the middle of a line."""
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert (ran.stdout, ran.returncode) == ("held\n", 0), ran.stderr

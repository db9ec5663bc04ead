"""Claims with leases: no slot is two folders' at once, and who held one too long writes nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Lock

import pytest
from tests.engines.gauges import DEFAULT, MODEL, NOON, VISITS, Bench, Sent, some_readings

from aforo.clock import ManualClock, SystemClock
from aforo.engines.embedded import EmbeddedEngine
from aforo.engines.engine import Engine
from aforo.engines.folds import Claim, Folded
from aforo.errors import ClaimLost, StorageError
from aforo.rollups.folder import Folder
from aforo.telemetry import Telemetry
from aforo.windows import SLOT

LEASE_SECONDS = 30.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[Bench]:
    engine = EmbeddedEngine(
        tmp_path,
        memory_mb=128,
        threads=1,
        untimed_id_seconds=86_400,
        clock=clock,
        lease_seconds=LEASE_SECONDS,
    )
    engine.apply_model(MODEL, DEFAULT)
    yield Bench(engine)
    engine.close()


def claimed(engine: Engine, max_rows: int = 10**6) -> Claim:
    claim = engine.claim(max_rows)
    assert claim is not None
    return claim


def test_what_is_claimed_is_given_to_nobody_else(bench: Bench) -> None:
    bench.send(*(Sent(id=str(at), time=NOON + at * SLOT) for at in range(4)))
    one, other = claimed(bench.engine, 2), claimed(bench.engine, 10)
    assert one.lease is not None
    assert other.lease is not None
    assert one.lease.owner != other.lease.owner
    assert one.slots.starts.tolist() == [NOON + 2 * SLOT, NOON + 3 * SLOT]
    assert other.slots.starts.tolist() == [NOON, NOON + SLOT]
    assert bench.engine.claim(10) is None
    for claim in (other, one):
        bench.engine.replace(bench.engine.fold(claim))
    bench.fold()
    bench.check_everything()


def test_a_stream_of_which_all_is_claimed_is_passed_over(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    bench.send(Sent(id="1"), stream=VISITS)
    assert {claimed(bench.engine).stream, claimed(bench.engine).stream} == {"readings", "visits"}
    assert bench.engine.claim(10) is None


def test_what_comes_to_a_claimed_slot_waits_until_it_is_released(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    folded = bench.engine.fold(claimed(bench.engine))
    bench.send(Sent(id="2"))
    assert bench.engine.claim(10) is None
    bench.engine.replace(folded)
    assert claimed(bench.engine).slots == folded.claim.slots


def test_a_slot_that_is_being_settled_is_settled_by_one(bench: Bench) -> None:
    for id_ in ("1", "2"):
        bench.send(Sent(id=id_), arrival=NOON)
        bench.fold()
    bench.send(Sent(id="later", time=NOON + 2 * SLOT), arrival=NOON + 2 * SLOT)
    bench.engine.replace(bench.engine.fold(claimed(bench.engine)))
    settling = claimed(bench.engine)
    assert settling.settling
    assert bench.engine.claim(10) is None
    bench.engine.release(settling)
    assert claimed(bench.engine).slots == settling.slots


def test_a_lease_that_ends_is_given_to_another_and_the_first_writes_nothing(
    bench: Bench, clock: ManualClock
) -> None:
    bench.send(Sent(id="1", fields={"flow": 1}))
    stalled = bench.engine.fold(claimed(bench.engine))
    bench.send(Sent(id="2", fields={"flow": 2}))
    clock.advance(LEASE_SECONDS - 1)
    assert bench.engine.claim(10) is None
    clock.advance(1)
    quick = bench.engine.fold(claimed(bench.engine))
    before = bench.engine.dirty_slots()
    with pytest.raises(ClaimLost, match=r"1 slots of readings ended.*nothing of them was changed"):
        bench.engine.replace(stalled)
    assert bench.engine.dirty_slots() == before == 1
    bench.engine.replace(quick)
    with pytest.raises(ClaimLost):
        bench.engine.replace(stalled)
    bench.reference.fold()
    bench.check_everything()


def test_a_lease_that_ended_is_refused_though_nobody_took_it(bench: Bench, clock: ManualClock) -> None:
    bench.send(Sent(id="1"))
    folded = bench.engine.fold(claimed(bench.engine))
    clock.advance(LEASE_SECONDS)
    with pytest.raises(ClaimLost):
        bench.engine.replace(folded)
    assert bench.engine.dirty_slots() == 1


def test_setting_the_wall_clock_ends_no_lease(bench: Bench, clock: ManualClock) -> None:
    bench.send(Sent(id="1"))
    folded = bench.engine.fold(claimed(bench.engine))
    clock.set(NOON * 2)
    assert bench.engine.claim(10) is None
    clock.set(0)
    bench.engine.replace(folded)
    assert bench.engine.dirty_slots() == 0


def test_a_claim_that_nobody_gave_is_not_written(bench: Bench) -> None:
    bench.send(Sent(id="1"))
    made_up = Claim("readings", claimed(bench.engine).slots)
    with pytest.raises(ClaimLost):
        bench.engine.replace(bench.engine.fold(made_up))
    assert bench.engine.dirty_slots() == 1


def folder(engine: Engine, clock: ManualClock | SystemClock, rows: int = 10**6) -> Folder:
    return Folder(engine, clock, Telemetry(), batch_rows=rows, wake_after_seconds=1)


def test_a_folder_that_fails_gives_its_claim_back(
    bench: Bench, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise StorageError("the disk is gone")

    bench.send(*some_readings(20))
    with monkeypatch.context() as patch:
        patch.setattr(bench.engine, "replace", full)
        with pytest.raises(StorageError):
            folder(bench.engine, clock).run_once()
    assert folder(bench.engine, clock).run_once() is not None
    bench.reference.fold()
    bench.check_everything()


def test_a_folder_that_comes_too_late_folds_again(
    bench: Bench, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send(*some_readings(20))
    fold, stalls = bench.engine.fold, [LEASE_SECONDS, LEASE_SECONDS]

    def slowly(claim: Claim) -> Folded:
        folded = fold(claim)
        clock.advance(stalls.pop() if stalls else 0)
        return folded

    monkeypatch.setattr(bench.engine, "fold", slowly)
    telemetry = Telemetry()
    Folder(bench.engine, clock, telemetry, batch_rows=10**6, wake_after_seconds=1).run_until_clean()
    assert b"aforo_claims_lost_total 2.0" in telemetry.exposition()
    bench.reference.fold()
    bench.check_everything()


@dataclass
class Watch:
    """Which slots are somebody's at this moment, as folders see it."""

    engine: Engine
    most: int = 0
    _busy: dict[int, set[tuple[str, str, int]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def fold(self, fold: Callable[[Claim], Folded], claim: Claim) -> Folded:
        mine = {
            (claim.stream, tenant, start)
            for tenant, starts in claim.slots.by_tenant().items()
            for start in starts.tolist()
        }
        with self._lock:
            assert not any(mine & others for others in self._busy.values())
            self._busy[id(claim)] = mine
            self.most = max(self.most, len(self._busy))
        return fold(claim)

    def written(self, replace: Callable[..., None], folded: Folded, **more: int | None) -> None:
        # Before it is written: the moment it is, its slots are anybody's again.
        with self._lock:
            del self._busy[id(folded.claim)]
        replace(folded, **more)


def test_folders_side_by_side_never_fold_the_same_slot_and_law_3_holds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three folders fold portions while events come for the same few slots and days."""
    engine, watch = bench.engine, Watch(bench.engine)
    fold, replace = engine.fold, engine.replace
    meet = Barrier(3)
    monkeypatch.setattr(engine, "fold", lambda claim: watch.fold(fold, claim))
    monkeypatch.setattr(engine, "replace", lambda folded, **more: watch.written(replace, folded, **more))

    def work() -> int:
        mine, slots = folder(engine, SystemClock(), rows=4), 0
        meet.wait(60)
        for _ in range(6):
            folded = mine.run_once()
            slots += 0 if folded is None else len(folded.claim.slots)
        return slots

    bench.send(*some_readings(30, seed=0), *some_readings(30, seed=1, tenant="hills"))
    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work) for _ in range(3)]
        for seed in range(2, 5):
            bench.send(*some_readings(10, seed=seed))
        folded = [worker.result() for worker in workers]
    assert all(folded)
    assert watch.most > 1
    bench.fold()
    bench.check_everything()
    bench.check_everything("hills")

"""The node's volumes: one whose disk does not answer is refused, one that stalls is left for another."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.footage import CAMERA, Feeder, footage
from tests.recorders import MAIN, checked, gaps, make_recorder, segments, until

from xomyen.recording.disk import LocalDisk, Room
from xomyen.recording.volumes import Volumes
from xomyen.terms.buffers import Bytes
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import GapReason

S = NS_PER_SECOND


class HangingDisk(LocalDisk):
    """A folder whose calls do not return, until `answers` is set."""

    def __init__(self, dead: Path) -> None:
        super().__init__()
        self.dead = str(dead)
        self.answers = threading.Event()
        self.asked = 0

    def room(self, path: str) -> Room:
        if path == self.dead:
            self.asked += 1
            assert self.answers.wait(60)
        return super().room(path)


async def test_a_disk_that_does_not_answer_holds_up_no_start_and_is_used_once_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.recording.volumes._RETRY_SECONDS", 0.05)
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    disk = HangingDisk(one)
    answers = Volumes._answers

    def asked(volumes: Volumes, path: str) -> bool:
        # Short for the disk that hangs alone: a busy machine may keep the other one waiting for a moment.
        hangs = path == str(one) and not disk.answers.is_set()
        monkeypatch.setattr("xomyen.recording.volumes._ANSWER_SECONDS", 0.05 if hangs else 60.0)
        return answers(volumes, path)

    monkeypatch.setattr(Volumes, "_answers", asked)
    alarms: list[str] = []
    said = {"on_alarm": lambda code, text: alarms.append(text)}
    async with make_recorder(tmp_path, one, two, disk=disk, **said) as recorder:
        assert [volume.path for volume in recorder.statistics.volumes] == [str(two)]
        assert "does not answer" in recorder.statistics.refused_volumes[str(one)]
        await until(lambda: any("does not answer" in text for text in alarms))
        assert disk.asked == 1
        disk.answers.set()
        await until(lambda: len(recorder.statistics.volumes) == 2)
        assert recorder.statistics.refused_volumes == {}


async def test_a_stream_leaves_a_disk_that_stalls_for_another(tmp_path: Path) -> None:
    class StallingDisk(LocalDisk):
        stalled = ""

        def __init__(self) -> None:
            super().__init__()
            self.go_on = threading.Event()

        def create(self, path: str) -> int:
            if self.stalled and path.startswith(self.stalled):
                assert self.go_on.wait(60)
            return super().create(path)

    clock = ManualClock()
    disk = StallingDisk()
    one, two = tmp_path / "one", tmp_path / "two"
    settings = {"queue_bytes": 200_000, "segment_seconds": 2.0}
    async with make_recorder(tmp_path, one, two, clock=clock, disk=disk, settings=settings) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        clock.advance(S)
        feeder.feed(25, clock.wall_ns())
        await until(lambda: segments(tmp_path))
        first = segments(tmp_path)[0].path
        disk.stalled = str(one if first.startswith(str(one)) else two)
        # Fed until the other one has footage.
        await until(
            lambda: _feed(feeder, clock) and any(not r.path.startswith(disk.stalled) for r in segments(tmp_path))
        )
        disk.stalled = ""
        disk.go_on.set()
    rows = segments(tmp_path)
    assert len({row.volume for row in rows}) == 2
    assert {gap.reason for gap in gaps(tmp_path)} == {GapReason.DISK}
    assert checked(tmp_path).findings == []


def _feed(feeder: Feeder, clock: ManualClock) -> bool:
    clock.advance(S)
    feeder.feed(25, clock.wall_ns())
    return True


class FaultOfOurs(LocalDisk):
    """Calls that fail as only a bug does."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        self._fail("writev")
        return os.writev(descriptor, parts)

    def sync_volume(self, descriptor: int) -> None:
        self._fail("sync_volume")
        super().sync_volume(descriptor)

    def _fail(self, call: str) -> None:
        if self.call == call and threading.current_thread().name.startswith("volume-"):
            raise KeyError("a bug")


@pytest.mark.parametrize(("call", "thread"), [("writev", "volume-write"), ("sync_volume", "volume-sync")])
async def test_a_thread_that_ends_by_a_fault_of_ours_ends_the_process(tmp_path: Path, call: str, thread: str) -> None:
    told: list[str] = []
    async with make_recorder(tmp_path, disk=FaultOfOurs(call), on_fatal=told.append) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        feeder.feed(25, recorder.clock.wall_ns())
        await until(lambda: told)
    assert f"the thread {thread} of " in told[0]
    assert "a bug" in told[0]

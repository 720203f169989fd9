"""Disks that stall, fill up or go away: the others go on, the gap has its reason, nothing false is promised."""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults.faulty_disk import FaultyDisk, feeders, play
from tests.footage import CAMERA, OTHER, Feeder, footage
from tests.recorders import MAIN, checked, frames_by_ffprobe, gaps, make_recorder, segments, until

from xomyen.recording.disk import LocalDisk
from xomyen.recording.index import Index
from xomyen.recording.jobs import CheckpointJob
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.rows import Segment
from xomyen.terms.buffers import BufferPool, Bytes
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import CameraState, GapReason, SegmentState

S = NS_PER_SECOND


async def test_one_stalled_disk_of_two_holds_up_nobody_else(tmp_path: Path) -> None:
    disk = FaultyDisk()
    pool = BufferPool(1 << 17, 40)
    one, two = tmp_path / "one", tmp_path / "two"
    limits = {"queue_bytes": 600_000, "lease_bytes": 100_000}
    async with make_recorder(tmp_path, one, two, settings=limits, disk=disk) as recorder:
        both = feeders(recorder, pool, apart=True)
        await play(both, 20)
        disk.stalled = str(one)
        for _ in range(400):
            await play(both, 1)
            # Else a machine that is busy for a moment is a slow disk too.
            await until(lambda: recorder.statistics.volumes[1].queued_bytes < 100_000)
        slow, fine = recorder.statistics.volumes
        assert [slow.path, fine.path] == [str(one), str(two)]
        assert slow.queued_bytes <= 600_000
        await until(lambda: recorder.statistics.volumes[1].queued_bytes == 0)
        states = {found.camera: found for found in recorder.statistics.streams}
        assert states[CAMERA].state.state is CameraState.NOT_RECORDING
        assert states[CAMERA].dropped_frames > 0
        assert (states[OTHER].frames, states[OTHER].dropped_frames) == (both[1].number, 0)
        assert fine.dropped_frames == 0
        disk.stalled = ""
        disk.go_on.set()
        await until(lambda: sum(volume.queued_bytes for volume in recorder.statistics.volumes) == 0)
        await play(both, 20)
    assert pool.out == 0
    rows = segments(tmp_path, OTHER)
    assert sum(row.frames for row in rows) == both[1].number
    assert gaps(tmp_path, OTHER) == []
    assert [gap.reason for gap in gaps(tmp_path, CAMERA)] == [GapReason.DISK]
    assert len({row.run for row in segments(tmp_path, CAMERA)}) == 2
    assert sum(map(frames_by_ffprobe, [row.path for row in segments(tmp_path, CAMERA)])) == both[0].number - (
        states[CAMERA].dropped_frames
    )
    assert checked(tmp_path).findings == []


async def test_a_full_disk_pauses_and_resumes_by_itself(tmp_path: Path) -> None:
    disk = FaultyDisk()
    alarms: list[str] = []
    async with make_recorder(tmp_path, disk=disk, on_alarm=lambda code, text: alarms.append(text)) as recorder:
        both = feeders(recorder)
        await play(both, 20)
        disk.room_left = 50_000
        await play(both, 100)
        await until(lambda: recorder.statistics.volumes[0].paused)
        await play(both, 1)
        assert recorder.statistics.streams[0].state.reason is GapReason.DISK
        await until(lambda: any("full" in text for text in alarms))
        disk.room_left = None
        await until(lambda: not recorder.statistics.volumes[0].paused)
        await play(both, 20)
    for camera in (CAMERA, OTHER):
        rows = segments(tmp_path, camera)
        assert {row.state for row in rows} == {SegmentState.SEALED}
        assert sum(frames_by_ffprobe(row.path) for row in rows) == sum(row.frames for row in rows)
        assert GapReason.DISK in {gap.reason for gap in gaps(tmp_path, camera)}
        assert all(gap.end_ns is not None for gap in gaps(tmp_path, camera))
    assert checked(tmp_path).findings == []


async def test_a_disk_unmounted_meanwhile_is_not_filled(tmp_path: Path) -> None:
    video = tmp_path / "video"
    async with make_recorder(tmp_path) as recorder:
        both = feeders(recorder)
        await play(both, 20)
        await until(lambda: recorder.reader.open_segments())
        video.rename(tmp_path / "away")
        video.mkdir()
        await until(lambda: recorder.statistics.volumes[0].paused)
        await play(both, 60)
        assert os.listdir(video) == []
        video.rmdir()
        (tmp_path / "away").rename(video)
        await until(lambda: not recorder.statistics.volumes[0].paused)
        await play(both, 20)
    assert checked(tmp_path).findings == []
    assert GapReason.DISK in {gap.reason for gap in gaps(tmp_path, CAMERA)}


async def test_a_volume_that_stays_wrong_disturbs_nobody_and_is_used_once_it_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.recording.volumes._RETRY_SECONDS", 0.05)
    good, wrong = tmp_path / "good", tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "letter.txt").write_text("not footage")
    looked = threading.Event()

    class Watched(LocalDisk):
        looks = 0

        def make_folder(self, path: str) -> None:
            super().make_folder(path)
            self.looks += path == str(wrong)
            if self.looks > 3:
                looked.set()

    async with make_recorder(tmp_path, good, wrong, disk=Watched()) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        await until(looked.is_set)
        await play([feeder], 5)
        await until(lambda: segments(tmp_path))  # its rows are still committed
        assert list(recorder.statistics.refused_volumes) == [str(wrong)]
        (wrong / "letter.txt").unlink()
        await until(lambda: not recorder.statistics.refused_volumes)
        found = {volume.path: volume.id for volume in recorder.statistics.volumes}
        other = Feeder(recorder.sink(OTHER, MAIN, StreamPolicy(volume=found[str(wrong)])), footage())
        other.open()
        await play([other], 5)
        await until(lambda: segments(tmp_path, OTHER))
    assert segments(tmp_path, OTHER)[0].path.startswith(str(wrong))
    assert checked(tmp_path).findings == []


async def test_a_checkpoint_is_acknowledged_with_its_row_also_when_a_sync_comes_between(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with make_recorder(tmp_path, settings={"sync_seconds": 3600}, disk=disk) as recorder:
        sink = recorder.sink(CAMERA, MAIN)
        feeder = Feeder(sink, footage())
        feeder.open()
        await play([feeder], 5)
        found = sink.checkpoint_segment()
        assert found is not None
        volume, segment = found
        await until(lambda: volume.backlog == 0)
        await asyncio.to_thread(volume.writer.sync, volume._descriptor, recorder._index_thread)
        done: Future[str] = Future()
        sealed = threading.Event()
        write = disk.writev

        def stalling(descriptor: int, parts: Sequence[Bytes]) -> int:
            count = write(descriptor, parts)
            if len(parts) == 1 and not sealed.is_set():  # the seal; the fragment behind it waits
                disk.stalled = str(tmp_path)
                sealed.set()
            return count

        disk.writev = stalling  # type: ignore[method-assign]
        volume.submit(CheckpointJob(segment, done))
        await play([feeder], 5)
        await until(sealed.is_set)
        await asyncio.to_thread(volume.writer.sync, volume._descriptor, recorder._index_thread)
        assert done.result(0) == segment.note.segment
        assert len(recorder.reader.query("SELECT * FROM checkpoint WHERE segment = ?", segment.note.segment)) == 1
        disk.go_on.set()


async def test_a_row_that_the_index_refuses_costs_no_other_stream_its_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_segment = Index.put_segment

    def refusing(index: Index, row: Segment, relative: str) -> None:
        put_segment(index, replace(row, frames=1 << 70) if row.camera == OTHER else row, relative)

    monkeypatch.setattr(Index, "put_segment", refusing)
    async with make_recorder(tmp_path) as recorder:
        both = feeders(recorder)
        await play(both, 20)
        await until(lambda: segments(tmp_path))
        assert segments(tmp_path, OTHER) == []
        with pytest.raises(OSError, match="refused"):
            await recorder.checkpoint(OTHER, MAIN)
        monkeypatch.undo()
        await recorder.checkpoint(OTHER, MAIN)
    assert sum(row.frames for row in segments(tmp_path, OTHER)) == both[1].number
    assert checked(tmp_path).findings == []


async def test_while_the_index_is_locked_recording_goes_on_and_nothing_is_acknowledged(tmp_path: Path) -> None:
    async with make_recorder(tmp_path) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        await play([feeder], 1)
        await until(lambda: segments(tmp_path))
        promised = segments(tmp_path)[0].frames
        locking = sqlite3.connect(NodeFolder(tmp_path).index, isolation_level=None)
        locking.execute("BEGIN IMMEDIATE")
        await play([feeder], 40)
        await until(lambda: recorder.statistics.volumes[0].written_frames >= 200)
        assert sum(row.frames for row in segments(tmp_path)) == promised
        locking.execute("ROLLBACK")
        locking.close()
        await until(lambda: sum(row.frames for row in segments(tmp_path)) >= 200)
    assert gaps(tmp_path) == []
    assert checked(tmp_path).findings == []


async def test_a_disk_that_syncs_slowly_is_synced_less_often_and_says_so(tmp_path: Path) -> None:
    class SlowDisk(LocalDisk):
        def sync_volume(self, descriptor: int) -> None:
            time.sleep(0.2)
            super().sync_volume(descriptor)

    async with make_recorder(tmp_path, disk=SlowDisk()) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        await play([feeder], 10)
        await until(lambda: recorder.statistics.volumes[0].sync_interval >= 0.4)
        await until(lambda: segments(tmp_path))

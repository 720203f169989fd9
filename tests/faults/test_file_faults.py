"""Files that fail or lose bytes: their segments end and are settled, nobody else is disturbed."""

import errno
import threading
from pathlib import Path

import pytest
from tests.faults.faulty_disk import BEGIN, FaultyDisk, feeders, play
from tests.footage import CAMERA, OTHER
from tests.recorders import (
    MAIN,
    checked,
    frames_by_ffprobe,
    gaps,
    hold_syncs,
    make_recorder,
    outbox_kinds,
    segments,
    settled,
    until,
)

from xomyen.recording.rows import Segment
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import GapReason, SegmentState

S = NS_PER_SECOND


async def test_lost_bytes_abandon_that_segment_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xomyen.recording.volume._RETRY_SECONDS", 0.05)
    disk = FaultyDisk()
    clock = ManualClock(BEGIN)
    alarms: list[str] = []
    said = {"on_alarm": lambda code, text: alarms.append(text)}
    async with make_recorder(tmp_path, disk=disk, clock=clock, **said) as recorder:
        both = feeders(recorder)
        await play(both, 20, clock)
        await until(lambda: len(recorder.reader.open_segments()) == 2)
        promised = {row.camera: row.bytes for row in recorder.reader.open_segments()}
        disk.lost_file = CAMERA
        await play(both, 5, clock)
        await until(lambda: recorder.statistics.volumes[0].abandoned_segments)
        await until(lambda: any("abandoned" in text for text in alarms))
        await play(both, 20, clock)
        await until(lambda: recorder.statistics.volumes[0].unmended_segments)
        assert segments(tmp_path, CAMERA)[0].state is SegmentState.OPEN
        disk.lost_file = ""
        await until(lambda: segments(tmp_path, CAMERA)[0].state is SegmentState.RECOVERED)
        handed_over = both[0].number
        await play(both, 20, clock)
    mended, after = segments(tmp_path, CAMERA)
    assert mended.bytes >= promised[CAMERA]
    assert mended.frames < handed_over
    assert after.state is SegmentState.SEALED
    first, second = gaps(tmp_path, CAMERA)
    assert (first.start_ns, first.end_ns, second.end_ns) == (mended.end_ns, second.start_ns, after.start_ns)
    assert {gap.reason for gap in (first, second)} == {GapReason.DISK}
    assert [row.state for row in segments(tmp_path, OTHER)] == [SegmentState.SEALED]
    assert sum(row.frames for row in segments(tmp_path, OTHER)) == both[1].number
    assert "alarm" in outbox_kinds(tmp_path)
    assert checked(tmp_path).findings == []


class LateDisk(FaultyDisk):
    """Its next sync fails for what is written while it lasts, and says so once, as Linux does."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = False
        self.syncing, self.written = threading.Event(), threading.Event()

    def sync_volume(self, descriptor: int) -> None:
        if self.armed and not self.syncing.is_set():
            self.syncing.set()
            assert self.written.wait(60)
            raise OSError(errno.EIO, "Input/output error")
        super().sync_volume(descriptor)

    def sync_file(self, descriptor: int) -> None:
        if CAMERA in self.paths[descriptor]:
            raise OSError(errno.EIO, "Input/output error")
        super().sync_file(descriptor)


async def test_bytes_that_were_lost_while_they_were_written_beside_a_sync_are_not_promised(tmp_path: Path) -> None:
    disk = LateDisk()
    clock = ManualClock(BEGIN)
    async with make_recorder(tmp_path, disk=disk, clock=clock) as recorder:
        both = feeders(recorder)
        await play(both, 20, clock)
        await settled(recorder)
        before = {row.camera: row.frames for row in recorder.reader.open_segments()}
        disk.armed = True
        await until(disk.syncing.is_set)
        await play(both, 5, clock)
        await until(lambda: recorder.statistics.volumes[0].queued_bytes == 0)
        disk.written.set()
        await until(lambda: recorder.statistics.volumes[0].abandoned_segments)
        after = {row.camera: row.frames for row in recorder.reader.open_segments()}
        assert after[CAMERA] == before[CAMERA]
        await play(both, 20, clock)
    assert sum(row.frames for row in segments(tmp_path, OTHER)) == both[1].number
    assert gaps(tmp_path, OTHER) == []
    assert {gap.reason for gap in gaps(tmp_path, CAMERA)} == {GapReason.DISK}


async def test_a_segment_that_stays_unreadable_is_settled_by_the_next_start(tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with make_recorder(tmp_path, disk=disk) as recorder:
        both = feeders(recorder)
        await play(both, 20)
        await until(lambda: len(recorder.reader.open_segments()) == 2)
        disk.lost_file = CAMERA
        await play(both, 5)
        await until(lambda: recorder.statistics.volumes[0].abandoned_segments)
        await play(both, 20)
    abandoned = segments(tmp_path, CAMERA)[0]
    assert abandoned.state is SegmentState.OPEN
    assert [finding.code for finding in checked(tmp_path).findings] == ["not_sealed"]
    async with make_recorder(tmp_path) as recorder:
        assert recorder.report.recovered == [abandoned.path]
    assert segments(tmp_path, CAMERA)[0].bytes == abandoned.bytes
    assert checked(tmp_path).findings == []


async def test_a_file_that_fails_costs_its_segment_and_nobody_elses(tmp_path: Path) -> None:
    disk = FaultyDisk()
    clock = ManualClock(BEGIN)
    alarms: list[str] = []
    said = {"on_alarm": lambda code, text: alarms.append(text)}
    async with make_recorder(tmp_path, disk=disk, clock=clock, **said) as recorder:
        both = feeders(recorder)
        await play(both, 20, clock)
        await until(lambda: len(recorder.reader.open_segments()) == 2)
        disk.bad_file = recorder.open_path(CAMERA, MAIN) or ""
        await play(both, 40, clock)
        await until(lambda: recorder.statistics.volumes[0].queued_bytes == 0)
        assert recorder.statistics.volumes[0].paused == ""
        await until(lambda: any("could not be written (Input/output error)" in text for text in alarms))
        disk.bad_file = ""
        await play(both, 20, clock)
    assert [row.frames for row in segments(tmp_path, OTHER)] == [both[1].number]
    assert gaps(tmp_path, OTHER) == []
    broken, after = segments(tmp_path, CAMERA)
    assert {broken.state, after.state} <= {SegmentState.SEALED, SegmentState.RECOVERED}
    missed = gaps(tmp_path, CAMERA)
    assert (missed[0].start_ns, missed[-1].end_ns) == (broken.end_ns, after.start_ns)
    assert {gap.reason for gap in missed} == {GapReason.DISK}
    assert checked(tmp_path).findings == []


async def test_a_file_that_fails_before_anything_of_it_was_promised_is_a_gap_from_its_first_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_sync = hold_syncs(monkeypatch)
    disk = FaultyDisk()
    clock = ManualClock(BEGIN)
    async with make_recorder(tmp_path, disk=disk, clock=clock) as recorder:
        both = feeders(recorder)
        await play(both, 20, clock)
        await until(lambda: recorder.statistics.volumes[0].queued_bytes == 0)
        disk.bad_file = lost = recorder.open_path(CAMERA, MAIN) or ""
        while recorder.open_path(CAMERA, MAIN) in (None, lost):
            await play(both, 1, clock)
        await until(lambda: recorder.statistics.volumes[0].queued_bytes == 0)
        may_sync.set()
        disk.bad_file = ""
        await play(both, 20, clock)
    (after,) = segments(tmp_path, CAMERA)
    _check_that_all_before_is_a_gap(tmp_path, after)
    assert not Path(lost).exists()


async def test_a_file_that_cannot_be_begun_is_a_gap_from_its_first_picture(tmp_path: Path) -> None:
    disk = FaultyDisk()
    clock = ManualClock(BEGIN)
    async with make_recorder(tmp_path, disk=disk, clock=clock) as recorder:
        both = feeders(recorder)
        disk.bad_file = CAMERA
        await play(both, 3, clock)
        await until(lambda: recorder.statistics.volumes[0].queued_bytes == 0)
        disk.bad_file = ""
        await play(both, 20, clock)
    (after,) = segments(tmp_path, CAMERA)
    _check_that_all_before_is_a_gap(tmp_path, after)


def _check_that_all_before_is_a_gap(root: Path, after: Segment) -> None:
    missed = sorted(gaps(root, CAMERA), key=lambda gap: gap.start_ns)
    assert missed[0].start_ns <= BEGIN
    assert [gap.end_ns for gap in missed] == [*(gap.start_ns for gap in missed[1:]), after.start_ns]
    assert {gap.reason for gap in missed} == {GapReason.DISK}
    assert "gap" in outbox_kinds(root)
    assert gaps(root, OTHER) == []
    assert checked(root).findings == []


async def test_a_disk_whose_files_fail_one_after_another_rests_and_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.recording.volume._REST_SECONDS", 0.2)
    disk = FaultyDisk()
    async with make_recorder(tmp_path, disk=disk) as recorder:
        both = feeders(recorder)
        await play(both, 20)
        disk.bad_file = "/main/"
        seen: list[str] = []
        while not seen:
            await play(both, 5)
            seen += [volume.paused for volume in recorder.statistics.volumes if volume.paused]
        assert seen[0] == "failing (Input/output error)"
        disk.bad_file = ""
        await until(lambda: not recorder.statistics.volumes[0].paused)
        await play(both, 20)
    for camera in (CAMERA, OTHER):
        rows = segments(tmp_path, camera)
        assert sum(frames_by_ffprobe(row.path) for row in rows) == sum(row.frames for row in rows)
        assert rows[-1].state is SegmentState.SEALED
    assert checked(tmp_path).findings == []


async def test_a_folder_that_cannot_be_synced_ends_the_process(tmp_path: Path) -> None:
    disk = FaultyDisk()
    reasons: list[str] = []
    async with make_recorder(tmp_path, disk=disk, on_fatal=reasons.append) as recorder:
        both = feeders(recorder)
        disk.lost_folder = True
        await play(both, 20)
        await until(lambda: reasons)
        assert "cannot be synced" in reasons[0]

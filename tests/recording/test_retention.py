"""Old footage goes, oldest first; what is held or being read stays; what went leaves a tombstone."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from tests.footage import CAMERA, OTHER, Feeder, footage
from tests.recorders import MAIN, checked, gaps, make_recorder, segments, settled, spans, until

from xomyen.proof.keys import SIGNATURE_BYTES
from xomyen.proof.seal import Statement
from xomyen.recording.disk import LocalDisk, Room
from xomyen.recording.policy import StreamPolicy, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.recording.retention import Retention, RoomOf
from xomyen.recording.segment_file import lend
from xomyen.terms.errors import InvalidRange
from xomyen.terms.time import NS_PER_SECOND, ManualClock

S = NS_PER_SECOND
DAY = 86_400 * S


class SmallDisk(LocalDisk):
    """Says how much is free as if the volume were `size` bytes large."""

    size = 1 << 40

    def room(self, path: str) -> Room:
        used = sum(os.path.getsize(os.path.join(above, name)) for above, _, names in os.walk(path) for name in names)
        return super().room(path)._replace(free=self.size - used, total=self.size)


def play(clock: ManualClock, feeders: list[Feeder]) -> None:
    """18 s of each of them."""
    for feeder in feeders:
        feeder.open()
    for _ in range(18):
        clock.advance(S)
        for feeder in feeders:
            feeder.feed(25, clock.wall_ns())


async def footage_of(
    recorder: Recorder, clock: ManualClock, cameras: tuple[str, ...] = (CAMERA,), **policy: Any
) -> None:
    """Four sealed segments of 4 s for each camera, and an open one."""
    feeders = [Feeder(recorder.sink(camera, MAIN, StreamPolicy(**policy)), footage(gop=100)) for camera in cameras]
    play(clock, feeders)
    await until(
        lambda: recorder.reader.query("SELECT count(*) FROM segment WHERE state = 'sealed'")[0][0] == 4 * len(cameras)
    )
    await until(lambda: len(recorder.reader.open_segments()) == len(cameras))
    await settled(recorder)


def quick(tmp_path: Path, clock: ManualClock, **options: Any) -> Recorder:
    return make_recorder(tmp_path, clock=clock, settings={"segment_seconds": 3.0, "retention_seconds": 3600}, **options)


async def test_what_is_older_than_allowed_goes_and_leaves_a_tombstone_with_its_seal(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        await footage_of(recorder, clock, retention_days=1)
        before = segments(tmp_path)
        clock.advance(before[1].end_ns + DAY + 1 - clock.wall_ns())
        recorder.check_clock()
        (done,) = (await recorder.run_retention()).values()
        assert done.segments == 2
        assert [row.id for row in segments(tmp_path)] == [row.id for row in before[2:]]
        assert not any(os.path.exists(row.path) for row in before[:2])
        buried = recorder.reader.query("SELECT segment, done, why, who, seal FROM tombstone ORDER BY start_ns")
        assert [row[:4] for row in buried] == [(row.id, 1, "older than 1 days", "retention") for row in before[:2]]
        statement = Statement.decode(buried[0][4][:-SIGNATURE_BYTES])
        assert statement.hash() == before[0].seal_hash
        assert spans(tmp_path)[0].start_ns == before[2].start_ns
        assert gaps(tmp_path) == []
    assert checked(tmp_path).findings == []


async def test_what_is_held_stays_until_the_hold_ends(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        await footage_of(recorder, clock, retention_days=1)
        rows = segments(tmp_path)
        until_ns = clock.wall_ns() + 10 * DAY
        hold = await recorder.add_hold(CAMERA, rows[1].start_ns + 1, rows[1].end_ns - 1, "case 7", "officer", until_ns)
        await recorder.add_hold(CAMERA, rows[2].start_ns + 1, rows[2].end_ns - 1, "case 8", "officer", until_ns)
        clock.advance(3 * DAY)
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [rows[1].id, rows[2].id, rows[4].id]
        assert await recorder.remove_hold(hold.id)
        assert not await recorder.remove_hold(hold.id)
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [rows[2].id, rows[4].id]
        clock.advance(8 * DAY)
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [rows[4].id]


async def test_a_hold_must_have_a_sensible_range(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        with pytest.raises(InvalidRange):
            await recorder.add_hold(CAMERA, 5, 5, "x", "y", clock.wall_ns() + S)
        with pytest.raises(InvalidRange):
            await recorder.add_hold(CAMERA, 5, 6, "x", "y", clock.wall_ns())


async def test_what_somebody_reads_is_left_for_later(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        await footage_of(recorder, clock, retention_days=1)
        rows = segments(tmp_path)
        clock.advance(3 * DAY)
        with lend(rows[0].path):
            (done,) = (await recorder.run_retention()).values()
            assert done.busy >= 1
            assert os.path.exists(rows[0].path)
        await recorder.run_retention()
        assert not os.path.exists(rows[0].path)


async def test_what_somebody_reads_stays_although_the_disk_is_short(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = SmallDisk()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock)
        rows = segments(tmp_path)
        (volume,) = recorder.volumes.at_work.values()
        volume.floor = disk.size
        with lend(rows[1].path):
            await recorder.run_retention()
            assert [row.id for row in segments(tmp_path)] == [rows[1].id, rows[4].id]
            assert os.path.exists(rows[1].path)
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [rows[4].id]


async def test_a_cameras_bytes_are_limited(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        await footage_of(recorder, clock, (CAMERA, OTHER))
        rows = segments(tmp_path)
        recorder.sink(CAMERA, MAIN, StreamPolicy(retention_bytes=sum(row.bytes for row in rows[2:])))
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [row.id for row in rows[2:]]
        assert len(segments(tmp_path, OTHER)) == 5


async def test_the_floor_is_kept_free_oldest_first_across_cameras(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = SmallDisk()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock, (CAMERA, OTHER))
        everything = sorted(segments(tmp_path) + segments(tmp_path, OTHER), key=lambda row: (row.start_ns, row.id))
        (volume,) = recorder.volumes.at_work.values()
        volume.floor = disk.size - disk.room(volume.path).free
        volume.floor = disk.room(volume.path).free + sum(row.bytes for row in everything[:3])
        await recorder.run_retention()
        left = sorted(segments(tmp_path) + segments(tmp_path, OTHER), key=lambda row: row.start_ns)
        assert {row.id for row in left} == {row.id for row in everything[3:]}


async def test_when_only_held_footage_is_left_somebody_is_told(tmp_path: Path) -> None:
    clock = ManualClock()
    alarms: list[str] = []
    disk = SmallDisk()
    async with quick(tmp_path, clock, disk=disk, on_alarm=lambda code, text: alarms.append(text)) as recorder:
        await footage_of(recorder, clock)
        await recorder.add_hold(CAMERA, 0, 1 << 62, "case 7", "officer", clock.wall_ns() + DAY)
        (volume,) = recorder.volumes.at_work.values()
        volume.floor = disk.room(volume.path).free + 1
        (done,) = (await recorder.run_retention()).values()
        assert (done.segments, done.short) == (0, "only held footage is left on it")
        assert alarms == [f"{volume.path} is almost full, and only held footage is left on it."]
        volume.floor = 4 * disk.room(volume.path).free
        await until(lambda: volume.paused)
        await recorder.run_retention()
        left = "only held footage is left on it"
        assert alarms[-1] == f"{volume.path} is full, nothing is recorded to it, and {left}."
        assert len(segments(tmp_path)) == 5


async def test_a_volume_that_is_not_there_keeps_its_rows_although_the_place_is_short_of_room(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = SmallDisk()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock, retention_days=1, retention_bytes=1)
        (volume,) = recorder.volumes.at_work.values()
        os.rename(volume.path, tmp_path / "away")
        os.mkdir(volume.path)
        volume.floor = disk.size
        clock.advance(3 * DAY)
        (done,) = (await recorder.run_retention()).values()
        assert done.segments == 0
        assert len(segments(tmp_path)) == 5
        os.rmdir(volume.path)
        os.rename(tmp_path / "away", volume.path)


class WornDisk(SmallDisk):
    """One of its folders takes no writes from some moment on, as after a fault."""

    worn = ""

    def create(self, path: str) -> int:
        self._refuse(path)
        return super().create(path)

    def remove(self, path: str) -> None:
        if os.path.exists(path):
            self._refuse(path)
        super().remove(path)

    def _refuse(self, path: str) -> None:
        if self.worn and path.startswith(self.worn):
            raise OSError(errno.EROFS, "Read-only file system")


async def test_a_volume_that_became_read_only_keeps_its_rows_and_the_others_are_cleared(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = WornDisk()
    alarms: list[str] = []
    one, two = tmp_path / "one", tmp_path / "two"
    settings = {
        "segment_seconds": 3.0,
        "retention_seconds": 3600,
        "volumes": (VolumeSettings(str(one), 0), VolumeSettings(str(two), 0)),
    }
    options: dict[str, Any] = {"disk": disk, "on_alarm": lambda code, text: alarms.append(text)}
    async with make_recorder(tmp_path, clock=clock, settings=settings, **options) as recorder:
        first, second = (volume.id for volume in recorder.statistics.volumes)
        recorder.sink(CAMERA, MAIN, StreamPolicy(volume=first))
        await footage_of(recorder, clock, volume=first, retention_days=1)
        await footage_of_other(recorder, clock, second)
        disk.worn = str(one)
        recorder.volumes.at_work[first].floor = disk.size
        clock.advance(3 * DAY)
        await recorder.run_retention()
        assert len(segments(tmp_path)) == 5
        assert len(segments(tmp_path, OTHER)) == 1
        assert any(f"footage on {one} cannot be deleted" in text for text in alarms)
        disk.worn = ""
        await recorder.run_retention()
        assert len(segments(tmp_path)) == 1


async def footage_of_other(recorder: Recorder, clock: ManualClock, volume: str) -> None:
    feeder = Feeder(recorder.sink(OTHER, MAIN, StreamPolicy(volume=volume, retention_days=1)), footage(gop=100))
    play(clock, [feeder])
    await until(lambda: recorder.reader.query("SELECT count(*) FROM segment WHERE state = 'sealed'")[0][0] == 8)
    await settled(recorder)


async def test_a_hold_that_comes_while_footage_is_being_chosen_still_counts(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        await footage_of(recorder, clock)
        rows = segments(tmp_path)
        volume = recorder.statistics.volumes[0]
        room = RoomOf(volume.id, volume.path, 0)
        retention = Retention(
            *(recorder.reader, recorder._index_thread, LocalDisk(), clock, room, [room.volume]),
            *({}, recorder.settings.default_policy),
        )
        await recorder.add_hold(CAMERA, rows[1].start_ns, rows[1].end_ns, "case 7", "officer", clock.wall_ns() + DAY)
        gone = await asyncio.to_thread(retention.delete, rows[:3], "chosen before the hold", "test")
        assert [row.id for row in gone] == [rows[0].id, rows[2].id]
        assert os.path.exists(rows[1].path)


async def test_what_precedes_held_footage_is_remembered_as_long_as_that_stands(tmp_path: Path) -> None:
    clock = ManualClock()
    async with quick(tmp_path, clock) as recorder:
        await footage_of(recorder, clock, retention_days=1)
        rows = segments(tmp_path)
        ends = [clock.wall_ns() + days * DAY for days in (300, 200)]
        for row, until_ns in zip((rows[1], rows[3]), ends, strict=True):
            await recorder.add_hold(CAMERA, row.start_ns + 1, row.end_ns - 1, "case 7", "officer", until_ns)

        async def deleted_long_ago() -> list[str]:
            await recorder.run_retention()
            clock.advance(100 * DAY)
            await recorder.run_retention()
            return [row[0] for row in recorder.reader.query("SELECT segment FROM tombstone ORDER BY start_ns")]

        assert await deleted_long_ago() == [rows[0].id, rows[2].id]
        assert checked(tmp_path, running=True).findings == []
        clock.advance(2 * DAY)
        assert await deleted_long_ago() == [rows[0].id, rows[3].id]
        assert [row.id for row in segments(tmp_path)] == [rows[1].id, rows[4].id]
        assert checked(tmp_path, running=True).findings == []


async def test_somebody_who_reads_the_oldest_footage_does_not_keep_the_disk_short(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = SmallDisk()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock)
        rows = segments(tmp_path)
        (volume,) = recorder.volumes.at_work.values()
        volume.floor = disk.room(volume.path).free + 1
        with lend(rows[0].path):
            (done,) = (await recorder.run_retention()).values()
            assert (done.segments, done.busy) == (1, 1)
            assert [row.id for row in segments(tmp_path)] == [rows[0].id, *(row.id for row in rows[2:])]


class LazyDisk(SmallDisk):
    """Shows what deletions freed only after the next sync, as btrfs does."""

    shown: Room | None = None

    def room(self, path: str) -> Room:
        if self.shown is None:
            self.shown = super().room(path)
        return self.shown


async def test_a_file_system_that_frees_later_loses_no_more_than_is_missing(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = LazyDisk()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock)
        rows = segments(tmp_path)
        (volume,) = recorder.volumes.at_work.values()
        disk.shown = None
        volume.floor = disk.room(volume.path).free + rows[0].bytes + 1
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [row.id for row in rows[2:]]
        disk.shown = None
        await recorder.run_retention()
        assert [row.id for row in segments(tmp_path)] == [row.id for row in rows[2:]]


class StubbornDisk(LocalDisk):
    """One file cannot be removed, as when somebody made it immutable."""

    stays = ""

    def remove(self, path: str) -> None:
        if path == self.stays:
            raise OSError(errno.EPERM, "Operation not permitted")
        super().remove(path)


async def test_a_file_that_cannot_be_deleted_does_not_keep_the_others_and_is_named(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = StubbornDisk()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock, (CAMERA, OTHER), retention_days=1)
        rows = segments(tmp_path)
        disk.stays = rows[0].path
        clock.advance(rows[0].end_ns + DAY + 1 - clock.wall_ns())
        (done,) = (await recorder.run_retention()).values()
        assert os.path.exists(rows[0].path)
        clock.advance(DAY)
        (done,) = (await recorder.run_retention()).values()
        assert done.failing == f"{rows[0].path}: Operation not permitted"
        assert [row.id for row in segments(tmp_path)] == [rows[4].id]
        assert len(segments(tmp_path, OTHER)) == 1
        disk.stays = ""
        (done,) = (await recorder.run_retention()).values()
        assert done.failing == ""
        assert not os.path.exists(rows[0].path)


class FewFiles(SmallDisk):
    """Takes only so many files (its inodes are used up), whatever room it has."""

    total = 200
    others = 0  # files that are not the recorder's

    def room(self, path: str) -> Room:
        used = sum(len(names) for _, _, names in os.walk(path)) + self.others
        return super().room(path)._replace(free_files=max(0, self.total - used), total_files=self.total)


async def test_a_disk_that_runs_out_of_files_loses_its_oldest_footage_and_goes_on(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = FewFiles()
    async with quick(tmp_path, clock, disk=disk) as recorder:
        await footage_of(recorder, clock)
        rows = segments(tmp_path)
        (volume,) = recorder.volumes.at_work.values()
        disk.others += disk.room(volume.path).free_files - 7  # three short of the floor, which is 10
        (done,) = (await recorder.run_retention()).values()
        assert (done.segments, done.short) == (3, "")
        assert [row.id for row in segments(tmp_path)] == [row.id for row in rows[3:]]
        disk.others += 9
        await until(lambda: volume.paused == "full (it takes no more files)")
        disk.others -= 9
        await until(lambda: not volume.paused)

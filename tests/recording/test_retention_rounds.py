"""Rounds of deletion: each volume by itself, so that a disk that hangs holds up no other's."""

import threading
from pathlib import Path

from tests.footage import CAMERA, OTHER, Feeder, footage
from tests.recorders import MAIN, make_recorder, play, segments, until

from xomyen.recording.disk import LocalDisk, Room
from xomyen.recording.policy import StreamPolicy
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import SegmentState

S = NS_PER_SECOND
DAY = 86_400 * S


class DeadDisk(LocalDisk):
    """One folder whose calls of deletion do not return until the test ends."""

    dead = ""

    def __init__(self) -> None:
        super().__init__()
        self.hanging = threading.Event()
        self.alive_again = threading.Event()

    def remove(self, path: str) -> None:
        self._hang(path)
        super().remove(path)

    def room(self, path: str) -> Room:
        if threading.current_thread().name == "retention":
            self._hang(path)
        return super().room(path)

    def _hang(self, path: str) -> None:
        if self.dead and path.startswith(self.dead):
            self.hanging.set()
            assert self.alive_again.wait(60)


async def test_a_disk_that_hangs_holds_up_no_others_deletions_nor_the_end(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = DeadDisk()
    alarms: list[str] = []
    one, two = tmp_path / "one", tmp_path / "two"
    async with make_recorder(
        *(tmp_path, one, two),
        clock=clock,
        disk=disk,
        settings={"segment_seconds": 1.0, "retention_seconds": 0.05},
        on_alarm=lambda code, text: alarms.append(text),
    ) as recorder:
        first, second = (volume.id for volume in recorder.statistics.volumes)
        policies = {CAMERA: StreamPolicy(volume=first, retention_days=1), OTHER: StreamPolicy(volume=second)}
        feeders = [Feeder(recorder.sink(camera, MAIN, policy), footage()) for camera, policy in policies.items()]
        for feeder in feeders:
            feeder.open()
        for _ in range(8):
            clock.advance(S)
            for feeder in feeders:
                feeder.feed(25, clock.wall_ns())
        for camera in policies:
            recorder.remove(camera, MAIN)
        sealed = "SELECT count(*) FROM segment WHERE state = 'sealed'"
        await until(lambda: recorder.reader.query(sealed)[0][0] == 16)
        disk.dead = str(one)
        await until(disk.hanging.is_set)
        # A round that began before so many days would pass for one that hangs.
        await until(lambda: second not in recorder._retention._began_ns)
        clock.advance(40 * DAY)
        await until(lambda: not segments(tmp_path, OTHER))
        await until(lambda: any(f"{one} cannot be deleted: the disk has not answered" in text for text in alarms))
        assert not any(str(two) in text for text in alarms)
        assert len(segments(tmp_path)) == 8
    disk.alive_again.set()


async def test_a_cameras_bytes_on_a_disk_that_hangs_count_but_cost_the_other_disk_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = DeadDisk()
    one, two = tmp_path / "one", tmp_path / "two"
    settings = {"segment_seconds": 1.0, "retention_seconds": 0.05}
    async with make_recorder(tmp_path, one, two, clock=clock, disk=disk, settings=settings) as recorder:
        for volume in [volume.id for volume in recorder.statistics.volumes]:
            feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=volume)), footage())
            feeder.open()
            for _ in range(4):
                clock.advance(S)
                feeder.feed(25, clock.wall_ns())
        recorder.sink(CAMERA, MAIN, StreamPolicy(volume=recorder.statistics.volumes[1].id)).end_run()
        await until(lambda: recorder.reader.query("SELECT count(*) FROM segment WHERE state = 'sealed'")[0][0] == 8)
        rows = segments(tmp_path)
        disk.dead = str(one)
        await until(disk.hanging.is_set)
        policy = StreamPolicy(volume=recorder.statistics.volumes[1].id, retention_bytes=sum(r.bytes for r in rows[5:]))
        recorder.sink(CAMERA, MAIN, policy)
        # Five of the eight are too many: four lie on the dead disk, one does not.
        await until(lambda: len(segments(tmp_path)) <= 7)
        assert [row.id for row in segments(tmp_path)] == [row.id for row in [*rows[:4], *rows[5:]]]
        disk.alive_again.set()
        await until(lambda: [row.id for row in segments(tmp_path)] == [row.id for row in rows[5:]])


class TightDisk(LocalDisk):
    """Has so many bytes free, whatever is on it."""

    free = 1 << 40

    def room(self, path: str) -> Room:
        return super().room(path)._replace(free=self.free)


async def test_a_disk_too_small_for_a_day_is_told_until_it_has_room(tmp_path: Path) -> None:
    clock = ManualClock()
    disk = TightDisk()
    settings = {"segment_seconds": 1.0, "retention_seconds": 3600.0}
    async with make_recorder(tmp_path, clock=clock, disk=disk, settings=settings) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        play(feeder, clock, 6)
        recorder.remove(CAMERA, MAIN)
        await until(lambda: segments(tmp_path) and segments(tmp_path)[-1].state is SegmentState.SEALED)
        (volume,) = recorder.volumes.at_work.values()
        before = len(segments(tmp_path))

        async def alarms_with(free: int) -> list[str]:
            disk.free = volume.floor + free
            await until(lambda: volume.statistics.free_bytes == disk.free)
            await recorder.run_retention()
            return [alarm.code for alarm in recorder.alarms.standing]

        volume.floor = 1 << 30
        assert await alarms_with(0) == []
        assert await alarms_with(-1) == ["short"]
        assert len(segments(tmp_path)) == before - 1
        assert await alarms_with(0) == ["short"]
        assert await alarms_with(2 << 30) == []
        assert await alarms_with(-1) == ["short"]
        clock.advance(2 * DAY)
        assert await alarms_with(-1) == [], "what goes now is old enough"

"""Whoever waits for a commit may stop waiting: it is carried out all the same, and nobody else notices."""

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path

from tests.footage import CAMERA, Feeder, footage
from tests.recorders import MAIN, checked, make_recorder, play, until

from xomyen.recording.disk import LocalDisk
from xomyen.terms.time import NS_PER_SECOND, ManualClock


async def give_up(task: "asyncio.Task[object]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_who_gives_up_waiting_for_the_index_stops_nobodys_commits(tmp_path: Path) -> None:
    async with make_recorder(tmp_path) as recorder:
        with contextlib.closing(sqlite3.connect(tmp_path / "index.sqlite", isolation_level=None)) as locking:
            locking.execute("BEGIN IMMEDIATE")
            waiting: asyncio.Task[object] = asyncio.create_task(recorder.acknowledge([7]))
            await asyncio.sleep(0)
            await give_up(waiting)
            locking.execute("ROLLBACK")
        until_ns = recorder.clock.wall_ns() + NS_PER_SECOND * 60
        await asyncio.wait_for(recorder.add_hold(CAMERA, 1, 2, "case 7", "officer", until_ns), 60)


class HesitantDisk(LocalDisk):
    """Its syncs wait while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self.waits = threading.Event()

    def sync_volume(self, descriptor: int) -> None:
        if not self.go_on.is_set():
            self.waits.set()
            assert self.go_on.wait(60)
        super().sync_volume(descriptor)


async def test_who_gives_up_waiting_for_a_checkpoint_stops_nobodys_acknowledgements(tmp_path: Path) -> None:
    clock, disk = ManualClock(), HesitantDisk()
    async with make_recorder(tmp_path, clock=clock, disk=disk) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        play(feeder, clock, 4)
        await recorder.checkpoint(CAMERA, MAIN)
        disk.go_on.clear()
        await until(disk.waits.is_set)
        play(feeder, clock, 1)
        waiting: asyncio.Task[object] = asyncio.create_task(recorder.checkpoint(CAMERA, MAIN))
        await asyncio.sleep(0)
        await give_up(waiting)
        disk.go_on.set()
        play(feeder, clock, 1)
        await asyncio.wait_for(recorder.checkpoint(CAMERA, MAIN), 60)
    assert checked(tmp_path).findings == []

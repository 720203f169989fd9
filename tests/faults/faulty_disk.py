"""A disk that stalls, fills up, fails or loses bytes when it is told to, and cameras that record to it."""

import asyncio
import errno
import os
import threading
import time
from collections.abc import Sequence

from tests.footage import CAMERA, OTHER, Feeder, footage
from tests.recorders import MAIN

from xomyen.recording.disk import LocalDisk, Room
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.recorder import Recorder
from xomyen.terms.buffers import BufferPool, Bytes
from xomyen.terms.time import NS_PER_SECOND, ManualClock

S = NS_PER_SECOND
BEGIN = time.time_ns()


class FaultyDisk(LocalDisk):
    """The local disk with a handle on each fault."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[int, str] = {}
        self.stalled = ""  # folder whose writes wait
        self.go_on = threading.Event()
        self.room_left: int | None = None  # bytes until the disk is full
        self.sync_fails = False
        self.lost_file = ""  # part of the path of a file whose next bytes are lost: a sync of the volume says so once
        self._lost = False
        self._telling = threading.Lock()
        self.lost_folder = False
        self.bad_file = ""  # part of the path of files that take no more bytes

    def create(self, path: str) -> int:
        descriptor = super().create(path)
        self.paths[descriptor] = path
        return descriptor

    def open(self, path: str) -> int:
        descriptor = super().open(path)
        self.paths[descriptor] = path
        return descriptor

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        if self.stalled and self.paths.get(descriptor, "").startswith(self.stalled):
            assert self.go_on.wait(60)
        if self.lost_file and self.lost_file in self.paths.get(descriptor, ""):
            with self._telling:
                self.sync_fails |= not self._lost
        if self.bad_file and self.bad_file in self.paths.get(descriptor, ""):
            raise OSError(errno.EIO, "Input/output error")
        if self.room_left is None:
            return os.writev(descriptor, parts)
        data = b"".join(parts)[: self.room_left]
        if not data:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room_left -= len(data)
        return os.write(descriptor, data)

    def room(self, path: str) -> Room:
        found = super().room(path)
        return found if self.room_left is None else found._replace(free=self.room_left)

    def sync_volume(self, descriptor: int) -> None:
        super().sync_volume(descriptor)
        if self.sync_fails or self.lost_folder:
            self.sync_fails = False
            raise OSError(errno.EIO, "Input/output error")

    def sync_file(self, descriptor: int) -> None:
        if self.lost_file and self.lost_file in self.paths.get(descriptor, ""):
            with self._telling:
                self._lost, self.sync_fails = True, False  # also when more came since the sync that failed
            raise OSError(errno.EIO, "Input/output error")
        super().sync_file(descriptor)

    def sync_folder(self, path: str) -> None:
        if self.lost_folder:
            raise OSError(errno.EIO, "Input/output error")
        super().sync_folder(path)


def feeders(recorder: Recorder, pool: BufferPool | None = None, apart: bool = False) -> list[Feeder]:
    volumes = [volume.id for volume in sorted(recorder.statistics.volumes, key=lambda volume: volume.path)]
    made = []
    for number, camera in enumerate((CAMERA, OTHER)):
        policy = StreamPolicy(volume=volumes[number]) if apart else StreamPolicy()
        made.append(Feeder(recorder.sink(camera, MAIN, policy), footage(gop=25), pool=pool))
        made[-1].open()
    return made


async def play(both: list[Feeder], batches: int, clock: ManualClock | None = None) -> None:
    for _ in range(batches):
        if clock is not None:
            clock.advance(S // 5)
        for feeder in both:
            if feeder.pool is not None:
                assert feeder.pool.out < feeder.pool.limit, "the pool never runs dry"
            feeder.feed(5, BEGIN + feeder.number * S // 25)
        await asyncio.sleep(0.001)

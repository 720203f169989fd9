"""The recorder with everything on (seal, index, fsync), alone in a process, for measuring.

``python -m bench.recorder COUNT PORT SECONDS FOLDER [--stall AT FOR]``; with `--stall` there are two disks, odd cameras
on the first and even ones on the second, and every call to the second one blocks for that while.
Prints JSON when all cameras deliver, when measuring begins and ends, and when all is written.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from bench.measure import pss_bytes
from xomyen.camera.ingest import Ingest
from xomyen.camera.rtsp_source import RtspSource
from xomyen.proof.keys import SigningKey
from xomyen.recording.disk import LocalDisk
from xomyen.recording.policy import RecorderSettings, StreamPolicy, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.terms.buffers import Bytes
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.words import StreamName


class StallingDisk(LocalDisk):
    """A local disk of which one folder can be made to hang."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self._there: set[int] = set()
        self._go = threading.Event()
        self._go.set()

    def hang(self, hanging: bool) -> None:
        """Every call to the folder's files waits until it is told not to hang."""
        if hanging:
            self._go.clear()
        else:
            self._go.set()

    def create(self, path: str) -> int:
        if path.startswith(self._folder):
            self._go.wait()
        descriptor = super().create(path)
        (self._there.add if path.startswith(self._folder) else self._there.discard)(descriptor)
        return descriptor

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        if descriptor in self._there:
            self._go.wait()
        return os.writev(descriptor, parts)

    def sync_file(self, descriptor: int) -> None:
        if descriptor in self._there:
            self._go.wait()
        super().sync_file(descriptor)

    def open_volume(self, path: str) -> int:
        descriptor = super().open_volume(path)
        (self._there.add if path.startswith(self._folder) else self._there.discard)(descriptor)
        return descriptor

    def sync_volume(self, descriptor: int) -> None:
        if descriptor in self._there:
            self._go.wait()
        super().sync_volume(descriptor)

    def sync_folder(self, path: str) -> None:
        if path.startswith(self._folder):
            self._go.wait()
        super().sync_folder(path)


def say(**values: object) -> None:
    print(json.dumps(values), flush=True)


def memory() -> int:
    return pss_bytes(os.getpid())


async def run(count: int, port: int, seconds: float, root: Path, stall: tuple[float, float] | None) -> None:
    """Records the cameras of the simulator at `port`."""
    folder = NodeFolder(root)
    paths = [str(root / "disk-1"), str(root / "disk-2")] if stall else [str(folder.default_volume)]
    for path in paths:
        os.makedirs(path, exist_ok=True)
    disk = StallingDisk(paths[-1])
    settings = RecorderSettings(volumes=tuple(VolumeSettings(path, 0) for path in paths))
    key = SigningKey.load_or_create(folder.signing_key)
    ids = [new_id() for _ in range(count)]
    async with AsyncExitStack() as stack:
        recorder = await stack.enter_async_context(Recorder(folder, new_id(), key, settings=settings, disk=disk))
        volumes = {json.loads((Path(p) / "xomyen-volume.json").read_text())["volume"]: p for p in paths}
        order = sorted(volumes, key=lambda v: volumes[v])
        ingest = await stack.enter_async_context(Ingest())
        sources = []
        for number, camera in enumerate(ids):
            policy = StreamPolicy(volume=order[number % len(order)])
            sink = recorder.sink(camera, StreamName.MAIN, policy)
            source = RtspSource(f"rtsp://127.0.0.1:{port}/{number + 1}", None, None, sink, ingest)
            sources.append(await source.__aenter__())
            await asyncio.sleep(0.01)
        while any(s.frames < 50 for s in recorder.statistics.streams):
            await asyncio.sleep(0.25)
        say(ready=True, cameras=ids)
        await asyncio.sleep(8)  # the first seconds of a run are read on readiness
        begin, cpu, most = time.monotonic(), time.process_time(), memory()
        stalled = False
        while (spent := time.monotonic() - begin) < seconds:
            if stall and not stalled and spent >= stall[0]:
                stalled = True
                disk.hang(True)
                asyncio.get_running_loop().call_later(stall[1], disk.hang, False)
            await asyncio.sleep(0.5)
            if stall:
                most = max(most, memory())
        streams = recorder.statistics.streams
        say(
            cpu_s=time.process_time() - cpu,
            wall_s=time.monotonic() - begin,
            pss_bytes=memory(),
            most_pss_bytes=max(most, memory()),
            lost_packets=sum(s.lost_packets for s in streams) + sum(s.lost_packets for s in sources),
            dropped_frames=sum(s.dropped_frames for s in streams),
            sessions=sum(s.sessions for s in sources),
        )
        # All at once, as the node does: each waits half a second for its camera to hang up.
        await asyncio.gather(*(source.__aexit__(None, None, None) for source in sources))
    say(written=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    hang = (float(words[5]), float(words[6])) if "--stall" in words else None
    uvloop.run(run(int(words[0]), int(words[1]), float(words[2]), Path(words[3]), hang))

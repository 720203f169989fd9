"""A recorder on a small file system of its own that really fills up: `python -m tests.faults.full_disk_process ROOT`.

ROOT/small is the volume: with `--mount` a tmpfs is mounted there (in a mount namespace of this process's own),
without, it lies on a small file system already, which is filled but for little. Prints what it saw as JSON.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from tests.footage import CAMERA, Feeder, footage
from tests.recorders import MAIN, checked, frames_by_ffprobe, gaps, make_recorder, segments, until

from xomyen.terms.time import NS_PER_SECOND

ROOM = 1 << 20  # bytes left for footage


def leave_room(ballast: Path) -> None:
    """Fills the file system but for a little room."""
    found = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, found.f_bavail * found.f_frsize - ROOM)


async def record(root: Path, volume: Path) -> dict[str, object]:
    alarms: list[str] = []
    begin_ns = time.time_ns()

    async def play(feeder: Feeder, batches: int) -> None:
        for _ in range(batches):
            feeder.feed(5, begin_ns + feeder.number * NS_PER_SECOND // 25)
            await asyncio.sleep(0)

    async with make_recorder(root, volume, on_alarm=lambda code, text: alarms.append(text)) as recorder:
        leave_room(volume / "ballast")
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        while not recorder.statistics.volumes[0].paused:
            await play(feeder, 5)
        why = recorder.statistics.volumes[0].paused
        await play(feeder, 5)
        # Else what still waits takes the room that is made.
        await until(lambda: not recorder.statistics.volumes[0].queued_bytes)
        (volume / "ballast").unlink()
        await until(lambda: not recorder.statistics.volumes[0].paused)
        written = recorder.statistics.volumes[0].written_frames
        await play(feeder, 30)
        await until(lambda: recorder.statistics.volumes[0].written_frames > written)
    rows = segments(root)
    return {
        "why": why,
        "alarms": alarms,
        "states": sorted({row.state for row in rows}),
        "frames": sum(row.frames for row in rows),
        "decoded": sum(frames_by_ffprobe(row.path) for row in rows),
        "fed": feeder.number,
        "gaps": sorted({gap.reason for gap in gaps(root)}),
        "unfinished": sum(gap.end_ns is None for gap in gaps(root)),
        "findings": [finding.text for finding in checked(root).findings],
    }


def main() -> None:
    root = Path(sys.argv[1])
    volume = root / "small"
    if "--mount" in sys.argv:
        assert os.system(f"mount -t tmpfs -o size=4m none '{volume}'") == 0
    said = os.dup(1)
    os.dup2(2, 1)  # its log is not the answer
    answer = asyncio.run(record(root, volume))
    os.write(said, json.dumps(answer).encode())


if __name__ == "__main__":
    main()

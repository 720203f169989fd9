"""A recorder in a process of its own, to be killed: `python -m tests.faults.recorder_process FOLDER`.

Each line on its input starts a recorder (forked, so that nothing is imported again); its process id is the answer.
The recorder counts the pictures it was fed in FOLDER/fed, which outlives it.
"""

import asyncio
import mmap
import os
import struct
import sys
import time
from pathlib import Path

from tests.footage import CAMERA, NODE, OTHER, Feeder, footage

from xomyen.proof.keys import SigningKey
from xomyen.recording.policy import RecorderSettings, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.terms.folder import NodeFolder
from xomyen.terms.words import StreamName

COUNTS = struct.Struct("=QQQ")  # started, pictures of the first camera, of the second


async def record(root: Path, counts: mmap.mmap) -> None:
    """Until somebody kills the process."""
    folder = NodeFolder(root)
    key = SigningKey.load_or_create(folder.signing_key)
    settings = RecorderSettings(
        volumes=(VolumeSettings(str(folder.default_volume), 0),),
        segment_seconds=0.5,
        checkpoint_seconds=0.6,
        sync_seconds=0.2,
    )
    async with Recorder(folder, NODE, key, settings=settings) as recorder:
        feeders = [
            Feeder(recorder.sink(CAMERA, StreamName.MAIN), footage(gop=10)),
            Feeder(recorder.sink(OTHER, StreamName.MAIN), footage(b_frames=2, gop=25)),
        ]
        for feeder in feeders:
            feeder.open()
        while True:
            for feeder in feeders:
                feeder.feed(4, time.time_ns())
            COUNTS.pack_into(counts, 0, 1, feeders[0].number, feeders[1].number)
            await asyncio.sleep(0.04)


def main() -> None:
    root = Path(sys.argv[1])
    footage(gop=10)
    footage(b_frames=2, gop=25)
    with (root / "fed").open("r+b") as file:
        counts = mmap.mmap(file.fileno(), COUNTS.size)
    for _ in sys.stdin:
        COUNTS.pack_into(counts, 0, 0, 0, 0)
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)  # its log is not the answer
            asyncio.run(record(root, counts))
            os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(status, flush=True)


if __name__ == "__main__":
    main()

"""Footage for measuring, made faster than it happens: a simulated camera's loop fed straight into the recorder."""

import asyncio
from pathlib import Path

from xomyen.camera.codec_config import codec_config
from xomyen.camera.simulator import Picturing, demo_clip
from xomyen.camera.simulator.encoding import loops
from xomyen.camera.simulator.server import default_cache
from xomyen.camera.source import Batch
from xomyen.proof.keys import SigningKey
from xomyen.recording.policy import RecorderSettings, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import StreamName

_BATCH = 25
_TICKS = 3600
START_NS = 1_763_700_000 * NS_PER_SECOND


async def recorded(root: Path, seconds: int) -> tuple[NodeFolder, str]:
    """A node's folder with so many seconds of one camera, 1080p25 at 4 Mbit/s; and the camera's id."""
    # B-frames or not, the display is burnt in here: nobody writes it while sending.
    p = Picturing(b_frames=1)
    loop = (await asyncio.to_thread(loops, [demo_clip()], p, [0], default_cache()))[0]
    config = codec_config(p.codec, loop.parameter_sets)
    units = [b"".join(len(n).to_bytes(4, "big") + n for n in unit) for unit in loop.units]
    folder, camera, clock = NodeFolder(root), new_id(), ManualClock(START_NS)
    key = SigningKey.load_or_create(folder.signing_key)
    settings = RecorderSettings(volumes=(VolumeSettings(str(folder.default_volume), 0),))
    async with Recorder(folder, new_id(), key, settings=settings, clock=clock, synchronised=lambda: True) as recorder:
        sink = recorder.sink(camera, StreamName.MAIN)
        sink.opened(config)
        for first in range(0, seconds * p.fps, _BATCH):
            batch = Batch()
            clock.advance(NS_PER_SECOND * _BATCH // p.fps)
            batch.arrived_ns = clock.wall_ns()
            for number in range(first, first + _BATCH):
                cycle, index = divmod(number, p.count)
                batch.parts.append(units[index])
                batch.sizes.append(len(units[index]))
                batch.keys.append(loop.keys[index])
                batch.dts_ticks.append(number * _TICKS)
                batch.pts_ticks.append((cycle * p.count + loop.pts[index] + p.b_frames) * _TICKS)
            sink.write(batch)
            await asyncio.sleep(0.005)  # the disk keeps up: nothing is dropped
        if sink.dropped_frames:
            raise RuntimeError(f"the disk is too slow for this: {sink.dropped_frames} pictures dropped")
    return folder, camera

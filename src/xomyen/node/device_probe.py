"""Looks at a stream before it is saved: what it sends, and a still of its first keyframe."""

import asyncio
import base64

from xomyen.bus.device_messages import ProbeWanted, StreamSeen
from xomyen.camera.address import Credentials
from xomyen.camera.probe import probe
from xomyen.camera.source import CodecConfig
from xomyen.node.device_decoder import ProbeDecoder
from xomyen.node.device_guard import Guard
from xomyen.node.device_jobs import Job
from xomyen.playback.errors import Busy, NotDecodable
from xomyen.playback.keyframe import keyframe_picture
from xomyen.playback.pool import DecoderPool

_LARGEST_UNIT = 8 << 20
_LARGEST_STILL = 500_000  # bytes; a message of the bus takes 1 MiB
_STILL_S = 10.0


async def probe_stream(job: Job, wanted: ProbeWanted, credentials: Credentials | None, decoder: ProbeDecoder) -> None:
    """Raises the CameraFault that says what is wrong.

    The picture is decoded in a process of its own: libav may crash on what a camera sends. It is decoded only once it
    is known where it comes from, and that no guarded camera stands there.
    """
    job.step = "connecting"
    job.total = round(wanted.seconds * 1000)
    keyframe: asyncio.Future[tuple[CodecConfig, bytes, str]] = asyncio.get_running_loop().create_future()

    def shown(config: CodecConfig, unit: bytes, reached: str) -> None:
        job.reached = reached
        if not keyframe.done() and len(unit) <= _LARGEST_UNIT:
            keyframe.set_result((config, unit, reached))

    def measured(seconds: float) -> None:
        job.step = "measuring"
        job.done = min(job.total, round(seconds * 1000))

    async def take_still(pool: DecoderPool) -> None:
        config, unit, reached = await keyframe
        if await guard.hides(reached):
            return
        job.withheld = False
        try:
            jpeg = await pool.run(keyframe_picture, config.sample_entry, unit, wanted.still_width)
        except (NotDecodable, Busy):
            return  # what the stream is like is still worth knowing
        if len(jpeg) <= _LARGEST_STILL:
            job.still = base64.b64encode(jpeg).decode()

    async with decoder.used() as pool, Guard(wanted.guarded, wanted.guarded_elsewhere) as guard:
        still = asyncio.create_task(take_still(pool) if wanted.still else asyncio.sleep(0), name="still")
        try:
            result = await probe(
                wanted.url,
                credentials.user if credentials is not None else None,
                credentials.password if credentials is not None else None,
                measure_s=wanted.seconds,
                keyframe_s=wanted.keyframe_s,
                on_keyframe=shown,
                on_measured=measured,
            )
            job.seen = StreamSeen.model_validate(result.as_dict())
            job.done = job.total
            if keyframe.done():
                await asyncio.wait({still}, timeout=_STILL_S)
        finally:
            still.cancel()
            await asyncio.gather(still, return_exceptions=True)

"""Looks at a stream before it is saved: what it sends, and stills of its keyframes."""

import asyncio
import base64

from xomyen.bus.device_messages import ProbeWanted, StreamSeen
from xomyen.camera.address import Credentials
from xomyen.camera.probe import ProbeResult, probe
from xomyen.camera.source import CodecConfig
from xomyen.node.device_decoder import ProbeDecoder
from xomyen.node.device_guard import Guard
from xomyen.node.device_jobs import Job
from xomyen.playback.errors import Busy, NotDecodable
from xomyen.playback.keyframe import keyframe_picture
from xomyen.playback.pool import DecoderPool
from xomyen.terms.tasks import end_task

_LARGEST_UNIT = 8 << 20
_LARGEST_STILL = 500_000  # bytes; a message of the bus takes 1 MiB
_STILL_S = 10.0
_LEAST_S = 0.5  # from one still to the next


async def probe_stream(job: Job, wanted: ProbeWanted, credentials: Credentials | None, decoder: ProbeDecoder) -> None:
    """Raises the CameraFault that says what is wrong.

    Pictures are decoded in a process of their own: libav may crash on what a camera sends. One is decoded only once it
    is known where it comes from, and that no guarded camera stands there; of several that wait the newest.
    """
    job.step = "connecting"
    job.total = round(wanted.seconds * 1000)
    newest: tuple[CodecConfig, bytes, str] | None = None
    came, taken = asyncio.Event(), asyncio.Event()  # a keyframe; all that came were looked at
    taken.set()

    def shown(config: CodecConfig, unit: bytes, reached: str) -> None:
        nonlocal newest
        job.reached = reached
        if len(unit) <= _LARGEST_UNIT:
            newest = (config, unit, reached)
            came.set()
            taken.clear()

    def measured(seconds: float) -> None:
        job.step = "measuring"
        job.done = min(job.total, round(seconds * 1000))

    def seen(result: ProbeResult) -> None:
        job.seen = StreamSeen.model_validate(result.as_dict())
        job.step = "showing"

    async def take_still(pool: DecoderPool, config: CodecConfig, unit: bytes, reached: str) -> None:
        job.withheld = await guard.hides(reached)
        if job.withheld:
            job.still = ""
            return
        try:
            jpeg = await pool.run(keyframe_picture, config.sample_entry, unit, wanted.still_width)
        except (NotDecodable, Busy):
            return  # what the stream is like is still worth knowing
        if len(jpeg) <= _LARGEST_STILL:
            job.still = base64.b64encode(jpeg).decode()

    async def take_stills(pool: DecoderPool) -> None:
        while True:
            await came.wait()
            came.clear()
            if newest is not None:
                await take_still(pool, *newest)
            if not came.is_set():
                taken.set()
            await asyncio.sleep(_LEAST_S)

    async with decoder.used() as pool, Guard(wanted.guarded, wanted.guarded_elsewhere) as guard:
        stills = asyncio.create_task(take_stills(pool), name="stills") if wanted.still else None
        try:
            await probe(
                wanted.url,
                credentials.user if credentials is not None else None,
                credentials.password if credentials is not None else None,
                measure_s=wanted.seconds,
                keyframe_s=wanted.keyframe_s,
                on_keyframe=shown,
                on_measured=measured,
                on_result=seen,
                watch_s=wanted.watch_s if wanted.still else 0.0,
                watching=lambda: not (taken.is_set() and job.withheld),
            )
            job.done = job.total
            if stills is not None:
                await _within(_STILL_S, stills, taken)
        finally:
            await end_task(stills)


async def _within(seconds: float, work: asyncio.Task[None], done: asyncio.Event) -> None:
    """Waits for the event, no longer than for the work that sets it. Raises what the work raised."""
    waiting = asyncio.create_task(done.wait(), name="still taken")
    try:
        await asyncio.wait({work, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
    finally:
        await end_task(waiting)

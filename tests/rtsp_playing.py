"""A source that plays a test's camera, and ways for the camera to answer."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.rtsp_camera import RtspCamera
from tests.stream_sinks import RememberingSink

from xomyen.camera.errors import CameraFault
from xomyen.camera.ingest import Ingest
from xomyen.camera.rtsp_message import format_response
from xomyen.camera.rtsp_source import RtspSource

DIGEST = 'Digest realm="cam", nonce="{}"'


@asynccontextmanager
async def playing(
    url: str, user: str | None = None, password: str | None = None, **more: str
) -> AsyncIterator[tuple[RtspSource, RememberingSink]]:
    sink = RememberingSink()
    async with Ingest() as ingest:
        async with RtspSource(url, user, password, sink, ingest, jitter=lambda: 0.0, **more) as source:
            yield source, sink
        assert ingest.pool.out == 0


def with_pictures(count: int) -> Callable[[RememberingSink], bool]:
    return lambda sink: len(sink.units) >= count


def status(code: int, reason: str = "No", **fields: str) -> Callable[..., bytes]:
    return lambda camera, request: format_response(code, reason, request.sequence, fields.items())


def once(answer: Callable[..., bytes]) -> Callable[..., bytes | None]:
    """The answer to the first such request only."""
    given: list[bool] = []

    def answered(camera: RtspCamera, request: object) -> bytes | None:
        if given:
            return None
        given.append(True)
        return answer(camera, request)

    return answered


async def fault_of(url: str, user: str | None = None, password: str | None = None) -> CameraFault:
    async with playing(url, user, password) as (source, sink):
        await sink.until(lambda sink: bool(sink.ends))
        assert source.fault is not None
        assert sink.ends[0] == (source.fault.gap, source.fault.message)
        return source.fault

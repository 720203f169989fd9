"""Packets lost between GStreamer's RTSP server and a node are counted, for the camera that lost them."""

import contextlib
from collections.abc import Iterator

import pytest
from tests.collecting_sink import CollectingSink
from tests.interop.gstreamer import Servers, gstreamer_servers
from tests.lossy_relay import LossyRelay

from xomyen.camera.libav import LibavPool, LibavSource

PICTURES = 75  # of the 125 that come: by then every loss was noticed


@pytest.fixture(scope="module")
def gstreamer() -> Iterator[Servers]:
    with gstreamer_servers() as (servers, _):
        yield servers


async def test_lost_packets_count_for_the_camera_that_lost_them(gstreamer: Servers) -> None:
    losing = frozenset({30, 31, 32, 41, 50, 52})
    cameras = [(path, lost) for path in ("/h264-slices", "/h265") for lost in (losing, frozenset[int]())]
    sinks = [CollectingSink() for _ in cameras]
    pool = LibavPool()
    async with contextlib.AsyncExitStack() as stack:
        relays = [await stack.enter_async_context(LossyRelay(gstreamer.open, lost)) for _, lost in cameras]
        for (path, _), relay, sink in zip(cameras, relays, sinks, strict=True):
            address = f"rtsp+udp://{relay.address}{path}"
            await stack.enter_async_context(LibavSource(address, None, None, sink, pool))
        for sink in sinks:
            await sink.until(lambda s: len(s.units) >= PICTURES)
        assert len(pool.process_ids) == 1
    expected = [len(lost) for _, lost in cameras]
    assert [relay.lost for relay in relays] == expected
    assert all(relay.passed > max(losing) for relay in relays)
    assert [sink.lost_packets for sink in sinks] == expected
    assert [sink.closings for sink in sinks] == [[]] * len(cameras)

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


@pytest.mark.parametrize("path", ["/h264-slices", "/h265"])
async def test_lost_packets_count_for_the_camera_that_lost_them(gstreamer: Servers, path: str) -> None:
    losing = frozenset({30, 31, 32, 41, 50, 52})
    pool = LibavPool()
    async with contextlib.AsyncExitStack() as stack:
        relays = [
            await stack.enter_async_context(LossyRelay(gstreamer.open, lost)) for lost in (losing, frozenset[int]())
        ]
        sinks = [CollectingSink() for _ in relays]
        for relay, sink in zip(relays, sinks, strict=True):
            address = f"rtsp+udp://{relay.address}{path}"
            await stack.enter_async_context(LibavSource(address, None, None, sink, pool))
        for sink in sinks:
            await sink.until(lambda s: len(s.units) >= PICTURES)
        assert len(pool.process_ids) == 1
    assert [relay.lost for relay in relays] == [len(losing), 0]
    assert relays[1].passed > max(losing)
    assert [sink.lost_packets for sink in sinks] == [len(losing), 0]
    assert [sink.closings for sink in sinks] == [[], []]

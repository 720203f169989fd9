"""The devices' part of a running node: it probes as a centre asks, and its end disturbs nobody."""

import asyncio
from itertools import pairwise

import psutil
import pytest
from tests.running_node import RunningNode
from tests.waiting import until

from xomyen.bus.connection import connected
from xomyen.bus.device_messages import DiscoverWanted, JobState
from xomyen.bus.devices import Devices
from xomyen.node.home import read_identity
from xomyen.terms.errors import InvalidConfiguration, NotRunning
from xomyen.terms.folder import NodeFolder

pytestmark = pytest.mark.timeout(300)


async def _probed(node: RunningNode, url: str) -> JobState:
    """What a probe ends with; begun again while the part is not there."""
    folder = NodeFolder(node.folder)
    async with connected(folder, "test") as client:
        devices = Devices(client, read_identity(folder))

        async def begun() -> JobState | None:
            try:
                return await devices.probe(url, seconds=1)
            except NotRunning:
                return None

        job = await until(begun)
        assert job is not None

        async def ended() -> JobState | None:
            state = await devices.job(job.job)
            return state if state.phase != "running" else None

        state = await until(ended)
        assert state is not None
        # This machine itself is not among the networks that may be searched unless the node's owner says so.
        with pytest.raises(InvalidConfiguration):
            await devices.discover(DiscoverWanted(addresses=("127.0.0.1",)))
        return state


def test_a_killed_devices_part_comes_back_and_recording_goes_on(recording: RunningNode, cameras: int) -> None:
    url = f"rtsp://127.0.0.1:{cameras}/2"
    assert asyncio.run(_probed(recording, url)).phase == "done"
    others = [recording.part(name).pid for name in ("bus", "recorder", "gateway")]
    before = recording.wait_for_frames("Cổng chợ", 25)
    devices = recording.part("devices")
    devices.kill()
    psutil.wait_procs([devices], timeout=60)
    state = asyncio.run(_probed(recording, url))
    assert state.phase == "done"
    assert state.still
    assert [recording.part(name).pid for name in ("bus", "recorder", "gateway")] == others
    assert recording.wait_for_frames("Cổng chợ", before + 25) > before
    segments = recording.segments("Cổng chợ")
    assert all(one["to"] == after["from"] for one, after in pairwise(segments)), "the recorder was not disturbed"
    recording.well()

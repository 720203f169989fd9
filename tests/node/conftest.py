"""Simulated cameras that the tests of a running node share."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running_node import RunningNode, running_node, simulated_cameras
from tests.waiting import wait_until

from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected
from xomyen.bus.messages import CameraConfig, StreamConfig
from xomyen.camera.simulator import demo_clip
from xomyen.node.home import read_identity
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where encoded loops of pictures are kept, so that they are encoded once."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="session")
def cameras(pictures: Path) -> Iterator[int]:
    """The port of two simulated cameras."""
    with simulated_cameras(demo_clip(), pictures) as port:
        yield port


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[RunningNode]:
    """A node without cameras."""
    with running_node(tmp_path / "node") as node:
        yield node


async def _add(node: RunningNode, *cameras: CameraConfig) -> None:
    """Adds cameras as the command does, without starting one for each."""
    folder = NodeFolder(node.folder)
    async with connected(folder, "test") as client:
        configuration = Configuration(client, read_identity(folder))
        for camera in cameras:
            await configuration.put(camera, 0)


@pytest.fixture
def recording(serving: RunningNode, cameras: int) -> RunningNode:
    """A node that records two cameras, called Cổng chợ and Ngã ba."""
    url = f"rtsp://127.0.0.1:{cameras}"
    market = CameraConfig(
        id=new_id(),
        name="Cổng chợ",
        main=StreamConfig(url=f"{url}/1"),
        sub=StreamConfig(url=f"{url}/1/sub", record=False),
        order=1,
    )
    crossing = CameraConfig(id=new_id(), name="Ngã ba", main=StreamConfig(url=f"{url}/2"), order=2)
    asyncio.run(_add(serving, market, crossing))
    for name in ("Cổng chợ", "Ngã ba"):
        wait_until(lambda name=name: serving.state(name) == "recording")
    return serving

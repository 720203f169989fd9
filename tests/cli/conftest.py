"""A node that records one simulated camera, shared by the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running_node import RunningNode, running_node, simulated_cameras

from xomyen.camera.simulator import demo_clip


@pytest.fixture(scope="session")
def camera_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with simulated_cameras(demo_clip(), tmp_path_factory.mktemp("pictures"), count=1) as port:
        yield port


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, camera_port: int) -> Iterator[RunningNode]:
    """A node with a few seconds of the camera Cổng chợ."""
    folder: Path = tmp_path_factory.mktemp("nodes") / "node"
    with running_node(folder) as node:
        url = f"rtsp://127.0.0.1:{camera_port}/1"
        node.run("camera", "add", "Cổng chợ", url, "--sub", f"{url}/sub", "--site", "Chợ Khê")
        node.wait_for("Cổng chợ", "recording")
        node.wait_for_frames("Cổng chợ", 150)
        yield node

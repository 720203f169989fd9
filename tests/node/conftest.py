"""Simulated cameras that the tests of a running node share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running_node import RunningNode, running_node, simulated_cameras

from xomyen.camera.simulator import demo_clip


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


@pytest.fixture
def recording(serving: RunningNode, cameras: int) -> RunningNode:
    """A node that records two cameras, called Cổng chợ and Ngã ba."""
    url = f"rtsp://127.0.0.1:{cameras}"
    serving.run("camera", "add", "Cổng chợ", f"{url}/1", "--sub", f"{url}/1/sub")
    serving.run("camera", "add", "Ngã ba", f"{url}/2")
    for name in ("Cổng chợ", "Ngã ba"):
        serving.wait_for(name, "recording")
    return serving

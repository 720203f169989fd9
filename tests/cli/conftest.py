"""A node that records one simulated camera, shared by the tests of the command line."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import command_line
from tests.running_node import RunningNode, running_node, simulated_cameras

from xomyen.camera.simulator import demo_clip


class Beside(RunningNode):
    """Its commands are carried out in the test's own process, but where an event loop runs already."""

    def run(self, *arguments: str | Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return command_line.xomyen(*arguments, "--dir", self.folder, code=code)
        return super().run(*arguments, code=code)


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
        yield Beside(node.folder, node.process, node.log, node.link, node.ended)

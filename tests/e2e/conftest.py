"""A node with simulated cameras, and a browser to look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browser import chromium, open_context, sign_in
from tests.running_node import RunningNode, running_node, simulated_cameras

from xomyen.camera.simulator import demo_clip

MARKET, JUNCTION, GATE = "Cổng chợ", "Ngã ba", "Cổng trường"


@dataclass(frozen=True)
class Commune:
    """A node with two H.264 cameras that have sub-streams."""

    node: RunningNode
    port: int
    pictures: Path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where encoded loops of pictures are kept."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def commune(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Commune]:
    """Records from two simulated cameras."""
    folder = tmp_path_factory.mktemp("commune") / "node"
    with simulated_cameras(demo_clip(), pictures) as port, running_node(folder) as node:
        for number, name in enumerate((MARKET, JUNCTION), 1):
            url = f"rtsp://127.0.0.1:{port}/{number}"
            node.run("camera", "add", name, url, "--sub", f"{url}/sub", "--site", "Chợ Khê", "--order", str(number))
        for name in (MARKET, JUNCTION):
            node.wait_for(name, "recording")
        yield Commune(node, port, pictures)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = open_context(browser)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, commune: Commune) -> Page:
    """The wall, signed in."""
    opened = context.new_page()
    sign_in(opened, commune.node)
    return opened

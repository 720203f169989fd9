"""Nodes with simulated cameras or with footage of any time, and a browser to look at them.

They are shared by all tests of this folder: to begin costs more than to look. What a test breaks it makes whole again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState
from tests.browser import chromium, open_context, sign_in, utc
from tests.recorded_node import RecordedNode, recorded_node
from tests.running_node import RunningNode, running_node, simulated_cameras
from tests.waiting import wait_until

from xomyen.camera.simulator import demo_clip
from xomyen.node.gateway.context import session_cookie

_COOKIE = session_cookie(secure=False)
MARKET, JUNCTION, GATE = "Cổng chợ", "Ngã ba", "Cổng trường"
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Commune:
    """A node with two H.264 cameras that have sub-streams, and a session of somebody who may see all."""

    node: RunningNode
    url: str
    ids: dict[str, str]
    session: StorageState

    def player(self, camera: str, at_ns: int | None = None) -> str:
        """The address of the player."""
        at = "" if at_ns is None else f"?at={utc(at_ns / 1e6)}"
        return f"{self.url}/camera/{self.ids[camera]}{at}"

    def timeline(self, camera: str) -> dict[str, Any]:
        """What the node lists of the last ten minutes."""
        cookies = {_COOKIE: next(cookie["value"] for cookie in self.session["cookies"] if cookie["name"] == _COOKIE)}
        query = {"from": "-10m", "to": "now"}
        found: dict[str, Any] = httpx.get(
            f"{self.url}/api/v1/cameras/{self.ids[camera]}/timeline", params=query, cookies=cookies, timeout=60
        ).json()
        return found

    def recorded(self, camera: str, seconds: float) -> int:
        """Waits until so much is recorded; the end of it on a whole second, ns.

        Counted from what is recorded, not from now: a loaded machine may be some seconds behind.
        """

        def end() -> int | None:
            spans = self.timeline(camera).get("spans")
            if not spans:
                return None
            begin, end = (datetime.fromisoformat(spans[-1][key]).timestamp() for key in ("from", "to"))
            return int(end) * SECOND_NS if end - begin > seconds else None

        found = wait_until(end, seconds=100, every=0.3)
        assert found is not None
        return found


@pytest.fixture(scope="package")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where encoded loops of pictures are kept."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def commune(tmp_path_factory: pytest.TempPathFactory, pictures: Path, browser: Browser) -> Iterator[Commune]:
    """Records from two simulated cameras."""
    folder = tmp_path_factory.mktemp("commune") / "node"
    with simulated_cameras(demo_clip(), pictures) as port, running_node(folder) as node:
        for number, name in enumerate((MARKET, JUNCTION), 1):
            url = f"rtsp://127.0.0.1:{port}/{number}"
            node.run("camera", "add", name, url, "--sub", f"{url}/sub", "--site", "Chợ Khê", "--order", str(number))
        for name in (MARKET, JUNCTION):
            node.wait_for(name, "recording")
        ids = {camera["name"]: camera["id"] for camera in node.json("camera", "list")}
        context = open_context(browser)
        sign_in(context.new_page(), node)
        session = context.storage_state()
        context.close()
        yield Commune(node, node.url, ids, session)


@pytest.fixture
def context(browser: Browser, commune: Commune) -> Iterator[BrowserContext]:
    """A browser that is signed in to the commune."""
    opened = open_context(browser, storage_state=commune.session)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, commune: Commune) -> Page:
    """The wall."""
    opened = context.new_page()
    opened.goto(f"{commune.url}/live")
    opened.locator("xy-picture").first.wait_for()
    return opened


@pytest.fixture(scope="package")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedNode]:
    """A node whose footage is of any time."""
    with recorded_node(tmp_path_factory.mktemp("archive")) as node:
        yield node


@pytest.fixture
def reader(browser: Browser, archive: RecordedNode) -> Iterator[Page]:
    """A page of somebody who may see everything of the archive."""
    context = open_context(browser)
    archive.sign_in(context)
    yield context.new_page()
    context.close()

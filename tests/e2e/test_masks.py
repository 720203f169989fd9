"""Private zones in a browser: black on the wall and in the past for a masked ticket, and the page says so."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect
from tests.browser import advanced, counter, film, grab, open_context, picture_of
from tests.running_node import RunningNode, running_node, simulated_cameras
from tests.waiting import wait_until

from xomyen.access.tickets import Action, Grant, MaskRule, issue, ticket_for
from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected
from xomyen.camera.simulator import demo_clip
from xomyen.node.gateway.context import session_cookie
from xomyen.node.home import read_identity
from xomyen.playback.masks import Masks
from xomyen.proof.keys import SigningKey
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import SystemClock

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
_COOKIE = session_cookie(secure=False)

DOORS = "Dãy cửa nhà trọ"
MASK: Masks = (((5000, 5000), (10_000, 5000), (10_000, 10_000), (5000, 10_000)),)


@dataclass(frozen=True)
class Masked:
    """A node with one camera that has a mask, and the page of somebody who sees it masked."""

    node: RunningNode
    page: Page
    camera: str


def _token(folder: NodeFolder) -> str:
    issuer = SigningKey.load_or_create(folder.issuer_key)
    grant = Grant(subject="guard", actions=(Action.LIVE, Action.PAST, Action.CLIP), mask=MaskRule.REQUIRED)
    made = ticket_for(grant, node=read_identity(folder), issuer=issuer, clock=SystemClock(), lifetime_s=3600)
    return issue(issuer, made)


async def _draw(folder: NodeFolder) -> None:
    async with connected(folder, "test") as bus:
        configuration = Configuration(bus, read_identity(folder))
        record = await configuration.camera(DOORS)
        await configuration.put(record.config.model_copy(update={"masks": MASK}), record.revision)


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory, pictures: Path, browser: Browser) -> Iterator[Masked]:
    folder = tmp_path_factory.mktemp("masked") / "node"
    with simulated_cameras(demo_clip(), pictures, count=1) as port, running_node(folder) as node:
        node.run("camera", "add", DOORS, f"rtsp://127.0.0.1:{port}/1")
        node.wait_for(DOORS, "recording")
        with ThreadPoolExecutor(1) as threads:  # the browser has a loop of its own in this one
            threads.submit(asyncio.run, _draw(NodeFolder(folder))).result()
        (camera,) = node.json("camera", "list")
        context = open_context(browser)
        context.add_cookies([{"name": _COOKIE, "value": _token(NodeFolder(folder)), "url": node.url}])
        yield Masked(node, context.new_page(), camera["id"])
        context.close()


def _is_black_where_masked(picture: NDArray[np.uint8]) -> bool:
    height, width = picture.shape
    assert picture[: height // 2].max() > 100
    return bool(picture[height // 2 + 8 :, width // 2 + 8 :].max() <= 12)


def test_the_wall_shows_the_zone_black_and_says_so(masked: Masked) -> None:
    masked.page.goto(f"{masked.node.url}/live")
    picture = picture_of(masked.page, DOORS)
    advanced(picture.locator("video"))
    shown = grab(picture.locator("video"))
    assert shown is not None
    assert _is_black_where_masked(shown)
    expect(picture).to_contain_text("Đã che vùng riêng tư")


def test_the_past_shows_the_zone_black_and_says_so(masked: Masked) -> None:
    page = masked.page
    page.goto(f"{masked.node.url}/camera/{masked.camera}")
    page.locator("xy-timeline").wait_for()
    masked.node.wait_for_frames(DOORS, 25 * 9, seconds=90)
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: counter(film(page)) is not None, seconds=90)
    shown = grab(film(page))
    assert shown is not None
    assert _is_black_where_masked(shown)
    expect(page.locator("xy-stage .note")).to_contain_text("che đen")


def test_a_clip_of_it_can_be_taken_and_a_signed_package_cannot(masked: Masked) -> None:
    page = masked.page
    page.goto(f"{masked.node.url}/camera/{masked.camera}")
    page.locator("xy-timeline").wait_for()
    masked.node.wait_for_frames(DOORS, 25 * 9, seconds=90)
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: counter(film(page)) is not None, seconds=90)
    page.keyboard.press("i")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("o")
    panel = page.locator("xy-clip")
    expect(panel).to_contain_text("Vùng riêng tư trong video này được che đen")
    expect(panel.get_by_role("button", name="Tải hồ sơ có ký số")).to_be_disabled()
    with page.expect_download() as taken:
        panel.get_by_role("button", name="Tải đoạn trích xuất (MP4)").click()
    with av.open(str(taken.value.path())) as container:
        shown = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert shown
    assert all(_is_black_where_masked(picture) for picture in shown)

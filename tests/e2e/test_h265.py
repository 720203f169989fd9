"""Cameras whose coding the browser cannot play: what is shown instead, live and past, and that it is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import advanced, counter, film, open_context, picture_of, sign_in
from tests.running_node import RunningNode, running_node, simulated_cameras
from tests.waiting import wait_until

from xomyen.camera.simulator import demo_clip

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RECORDED, UNRECORDED, ALONE = "Có luồng phụ được ghi", "Có luồng phụ không ghi", "Không có luồng phụ"


@dataclass(frozen=True)
class Foreign:
    """A node with three H.265 cameras, and a page of somebody who is signed in."""

    node: RunningNode
    page: Page
    ids: dict[str, str]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, pictures: Path, browser: Browser) -> Iterator[Foreign]:
    folder = tmp_path_factory.mktemp("foreign") / "node"
    options = ("--codec", "h265", "--seconds", "2")
    with simulated_cameras(demo_clip(), pictures, *options, count=3) as port, running_node(folder) as node:
        for number, (name, record) in enumerate(
            ((RECORDED, "--record-sub"), (UNRECORDED, "--no-record-sub"), (ALONE, "")), 1
        ):
            url = f"rtsp://127.0.0.1:{port}/{number}"
            node.run("camera", "add", name, url, *(("--sub", f"{url}/sub", record) if record else ()))
        for name in (RECORDED, UNRECORDED, ALONE):
            node.wait_for(name, "recording")
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, node)
        yield Foreign(node, page, {camera["name"]: camera["id"] for camera in node.json("camera", "list")})
        context.close()


@pytest.mark.parametrize(
    ("camera", "note"), [(UNRECORDED, "Luồng phụ H.264"), (ALONE, "Đã chuyển mã")], ids=["sub-stream", "no sub-stream"]
)
def test_the_live_picture_says_what_it_is(foreign: Foreign, camera: str, note: str) -> None:
    foreign.page.goto(f"{foreign.node.url}/live")
    picture = picture_of(foreign.page, camera)
    advanced(picture.locator("video"))
    expect(picture).to_contain_text(note)


@pytest.mark.parametrize(
    ("camera", "note"),
    [(RECORDED, "luồng phụ H.264"), (UNRECORDED, "chuyển mã"), (ALONE, "chuyển mã")],
    ids=["recorded sub-stream", "sub-stream not recorded", "no sub-stream"],
)
def test_the_past_plays_and_says_how(foreign: Foreign, camera: str, note: str) -> None:
    page = foreign.page
    page.goto(f"{foreign.node.url}/camera/{foreign.ids[camera]}")
    page.locator("xy-timeline").wait_for()
    foreign.node.wait_for_frames(camera, 25 * 9, seconds=90)
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: counter(film(page)) is not None, seconds=90)
    expect(page.locator("xy-stage .note")).to_contain_text(note)
    # More than one group of pictures, so that the next one is fetched and joined on.
    begin = page_time(page)
    wait_until(lambda: page_time(page) > begin + 2.5, seconds=90)
    assert counter(film(page)) is not None
    expect(page.locator("xy-stage .over")).to_have_count(0)


def page_time(page: Page) -> float:
    """Where the film is on its own axis, seconds."""
    return float(film(page).evaluate("video => video.currentTime"))

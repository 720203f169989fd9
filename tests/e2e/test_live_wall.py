"""What people see on the wall is what the cameras see now, and the wall never says otherwise."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import advanced, new_link, open_context, picture_of, sign_in, state_of
from tests.e2e.conftest import JUNCTION, MARKET, Commune
from tests.running_node import RunningNode, running_node, simulated_cameras
from tests.waiting import wait_until

from xomyen.camera.simulator import demo_clip

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Fragile:
    """A node and its camera, each of which can be closed and opened again, and a wall that stays open."""

    node: RunningNode
    page: Page
    cameras: ExitStack
    serving: ExitStack
    port: int
    pictures: Path


def test_a_sign_in_link_works_once_and_leaves_no_code_in_the_address(commune: Commune, browser: Browser) -> None:
    link = new_link(commune.node)
    first, second = open_context(browser), open_context(browser)
    page = first.new_page()
    page.goto(link)
    page.wait_for_url("**/live")
    again = second.new_page()
    again.goto(link)
    expect(again.get_by_role("alert")).to_contain_text("đã được dùng hoặc đã hết hạn")
    assert "#" not in again.url
    first.close()
    second.close()


def test_pictures_of_all_cameras_advance_and_say_live(page: Page) -> None:
    for name in (MARKET, JUNCTION):
        picture = picture_of(page, name)
        advanced(picture.locator("video"), pictures=25)
        wait_until(lambda picture=picture: state_of(picture) == "live", seconds=60)
        expect(picture).to_contain_text("Trực tiếp")


def test_number_keys_choose_the_layout_and_arrows_the_picture(page: Page) -> None:
    page.keyboard.press("1")
    expect(page.locator("xy-picture")).to_have_count(1)
    page.keyboard.press("3")
    expect(page.locator("xy-picture")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".big xy-picture")).to_contain_text(JUNCTION)
    advanced(page.locator(".big video"))
    page.keyboard.press("Escape")
    expect(page.locator(".grid xy-picture")).to_have_count(2)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory, pictures: Path, browser: Browser) -> Iterator[Fragile]:
    folder = tmp_path_factory.mktemp("fragile") / "node"
    with ExitStack() as stack:
        cameras = stack.enter_context(ExitStack())
        port = cameras.enter_context(simulated_cameras(demo_clip(), pictures, count=1))
        serving = stack.enter_context(ExitStack())
        node = serving.enter_context(running_node(folder))
        node.run("camera", "add", MARKET, f"rtsp://127.0.0.1:{port}/1", "--sub", f"rtsp://127.0.0.1:{port}/1/sub")
        node.wait_for(MARKET, "recording")
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, node)
        page.evaluate("window.sameDocument = true")
        yield Fragile(node, page, cameras, serving, port, pictures)
        context.close()


def test_a_camera_that_goes_and_comes_back_needs_no_reload(fragile: Fragile) -> None:
    page, picture = fragile.page, picture_of(fragile.page, MARKET)
    before = advanced(picture.locator("video"))
    fragile.cameras.close()
    wait_until(lambda: state_of(picture) == "lost", seconds=60)
    expect(picture.locator(".over")).to_contain_text("Mất tín hiệu từ")
    # Why, and what to do about it; the machine's own words for whoever is told of it.
    expect(picture.locator(".advice")).to_contain_text("camera")
    page.get_by_role("button", name="EN – Chuyển sang tiếng Anh").click()
    expect(picture.locator(".over")).to_contain_text("Lost since")
    wait_until(lambda: picture.locator(".detail").text_content() == fragile.node.camera(MARKET)["detail"])
    page.get_by_role("button", name="VI – Switch to Vietnamese").click()
    fragile.cameras.enter_context(simulated_cameras(demo_clip(), fragile.pictures, count=1, port=fragile.port))
    wait_until(lambda: state_of(picture) == "live", seconds=90, every=0.3)
    assert advanced(picture.locator("video")) > before
    assert page.evaluate("window.sameDocument")


def test_a_node_that_restarts_needs_no_reload(fragile: Fragile) -> None:
    page, picture = fragile.page, picture_of(fragile.page, MARKET)
    wait_until(lambda: state_of(picture) == "live", seconds=90, every=0.3)
    before = advanced(picture.locator("video"))
    address = fragile.node.url.removeprefix("http://")
    fragile.serving.close()
    wait_until(lambda: state_of(picture) == "lost", seconds=60)
    expect(page.get_by_role("alert")).to_contain_text("Mất kết nối với đầu ghi")
    fragile.serving.enter_context(running_node(fragile.node.folder, "--listen", address))
    wait_until(lambda: state_of(picture) == "live", seconds=90, every=0.3)
    assert advanced(picture.locator("video")) > before
    assert page.evaluate("window.sameDocument")
    expect(page.get_by_role("alert")).to_have_count(0)

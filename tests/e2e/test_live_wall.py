"""What people see on the wall is what the cameras see now, and the wall never says otherwise."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import advanced, new_link, open_context, picture_of, sign_in, state_of
from tests.e2e.conftest import JUNCTION, MARKET, Commune
from tests.running_node import running_node, simulated_cameras
from tests.waiting import wait_until

from xomyen.camera.simulator import demo_clip

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


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


def test_a_camera_that_goes_and_comes_back_needs_no_reload(tmp_path: Path, pictures: Path, browser: Browser) -> None:
    with running_node(tmp_path / "node") as node:
        with simulated_cameras(demo_clip(), pictures, count=1) as port:
            node.run("camera", "add", MARKET, f"rtsp://127.0.0.1:{port}/1", "--sub", f"rtsp://127.0.0.1:{port}/1/sub")
            node.wait_for(MARKET, "recording")
            context = open_context(browser)
            page = context.new_page()
            sign_in(page, node)
            picture = picture_of(page, MARKET)
            before = advanced(picture.locator("video"))
            page.evaluate("window.sameDocument = true")
        wait_until(lambda: state_of(picture) == "lost", seconds=60)
        expect(picture).to_contain_text("Mất tín hiệu từ")
        with simulated_cameras(demo_clip(), pictures, count=1, port=port):
            wait_until(lambda: state_of(picture) == "live", seconds=90, every=0.3)
            assert advanced(picture.locator("video")) > before
        assert page.evaluate("window.sameDocument")
        context.close()


def test_a_node_that_restarts_needs_no_reload(tmp_path: Path, pictures: Path, browser: Browser) -> None:
    with simulated_cameras(demo_clip(), pictures, count=1) as port:
        with running_node(tmp_path / "node") as node:
            node.run("camera", "add", MARKET, f"rtsp://127.0.0.1:{port}/1")
            node.wait_for(MARKET, "recording")
            context = open_context(browser)
            page = context.new_page()
            sign_in(page, node)
            picture = picture_of(page, MARKET)
            before = advanced(picture.locator("video"))
            page.evaluate("window.sameDocument = true")
            address = node.url.removeprefix("http://")
        wait_until(lambda: state_of(picture) == "lost", seconds=60)
        expect(page.get_by_role("alert")).to_contain_text("Mất kết nối với máy chủ ghi hình")
        with running_node(tmp_path / "node", "--listen", address):
            wait_until(lambda: state_of(picture) == "live", seconds=90, every=0.3)
            assert advanced(picture.locator("video")) > before
            assert page.evaluate("window.sameDocument")
            expect(page.get_by_role("alert")).to_have_count(0)
        context.close()


@pytest.mark.parametrize(("sub", "note"), [(True, "Luồng phụ H.264"), (False, "Đã chuyển mã")])
def test_an_h265_camera_is_shown_and_says_how(
    tmp_path: Path, pictures: Path, browser: Browser, sub: bool, note: str
) -> None:
    with (
        simulated_cameras(demo_clip(), pictures, "--codec", "h265", count=1) as port,
        running_node(tmp_path / "node") as node,
    ):
        url = f"rtsp://127.0.0.1:{port}/1"
        node.run("camera", "add", MARKET, url, *(("--sub", f"{url}/sub") if sub else ()))
        node.wait_for(MARKET, "recording")
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, node)
        picture = picture_of(page, MARKET)
        advanced(picture.locator("video"))
        expect(picture).to_contain_text(note)
        context.close()

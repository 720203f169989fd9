"""The past of cameras that a browser cannot play as they are, and of recordings that were interrupted."""

import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.browser import advanced, counter, open_context, sign_in
from tests.e2e.conftest import MARKET
from tests.running_node import RunningNode, running_node, simulated_cameras, xomyen
from tests.waiting import wait_until

from xomyen.camera.simulator import demo_clip

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def film(page: Page) -> Locator:
    """The video element of the past."""
    return page.locator("xy-stage > video, xy-stage video").first


def utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def open_past(page: Page, node: RunningNode, at: float) -> None:
    page.goto(f"{node.url}/camera/{node.camera(MARKET)['id']}?at={utc(at)}")
    wait_until(lambda: counter(film(page)) is not None, seconds=90)


@pytest.mark.parametrize(
    ("sub", "note"),
    [(("--record-sub",), "luồng phụ H.264"), (("--no-record-sub",), "chuyển mã"), ((), "chuyển mã")],
    ids=["recorded sub-stream", "sub-stream not recorded", "no sub-stream"],
)
def test_the_past_of_an_h265_camera_plays_and_says_how(
    tmp_path: Path, pictures: Path, browser: Browser, sub: tuple[str, ...], note: str
) -> None:
    with (
        simulated_cameras(demo_clip(), pictures, "--codec", "h265", count=1) as port,
        running_node(tmp_path / "node") as node,
    ):
        url = f"rtsp://127.0.0.1:{port}/1"
        node.run("camera", "add", MARKET, url, *(("--sub", f"{url}/sub", *sub) if sub else ()))
        node.wait_for_frames(MARKET, 25 * 12, seconds=90)
        context = open_context(browser)
        page = context.new_page()
        sign_in(page, node)
        open_past(page, node, time.time() - 8)
        expect(page.locator("xy-stage .note")).to_contain_text(note)
        begin: Any = film(page).evaluate("video => video.currentTime")
        # More than one group of pictures, so that the next one is fetched and joined on.
        wait_until(lambda: film(page).evaluate("(v, begin) => v.currentTime > begin + 2.5", begin), seconds=90)
        assert counter(film(page)) is not None
        expect(page.locator("xy-stage .over")).to_have_count(0)
        context.close()


def test_a_stretch_of_several_recordings_is_downloaded_in_parts_or_as_a_whole(
    tmp_path: Path, pictures: Path, browser: Browser
) -> None:
    with running_node(tmp_path / "node") as node:
        with simulated_cameras(demo_clip(), pictures, count=1) as port:
            node.run("camera", "add", MARKET, f"rtsp://127.0.0.1:{port}/1")
            begin = node.wait_for(MARKET, "recording") and time.time() + 1
            before = node.wait_for_frames(MARKET, 25 * 5, seconds=90)
        node.wait_for(MARKET, "lost")
        with simulated_cameras(demo_clip(), pictures, count=1, port=port):
            node.wait_for_frames(MARKET, before + 25 * 8, seconds=90)
            end = time.time() - 2
            context = open_context(browser)
            page = context.new_page()
            sign_in(page, node)
            page.goto(f"{node.url}/camera/{node.camera(MARKET)['id']}?at={utc(begin)}&from={utc(begin)}&to={utc(end)}")
            expect(page.locator("xy-clip")).to_contain_text("2 lần ghi liên tục")
            expect(page.get_by_role("button", name="Tải đoạn trích xuất (MP4)")).to_be_disabled()
            for part in ("Đoạn 1 (MP4)", "Đoạn 2 (MP4)"):
                with page.expect_download() as clip:
                    page.get_by_role("button", name=part).click()  # followed by its times and its size
                video = tmp_path / part
                clip.value.save_as(video)
                assert video.read_bytes()[4:8] == b"ftyp"
            assert (tmp_path / "Đoạn 1 (MP4)").read_bytes() != (tmp_path / "Đoạn 2 (MP4)").read_bytes()
            with page.expect_download() as package:
                page.get_by_role("button", name="Tải hồ sơ có ký số (ZIP)").click()
            archive = tmp_path / "export.zip"
            package.value.save_as(archive)
            assert sum(name.endswith(".mp4") for name in zipfile.ZipFile(archive).namelist()) == 2
            key = tmp_path / "key.pem"
            node.run("key", "--output", key)
            assert "AUTHENTIC" in xomyen("verify", archive, "--key", key).stdout
            context.close()


def test_playing_leads_over_a_gap_and_stepping_does_not_stop_at_it(
    tmp_path: Path, pictures: Path, browser: Browser
) -> None:
    with running_node(tmp_path / "node") as node:
        with simulated_cameras(demo_clip(), pictures, count=1) as port:
            node.run("camera", "add", MARKET, f"rtsp://127.0.0.1:{port}/1")
            before = node.wait_for_frames(MARKET, 25 * 4, seconds=90)
            lost = time.time()
        node.wait_for(MARKET, "lost")
        with simulated_cameras(demo_clip(), pictures, count=1, port=port):
            node.wait_for_frames(MARKET, before + 25 * 6, seconds=90)
            context = open_context(browser)
            page = context.new_page()
            sign_in(page, node)
            open_past(page, node, lost - 3)
            first = counter(film(page))
            assert first is not None
            # The gap is longer than what is left before it: a picture from behind it has a far greater number.
            gap = node.json("timeline", MARKET, "--from", "-10m")["gaps"]
            assert gap
            advanced(film(page), pictures=25 * 5, seconds=90)
            context.close()

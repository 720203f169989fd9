"""The player shows exactly the moment that was asked for, and what is downloaded proves itself."""

import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from tests.browser import advanced, counter, deck_state, film, grab, recorded_counter, utc
from tests.e2e.conftest import MARKET, Commune
from tests.gateway_node import GOP, read_jpeg, read_number
from tests.recorded_node import RecordedNode
from tests.running_node import xomyen
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

SECOND_NS = 1_000_000_000
FRAME_NS = SECOND_NS // 25
DAY_NS = 86_400 * SECOND_NS


def iso(ns: int) -> str:
    return utc(ns / 1e6)


@pytest.fixture
def moment(commune: Commune) -> int:
    """A moment that was recorded some seconds ago, on a whole second, ns."""
    return commune.recorded(MARKET, 13) - 5 * SECOND_NS


@pytest.fixture
def player(page: Page, commune: Commune, moment: int) -> Page:
    """The player at that moment, paused."""
    page.goto(commune.player(MARKET, moment))
    wait_until(lambda: deck_state(page) == "ready", seconds=60)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Phát", exact=True)).to_be_visible()
    return page


def seek_and_rest(page: Page, ns: int) -> None:
    """Goes to a moment without playing on."""
    page.locator("xy-camera-page").evaluate("(element, ms) => element.seek(ms)", ns / 1e6)
    wait_until(lambda: deck_state(page) == "ready", seconds=60)


def place_on_the_timeline(page: Page, commune: Commune, near_ms: float) -> tuple[int, float, int]:
    """A pixel that means a moment well inside one picture's time: x, the moment in ms, the picture's number."""
    scale: Any = page.locator("xy-timeline").evaluate("element => ({...element.shownScale})")
    first = round((near_ms - scale["fromMs"]) / scale["spanMs"] * scale["width"])
    for x in range(first, first + 20):
        at_ms = scale["fromMs"] + x / scale["width"] * scale["spanMs"]
        picture_ms, number = recorded_counter(page, commune.url, commune.ids[MARKET], at_ms)
        if 5 < at_ms - picture_ms < 35:
            return x, at_ms, number
    raise AssertionError("no pixel near this moment lies inside a picture's time")


def test_a_seek_lands_on_exactly_the_picture_of_that_moment(player: Page, commune: Commune, moment: int) -> None:
    # Forwards and backwards, near and far, in the middle of a picture's time and on the millisecond it begins.
    for offset_ms in (0, 1300, -2520, 480, 491, 3037, -40, -1999):
        at_ms, wanted = recorded_counter(player, commune.url, commune.ids[MARKET], moment / 1e6 + offset_ms)
        # The mark is set when the picture is due; a busy machine may send it and take it later, but never before.
        late = (round(at_ms * 1e6) - wanted * FRAME_NS + DAY_NS // 2) % DAY_NS - DAY_NS // 2
        assert -FRAME_NS <= late <= SECOND_NS
        for asked_ms in (moment / 1e6 + offset_ms, at_ms):
            seek_and_rest(player, round(asked_ms * 1e6))
            wait_until(lambda wanted=wanted: counter(film(player)) == wanted)


def test_footage_whose_times_are_known_is_shown_exactly_at_them(reader: Page, archive: RecordedNode) -> None:
    camera = archive.add_camera("Giờ đã biết")
    begin = (time.time_ns() - 3600 * SECOND_NS) // SECOND_NS * SECOND_NS
    archive.record(camera, 4 * GOP, begin)
    reader.goto(f"{archive.url}/camera/{camera}?at={iso(begin)}")
    wait_until(lambda: deck_state(reader) == "ready")
    reader.keyboard.press(" ")
    expect(reader.get_by_role("button", name="Phát", exact=True)).to_be_visible()
    for number in (GOP, 3 * GOP - 1, 0, 77, 4 * GOP - 1):
        at_ns = begin + number * FRAME_NS
        still = reader.request.get(f"{archive.url}/api/v1/cameras/{camera}/still", params={"at": iso(at_ns)})
        assert still.headers["x-xomyen-time"].startswith(iso(at_ns)[:-1])
        assert read_number(read_jpeg(still.body())) == number
        seek_and_rest(reader, at_ns + FRAME_NS // 2)
        wait_until(lambda number=number: (seen := grab(film(reader))) is not None and read_number(seen) == number)


def test_a_frame_step_is_exactly_one_frame_both_ways(player: Page, moment: int) -> None:
    seek_and_rest(player, moment)
    first = wait_until(lambda: counter(film(player)))
    assert first is not None
    for key, by in ((".", 1), (",", -1)):
        start = counter(film(player))
        assert start is not None
        # More than a group of pictures (one second), so that its edge is crossed too.
        for step in range(1, 31):
            player.keyboard.press(key)
            wait_until(lambda step=step, start=start, by=by: counter(film(player)) == start + by * step)


def test_a_click_on_the_timeline_shows_exactly_that_picture_and_the_address_keeps_the_moment(
    player: Page, commune: Commune, moment: int
) -> None:
    for _ in range(8):
        player.keyboard.press("+")
    for back_ms in (2000, 5000, 3600):
        x, wanted_ms, wanted = place_on_the_timeline(player, commune, moment / 1e6 - back_ms)
        player.locator("xy-timeline canvas").click(position={"x": x, "y": 60})
        wait_until(lambda wanted=wanted: counter(film(player)) == wanted, seconds=60)
        at = datetime.fromisoformat(parse_qs(urlsplit(player.url).query)["at"][0]).timestamp() * 1000
        assert abs(at - wanted_ms) <= 1


def test_playing_runs_on_and_the_live_key_leads_back(player: Page, moment: int) -> None:
    seek_and_rest(player, moment)
    player.keyboard.press(" ")
    advanced(film(player), pictures=40)
    player.keyboard.press("n")
    live = player.locator("xy-picture video")
    advanced(live)
    assert "at=" not in player.url


def test_a_moment_is_typed(player: Page, moment: int) -> None:
    player.keyboard.press("g")
    field = player.get_by_label("Đến thời điểm", exact=True).last
    field.fill("nonsense")
    field.press("Enter")
    expect(player.locator("xy-jump").get_by_role("alert")).to_be_visible()
    field.fill(iso(moment - SECOND_NS))
    field.press("Enter")
    wait_until(lambda: deck_state(player) == "ready", seconds=60)
    expect(player.locator("xy-jump dialog")).to_be_hidden()


def test_a_moment_without_footage_says_so_and_leads_to_footage(player: Page, commune: Commune) -> None:
    player.goto(commune.player(MARKET, time.time_ns() - 86_400 * SECOND_NS))
    expect(player.get_by_role("heading", name="Không có bản ghi tại thời điểm này")).to_be_visible()
    player.get_by_role("button", name="Đến bản ghi cũ nhất").click()
    wait_until(lambda: deck_state(player) == "ready", seconds=60)


def test_a_marked_stretch_is_downloaded_and_verified(
    player: Page, commune: Commune, moment: int, tmp_path: Path
) -> None:
    seek_and_rest(player, moment - 2 * SECOND_NS)
    player.keyboard.press("i")
    seek_and_rest(player, moment)
    player.keyboard.press("o")
    with player.expect_download() as clip:
        player.get_by_role("button", name="Tải đoạn trích xuất (MP4)").click()
    video = tmp_path / "clip.mp4"
    clip.value.save_as(video)
    assert video.read_bytes()[4:8] == b"ftyp"
    with player.expect_download() as package:
        player.get_by_role("button", name="Tải hồ sơ có ký số (ZIP)").click()
    archive = tmp_path / "export.zip"
    package.value.save_as(archive)
    assert zipfile.is_zipfile(archive)
    key = tmp_path / "key.pem"
    commune.node.run("key", "--output", key)
    assert "AUTHENTIC" in xomyen("verify", archive, "--key", key).stdout

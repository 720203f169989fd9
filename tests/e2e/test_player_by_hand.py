"""What hands do on the player: dragging, pinching, speeds, the whole screen; and what the timeline tells of holds."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import advanced, counter, film, open_context, recorded_counter, scale, timeline
from tests.e2e.conftest import MARKET, Commune
from tests.waiting import wait_until

from xomyen.bus import subjects
from xomyen.bus.connection import connected
from xomyen.bus.messages import HoldDone, HoldWanted
from xomyen.bus.requests import ask
from xomyen.node.home import read_identity
from xomyen.terms.folder import NodeFolder

pytestmark = pytest.mark.browser

SECOND_NS = 1_000_000_000


@pytest.fixture
def player(page: Page, commune: Commune) -> Page:
    """The player, some seconds ago, paused, a minute on the timeline."""
    page.goto(commune.player(MARKET, commune.recorded(MARKET, 15) - 3 * SECOND_NS))
    wait_until(lambda: counter(film(page)), seconds=60)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Phát", exact=True)).to_be_visible()
    for _ in range(8):
        page.keyboard.press("+")
    wait_until(lambda: scale(page)["spanMs"] == 60_000)
    return page


def test_dragging_shows_the_still_of_the_moment_and_letting_go_leads_there(player: Page, commune: Commune) -> None:
    box = timeline(player).bounding_box()
    assert box is not None
    shown = scale(player)
    x, y = box["x"] + box["width"] * 0.5, box["y"] + 60
    player.mouse.move(x, y)
    player.mouse.down()
    # To the right: the past comes under the playhead. Five seconds of it.
    player.mouse.move(x + 5000 / shown["spanMs"] * shown["width"], y, steps=8)
    expect(timeline(player)).to_have_class("dragging")
    pointed: Any = player.locator("xy-preview").evaluate("element => element.ms")
    _, wanted = recorded_counter(player, commune.url, commune.ids[MARKET], pointed)
    still = player.locator("xy-preview canvas")
    wait_until(lambda: (seen := counter(still)) is not None and abs(seen - wanted) <= 1, seconds=60)
    player.mouse.up()
    wait_until(lambda: (seen := counter(film(player))) is not None and abs(seen - wanted) <= 1, seconds=60)
    expect(timeline(player)).not_to_have_class("dragging")


def test_two_fingers_zoom_the_timeline_and_lead_nowhere(commune: Commune, browser: Browser) -> None:
    context = open_context(
        browser, storage_state=commune.session, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = context.new_page()
    page.goto(commune.player(MARKET))
    advanced(page.locator("xy-picture video"))
    box = timeline(page).bounding_box()
    assert box is not None
    y = box["y"] + 60
    before = scale(page)
    touch = context.new_cdp_session(page)

    def fingers(kind: str, *xs: float) -> None:
        points = [{"x": x, "y": y, "id": number} for number, x in enumerate(xs)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 150)
    fingers("touchStart", 150, 200)
    for step in range(1, 6):
        fingers("touchMove", 150 - 5 * step, 200 + 5 * step)
    wait_until(lambda: scale(page)["spanMs"] == pytest.approx(before["spanMs"] / 2, rel=0.02))
    fingers("touchEnd", 125)
    fingers("touchMove", 60)
    fingers("touchEnd")
    assert scale(page)["spanMs"] == pytest.approx(before["spanMs"] / 2, rel=0.02)
    advanced(page.locator("xy-picture video"))
    assert "at=" not in page.url
    context.close()


@pytest.mark.parametrize("size", [(390, 844), (844, 390)], ids=["upright", "on its side"])
def test_on_a_phone_the_export_opens_in_sight(commune: Commune, browser: Browser, size: tuple[int, int]) -> None:
    context = open_context(
        browser,
        storage_state=commune.session,
        viewport={"width": size[0], "height": size[1]},
        is_mobile=True,
        has_touch=True,
    )
    page = context.new_page()
    page.goto(commune.player(MARKET))
    page.get_by_role("button", name="Trích xuất").tap()
    expect(page.get_by_role("button", name="Tải đoạn trích xuất (MP4)")).to_be_in_viewport(ratio=1)
    context.close()


def test_the_speeds_pass_through_the_recording_faster_and_slower(player: Page) -> None:
    speed = player.get_by_label("Tốc độ")
    for key, wanted in (("ArrowUp", 2), ("ArrowUp", 4), ("ArrowDown", 2), ("ArrowDown", 1), ("ArrowDown", 0.5)):
        player.keyboard.press(key)
        expect(speed).to_have_value(str(wanted))
        wait_until(lambda wanted=wanted: film(player).evaluate("video => video.playbackRate") == wanted)
    for _ in range(4):
        player.keyboard.press("ArrowLeft")  # further back, so that there is something to pass through
    speed.select_option("4")
    player.locator("xy-stage").click(position={"x": 5, "y": 5})
    start: Any = film(player).evaluate("video => ({media: video.currentTime, at: performance.now()})")
    player.get_by_role("button", name="Phát", exact=True).click()
    passed = "(video, start) => video.currentTime - start.media > 4"
    wait_until(lambda: film(player).evaluate(passed, start), seconds=60)
    # What is shown is what is said: the clock of the page goes with the pictures.
    player.keyboard.press("k")
    expect(player.get_by_role("button", name="Phát", exact=True)).to_be_visible()


def test_a_full_screen_is_the_pictures_and_still_says_whose_when_and_in_what_state(player: Page) -> None:
    player.keyboard.press("f")
    overlay = player.locator("xy-camera-page .onFull")
    expect(overlay).to_contain_text(MARKET)
    expect(overlay).to_contain_text("Đang xem lại")
    expect(player.locator("xy-camera-page .page")).to_have_class("page idle")
    expect(player.locator("xy-transport")).to_be_hidden()
    expect(overlay).to_be_visible()
    stage = player.locator("xy-stage").bounding_box()
    assert stage is not None
    assert stage["height"] == player.evaluate("innerHeight")
    player.mouse.move(300, 300)
    player.mouse.move(310, 300)
    expect(player.locator("xy-transport")).to_be_visible()
    player.keyboard.press("f")
    expect(overlay).to_have_count(0)


def test_where_nothing_plays_there_is_nothing_to_pause(player: Page, commune: Commune) -> None:
    player.goto(f"{commune.player(MARKET)}?at=2020-01-01T00:00:00Z")
    expect(player.get_by_role("heading", name="Không có bản ghi tại thời điểm này")).to_be_visible()
    expect(player.get_by_role("button", name="Phát", exact=True)).to_be_disabled()
    expect(player.get_by_role("button", name="Tới một khung hình")).to_be_disabled()


def test_a_hold_is_marked_on_the_timeline(player: Page, commune: Commune) -> None:
    now_ns = time.time_ns()
    folder = NodeFolder(commune.node.folder)
    wanted = HoldWanted(
        camera=commune.ids[MARKET],
        start_ns=now_ns - 10 * SECOND_NS,
        end_ns=now_ns - 4 * SECOND_NS,
        reason="Vụ việc 0142",
        who="trực ban",
        until_ns=now_ns + 86_400 * SECOND_NS,
    )

    async def hold() -> HoldDone:
        async with connected(folder, "test") as bus:
            subject = subjects.service(read_identity(folder), "recorder", "hold")
            return await ask(bus, subject, wanted, HoldDone)

    # Playwright has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: asyncio.run(hold())).result()
    player.reload()
    timeline(player).wait_for()
    for _ in range(8):
        player.keyboard.press("+")
    middle_ms = (wanted.start_ns + wanted.end_ns) / 2e6

    def colours() -> list[int]:
        """Red, green, blue of the timeline's pixel in the middle of the hold, at the band's lower edge."""
        found: list[int] = player.locator("xy-timeline").evaluate(
            """(element, ms) => {
              const canvas = element.renderRoot.querySelector('canvas'), s = element.shownScale;
              const x = Math.round((ms - s.fromMs) / s.spanMs * canvas.width);
              const column = canvas.getContext('2d').getImageData(x, 0, 1, canvas.height).data;
              for (let i = 0; i < column.length; i += 4) {
                if (column[i] === 0x7f && column[i + 1] === 0xb4 && column[i + 2] === 0xff) return [0x7f, 0xb4, 0xff];
              }
              return [];
            }""",
            middle_ms,
        )
        return found

    wait_until(lambda: colours() == [0x7F, 0xB4, 0xFF], seconds=60)

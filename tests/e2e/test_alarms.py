"""What somebody must look at stands on the wall, in words, until it is over; so do pictures that cannot be shown."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from tests.browser import picture_of, serious, state_of
from tests.e2e.conftest import MARKET, SECOND_NS
from tests.recorded_node import RecordedNode
from tests.waiting import wait_until

from xomyen.bus.messages import Alarm

pytestmark = pytest.mark.browser

SINCE_NS = time.time_ns() - 3600 * SECOND_NS
ALMOST = Alarm(code="almost_full", path="/srv/video", since_ns=SINCE_NS, text="/srv/video is almost full.")
FULL = Alarm(code="full", path="/srv/second", since_ns=SINCE_NS, text="/srv/second is full: 3 TB are held.")
STRANGE = Alarm(code="of_tomorrow", path="", since_ns=SINCE_NS, text="Something new.")


def say(node: RecordedNode, *alarms: Alarm) -> None:
    node.on_loop(lambda: node.node.context.alarms.recorder_says(alarms))


@pytest.fixture
def wall(reader: Page, archive: RecordedNode) -> Iterator[Page]:
    archive.add_camera(MARKET)
    reader.goto(f"{archive.url}/live")
    reader.locator("xy-picture").first.wait_for()
    yield reader
    say(archive)


def test_an_alarm_stands_on_the_wall_from_its_beginning_to_its_end(wall: Page, archive: RecordedNode) -> None:
    banner = wall.locator("xy-wall .alarms")
    expect(banner).to_have_count(0)
    say(archive, ALMOST)
    expect(banner).to_contain_text("Ổ đĩa /srv/video sắp đầy")
    # The gravest comes first; the others are counted, and all are told when it is opened.
    say(archive, ALMOST, FULL, STRANGE)
    expect(banner.locator("summary")).to_contain_text("Ổ đĩa /srv/second đã đầy")
    expect(banner.locator("summary")).to_contain_text("và 2 cảnh báo khác")
    banner.locator("summary").focus()
    wall.keyboard.press("Enter")
    expect(banner.locator("li")).to_have_count(3)
    expect(banner.locator("li").first).to_contain_text("3 TB are held.")
    expect(banner).to_contain_text("(of_tomorrow)")
    assert serious(wall) == []
    wall.get_by_role("button", name="EN – Chuyển sang tiếng Anh").click()
    expect(banner.locator("summary")).to_contain_text("Disk /srv/second is full")
    # Also on a full screen, where the bar goes.
    wall.locator("xy-bar").get_by_role("button", name="Full screen").click()
    expect(wall.locator("xy-wall .page")).to_have_class("page idle")
    expect(banner).to_be_visible()
    assert wall.locator("xy-wall .alarms, xy-wall .grid").evaluate_all(
        "([banner, grid]) => banner.getBoundingClientRect().bottom <= grid.getBoundingClientRect().top + 1"
    )
    wall.evaluate("document.exitFullscreen()")
    say(archive)
    expect(banner).to_have_count(0)


def test_a_picture_that_cannot_be_decoded_says_so_and_is_not_asked_for_all_the_time(page: Page) -> None:
    asked: list[str] = []

    def spoil(browser: WebSocketRoute) -> None:
        node = browser.connect_to_server()

        def up(message: str | bytes) -> None:
            if isinstance(message, str) and '"watch"' in message:
                asked.append(message)
            node.send(message)

        def down(message: str | bytes) -> None:
            if isinstance(message, bytes) and message[1] != 0:
                message = message[:12] + b"\xff" * (len(message) - 12)
            browser.send(message)

        browser.on_message(up)
        node.on_message(down)

    page.route_web_socket("**/api/v1/live", spoil)
    page.reload()
    page.keyboard.press("1")
    picture = picture_of(page, MARKET)
    wait_until(lambda: state_of(picture) == "lost", seconds=60)
    expect(picture).to_contain_text("rình duyệt không giải mã được")
    assert 2 <= len(asked) < 12

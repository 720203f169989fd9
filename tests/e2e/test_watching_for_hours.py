"""A wall that is watched for hours keeps what it needs for the next seconds and nothing more."""

from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page
from tests.browser import advanced, open_context, picture_of, state_of
from tests.e2e.conftest import JUNCTION, MARKET, Commune
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# Counts what is taken and never given back: media kept behind the picture, object URLs, live sockets, listeners.
_COUNT = """
  window.urls = 0; window.sockets = 0;
  const make = URL.createObjectURL, revoke = URL.revokeObjectURL;
  URL.createObjectURL = (what) => { urls += 1; return make.call(URL, what); };
  URL.revokeObjectURL = (url) => { urls -= 1; revoke.call(URL, url); };
  const Socket = WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...all) { super(...all); sockets += 1; this.addEventListener('close', () => { sockets -= 1; }); }
  };
"""
_KEPT = """element => {
  const video = element.renderRoot.querySelector('video'), ranges = video.buffered;
  return ranges.length ? ranges.end(ranges.length - 1) - ranges.start(0) : 0;
}"""


@pytest.fixture
def wall(commune: Commune, browser: Browser) -> Any:
    """The wall, with what it takes being counted."""
    context = open_context(browser, storage_state=commune.session)
    context.add_init_script(_COUNT)
    page = context.new_page()
    page.goto(f"{commune.url}/live")
    page.locator("xy-picture").first.wait_for()
    yield page
    context.close()


def held(session: CDPSession) -> dict[str, float]:
    """Listeners and nodes that are alive after a collection, and the bytes of the JavaScript heap."""
    session.send("HeapProfiler.collectGarbage")
    counts: dict[str, float] = session.send("Memory.getDOMCounters")
    usage: dict[str, float] = session.send("Runtime.getHeapUsage")
    return {"listeners": counts["jsEventListeners"], "nodes": counts["nodes"], "bytes": usage["usedSize"]}


def test_what_was_seen_is_let_go(wall: Page) -> None:
    for name in (MARKET, JUNCTION):
        picture = picture_of(wall, name)
        # Far more pictures than are kept: the buffer is cut every 8 seconds to the last 6.
        advanced(picture.locator("video"), pictures=15 * 18, seconds=120)
        wait_until(lambda picture=picture: picture.evaluate(_KEPT) < 16, seconds=60)
        assert picture.evaluate("element => element.feed.anchors.length") <= 200
        assert picture.evaluate("element => element.feed.queue.length") <= 60


def test_going_about_leaves_nothing_behind(wall: Page) -> None:
    session = wall.context.new_cdp_session(wall)

    def round_trip() -> None:
        """The wall in several layouts, one picture large, the player, the past, and back."""
        for key in ("1", "3", "5"):
            wall.keyboard.press(key)
        advanced(picture_of(wall, MARKET).locator("video"), pictures=5)
        wall.locator(".cell").first.dblclick()
        wall.wait_for_url("**/camera/**")
        advanced(wall.locator("xy-picture video"), pictures=5)
        wall.keyboard.press("ArrowLeft")
        wait_until(lambda: wall.locator("xy-stage").evaluate("stage => stage.deck.state") == "ready", seconds=60)
        wall.keyboard.press("n")
        advanced(wall.locator("xy-picture video"), pictures=5)
        wall.keyboard.press("Escape")
        wall.wait_for_url("**/live")
        wait_until(lambda: state_of(picture_of(wall, MARKET)) == "live", seconds=60)

    wall.keyboard.press("3")
    for _ in range(2):
        round_trip()
    before = held(session)
    urls = wall.evaluate("urls")
    for _ in range(6):
        round_trip()

    def let_go() -> bool:
        """One leaked listener in each round would be six, one page that is kept some hundred nodes."""
        after = held(session)
        return (
            after["listeners"] - before["listeners"] < 6
            and after["nodes"] - before["nodes"] < 200
            and after["bytes"] - before["bytes"] < 3_000_000
            and wall.evaluate("urls") == urls
            and wall.evaluate("sockets") == 1
        )

    wait_until(let_go, every=1.0)  # what was left a moment ago may still be on its way out; what is kept stays

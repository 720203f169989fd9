"""hls.js, which nobody here wrote, plays what the node lists: the past, and the edge of what is being recorded."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page
from tests.browser import advanced, counter, open_context, recorded_counter, sign_in
from tests.e2e.conftest import MARKET, Commune
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SCRIPT = Path(__file__).parents[2] / "web/node_modules/hls.js/dist/hls.min.js"
PAGE = """<!doctype html><meta charset="utf-8"><video muted playsinline></video><script src="/hls.js"></script>"""

_PLAY = """address => {
  window.troubles = [];
  window.hls = new Hls({maxBufferLength: 10});
  hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) troubles.push(error.details); });
  hls.loadSource(address);
  hls.attachMedia(document.querySelector('video'));
  hls.on(Hls.Events.MANIFEST_PARSED, () => document.querySelector('video').play());
}"""
# Where on its own media axis hls.js has a moment, by the playlist's EXT-X-PROGRAM-DATE-TIME.
_SEEK = """async ms => {
  const video = document.querySelector('video');
  video.pause();
  const part = hls.levels[hls.currentLevel].details.fragments.findLast(f => f.programDateTime <= ms);
  const landed = new Promise(done => video.addEventListener('seeked', done, {once: true}));
  video.currentTime = part.start + (ms - part.programDateTime) / 1000;
  await landed;
}"""


@pytest.fixture
def stranger(commune: Commune, browser: Browser) -> Iterator[Page]:
    """A page of somebody else on the node's address, signed in, with hls.js and nothing of the product."""
    context = open_context(browser)
    page = context.new_page()
    sign_in(page, commune.node)
    context.route("**/stranger", lambda route: route.fulfill(content_type="text/html", body=PAGE))
    context.route("**/hls.js", lambda route: route.fulfill(content_type="text/javascript", path=SCRIPT))
    page.goto(f"{commune.node.url}/stranger")
    yield page
    context.close()


def play(page: Page, commune: Commune, **span: str) -> Locator:
    """Plays the main stream of a camera from a playlist."""
    camera = commune.node.camera(MARKET)["id"]
    page.evaluate(_PLAY, f"/api/v1/cameras/{camera}/main/index.m3u8?{urlencode({**span, 'codecs': 'h264'})}")
    return page.locator("video")


def text(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lands(page: Page, commune: Commune, ms: float) -> None:
    """A seek shows the picture that the recording has at this moment."""
    at, wanted = recorded_counter(page, commune.node, MARKET, ms)
    page.evaluate(_SEEK, at + 20)  # in the middle of that picture's time, so that no rounding matters
    wait_until(lambda: counter(page.locator("video")) == wanted, seconds=30)


def shown_ms(page: Page) -> float | None:
    """The wall time hls.js says it shows."""
    found: float | None = page.evaluate("hls.playingDate ? hls.playingDate.getTime() : null")
    return found


def troubles(page: Page) -> Any:
    return page.evaluate("troubles")


def test_the_past_plays_and_a_seek_lands_on_the_picture(stranger: Page, commune: Commune) -> None:
    wait_until(lambda: commune.node.frames(MARKET) > 25 * 14, seconds=100, every=0.5)
    end = time.time() * 1000 - 3000
    video = play(stranger, commune, **{"from": text(end - 9000), "to": text(end)})
    advanced(video, pictures=30)
    for back in (7000, 2500, 5200):
        lands(stranger, commune, end - back)
    stranger.evaluate("document.querySelector('video').play()")
    advanced(video, pictures=30)
    assert troubles(stranger) == []


def test_the_live_edge_goes_on_as_the_recording_grows(stranger: Page, commune: Commune) -> None:
    wait_until(lambda: commune.node.frames(MARKET) > 25 * 14, seconds=100, every=0.5)
    opened = time.time() * 1000
    video = play(stranger, commune, **{"from": text(opened - 9000)})
    # Pictures that were not recorded yet when the playlist was read first.
    wait_until(lambda: (now := shown_ms(stranger)) is not None and now > opened + 4000, seconds=100, every=0.3)
    before = counter(video)
    assert before is not None
    assert advanced(video) > before
    lands(stranger, commune, opened)
    assert troubles(stranger) == []

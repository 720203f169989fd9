"""hls.js, which nobody here wrote, plays what the node lists: the past, and the edge of what is being recorded."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Locator, Page
from tests.browser import advanced, counter, grab, recorded_counter, utc
from tests.e2e.conftest import MARKET, Commune
from tests.gateway_node import GOP, read_jpeg, read_number, seconds
from tests.recorded_node import RecordedNode
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

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


def strange(page: Page, url: str) -> Page:
    """A page of somebody else on the node's address, with hls.js and nothing of the product."""
    page.route("**/stranger", lambda route: route.fulfill(content_type="text/html", body=PAGE))
    page.route("**/hls.js", lambda route: route.fulfill(content_type="text/javascript", path=SCRIPT))
    page.goto(f"{url}/stranger")
    return page


@pytest.fixture
def stranger(commune: Commune, context: BrowserContext) -> Page:
    return strange(context.new_page(), commune.url)


def play(page: Page, camera: str, **span: str) -> Locator:
    """Plays the main stream of a camera (its id) from a playlist."""
    page.evaluate(_PLAY, f"/api/v1/cameras/{camera}/main/index.m3u8?{urlencode({**span, 'codecs': 'h264'})}")
    return page.locator("video")


def lands(page: Page, commune: Commune, ms: float) -> None:
    """A seek shows the picture that the recording has at this moment."""
    at, wanted = recorded_counter(page, commune.url, commune.ids[MARKET], ms)
    page.evaluate(_SEEK, at + 20)  # in the middle of that picture's time, so that no rounding matters
    wait_until(lambda: counter(page.locator("video")) == wanted)


def shown_ms(page: Page) -> float | None:
    """The wall time hls.js says it shows."""
    found: float | None = page.evaluate("hls.playingDate ? hls.playingDate.getTime() : null")
    return found


def troubles(page: Page) -> Any:
    return page.evaluate("troubles")


def test_the_past_plays_and_a_seek_lands_on_the_picture(stranger: Page, commune: Commune) -> None:
    end = commune.recorded(MARKET, 13) / 1e6
    video = play(stranger, commune.ids[MARKET], **{"from": utc(end - 9000), "to": utc(end)})
    advanced(video, pictures=30)
    for back in (7000, 2500, 5200):
        lands(stranger, commune, end - back)
    stranger.evaluate("document.querySelector('video').play()")
    advanced(video, pictures=30)
    assert troubles(stranger) == []


def test_the_live_edge_goes_on_as_the_recording_grows(stranger: Page, commune: Commune) -> None:
    commune.recorded(MARKET, 13)
    opened = time.time() * 1000
    video = play(stranger, commune.ids[MARKET], **{"from": utc(opened - 9000)})
    # Pictures that were not recorded yet when the playlist was read first.
    wait_until(lambda: (now := shown_ms(stranger)) is not None and now > opened + 4000, seconds=100, every=0.3)
    before = counter(video)
    assert before is not None
    assert advanced(video) > before
    lands(stranger, commune, opened)
    assert troubles(stranger) == []


def test_it_plays_over_a_break_between_two_recordings(reader: Page, archive: RecordedNode) -> None:
    camera = archive.add_camera("Hai lần ghi")
    begin = (time.time_ns() - seconds(3600)) // seconds(1) * seconds(1)
    again = begin + seconds(600)
    archive.record(camera, 2 * GOP, begin)
    # The second is coded otherwise: with pictures that are decoded before they are shown.
    archive.record(camera, 4 * GOP, again, b_frames=2)
    video = play(strange(reader, archive.url), camera, **{"from": utc(begin / 1e6), "to": utc(begin / 1e6 + 700_000)})

    def number() -> int | None:
        picture = grab(video)
        return None if picture is None else read_number(picture)

    wait_until(lambda: (now := number()) is not None and 0 < now < 2 * GOP, seconds=60)
    # Ten minutes are missing there: by the clock of the list, and in the pictures, which begin again.
    wait_until(lambda: (now := shown_ms(reader)) is not None and now * 1e6 > again, seconds=60)
    wait_until(lambda: (now := number()) is not None and now > GOP, seconds=60)
    reader.evaluate("document.querySelector('video').pause()")
    for at in (again + seconds(5), begin + seconds(1), again + seconds(1)):
        still = reader.request.get(f"{archive.url}/api/v1/cameras/{camera}/still", params={"at": utc(at / 1e6)})
        told_ms = datetime.fromisoformat(still.headers["x-xomyen-time"]).timestamp() * 1000
        reader.evaluate(_SEEK, told_ms + 20)
        wanted = read_number(read_jpeg(still.body()))
        wait_until(lambda wanted=wanted: number() == wanted)
    assert troubles(reader) == []

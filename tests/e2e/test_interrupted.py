"""Recordings that were interrupted: played over, shown on the timeline however short, taken along in parts."""

import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.browser import deck_state, film, grab, scale, timeline, utc
from tests.gateway_node import FRAME_NS, GOP, read_number, seconds
from tests.recorded_node import RecordedNode
from tests.running_node import xomyen
from tests.waiting import wait_until

from xomyen.terms.ids import new_id

pytestmark = pytest.mark.browser

HOUR_NS = 3600 * seconds(1)


def number(video: Locator) -> int | None:
    """The number of the picture on the screen."""
    picture = grab(video)
    return None if picture is None else read_number(picture)


def open_player(page: Page, node: RecordedNode, camera: str, at_ns: int, **more: str) -> None:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    page.goto(f"{node.url}/camera/{camera}?at={utc(at_ns / 1e6)}{query}")
    wait_until(lambda: deck_state(page) == "ready", seconds=60)


def whole_second(ago_ns: int) -> int:
    return (time.time_ns() - ago_ns) // seconds(1) * seconds(1)


@pytest.fixture
def camera(archive: RecordedNode) -> str:
    return archive.add_camera(f"Cổng {new_id()}")


def test_playing_leads_over_a_gap_of_hours_at_once_and_says_so(
    reader: Page, archive: RecordedNode, camera: str
) -> None:
    begin = whole_second(9 * HOUR_NS)
    archive.record(camera, 4 * GOP, begin)
    archive.record(camera, 3 * GOP, begin + 8 * HOUR_NS)
    open_player(reader, archive, camera, begin + seconds(6))
    expect(reader.locator("xy-notice")).to_contain_text("Đã bỏ qua 7 giờ 59 phút không có bản ghi.")
    wait_until(lambda: (number(film(reader)) or 0) in range(10, 3 * GOP))
    shown: Any = reader.locator("xy-stage").evaluate("stage => stage.shownMs")
    assert shown * 1e6 > begin + 8 * HOUR_NS
    # Beyond the last picture there is nothing, and that is said.
    expect(reader.locator("xy-stage .note")).to_have_text("Đã hết bản ghi")


def test_a_stretch_of_several_recordings_is_downloaded_in_parts_or_as_a_whole(
    reader: Page, archive: RecordedNode, camera: str, tmp_path: Path
) -> None:
    begin = whole_second(HOUR_NS)
    archive.record(camera, 4 * GOP, begin)
    archive.record(camera, 4 * GOP, begin + seconds(20))
    span = {"from": utc(begin / 1e6 + 1000), "to": utc(begin / 1e6 + 26_000)}
    open_player(reader, archive, camera, begin + seconds(1), **span)
    expect(reader.locator("xy-clip")).to_contain_text("2 lần ghi liên tục")
    expect(reader.get_by_role("button", name="Tải đoạn trích xuất (MP4)")).to_be_disabled()
    for part in ("Đoạn 1 (MP4)", "Đoạn 2 (MP4)"):
        with reader.expect_download() as clip:
            reader.get_by_role("button", name=part).click()  # followed by its times and its size
        video = tmp_path / part
        clip.value.save_as(video)
        assert video.read_bytes()[4:8] == b"ftyp"
    assert (tmp_path / "Đoạn 1 (MP4)").read_bytes() != (tmp_path / "Đoạn 2 (MP4)").read_bytes()
    with reader.expect_download() as package:
        reader.get_by_role("button", name="Tải hồ sơ có ký số (ZIP)").click()
    saved = tmp_path / "export.zip"
    package.value.save_as(saved)
    assert sum(name.endswith(".mp4") for name in zipfile.ZipFile(saved).namelist()) == 2
    key = tmp_path / "key.pem"
    xomyen("key", "--dir", archive.node.folder.root, "--output", key)
    assert "AUTHENTIC" in xomyen("verify", saved, "--key", key).stdout


def test_a_short_gap_is_seen_and_told_however_far_the_timeline_is_zoomed_out(
    reader: Page, archive: RecordedNode, camera: str
) -> None:
    begin = whole_second(5 * 24 * HOUR_NS)
    archive.record(camera, 4 * GOP, begin)
    archive.record(camera, 4 * GOP, begin + seconds(13))
    gap_ms = (begin + seconds(10)) / 1e6
    open_player(reader, archive, camera, begin + seconds(1))
    reader.keyboard.press(" ")
    for _ in range(12):
        reader.keyboard.press("-")
    wait_until(lambda: scale(reader)["spanMs"] == 32 * 24 * HOUR_NS / 1e6)

    def amber() -> list[int]:
        """How many pixels of each column near the gap are amber."""
        found: list[int] = reader.locator("xy-timeline").evaluate(
            """(element, ms) => {
              const canvas = element.renderRoot.querySelector('canvas'), s = element.shownScale;
              const x = Math.round((ms - s.fromMs) / s.spanMs * canvas.width) - 4;
              const {data, width, height} = canvas.getContext('2d').getImageData(x, 0, 8, canvas.height);
              return Array.from({length: width}, (_, column) => Array.from({length: height}, (_, row) => {
                const [r, g, b] = data.slice(4 * (row * width + column), 4 * (row * width + column) + 3);
                return Math.abs(r - 0xf5) + Math.abs(g - 0xa5) + Math.abs(b - 0x24) < 60;
              }).filter(Boolean).length);
            }""",
            gap_ms,
        )
        return found

    # The playhead stands there too, one or two columns wide.
    wait_until(lambda: sum(rows > 30 for rows in amber()) >= 1, seconds=60)
    shown = scale(reader)
    x = (gap_ms - shown["fromMs"]) / shown["spanMs"] * shown["width"]
    timeline(reader).hover(position={"x": round(x), "y": 60})
    expect(reader.locator("xy-preview small")).to_contain_text("(5 giây)")


def test_looking_elsewhere_on_the_timeline_is_not_undone_by_the_clock(
    reader: Page, archive: RecordedNode, camera: str
) -> None:
    begin = whole_second(HOUR_NS)
    archive.record(camera, 20 * GOP, begin)  # so long that it does not end before all is done
    open_player(reader, archive, camera, begin + seconds(1))
    timeline(reader).hover(position={"x": 300, "y": 60})
    for _ in range(6):
        reader.mouse.wheel(-700, 0)
    wait_until(lambda: scale(reader)["fromMs"] + scale(reader)["spanMs"] < begin / 1e6)
    away = scale(reader)["fromMs"]
    # The playhead goes on meanwhile, and with it the page.
    before = number(film(reader))
    wait_until(lambda: number(film(reader)) != before and (number(film(reader)) or 0) > GOP)
    assert scale(reader)["fromMs"] == away
    # Whoever goes somewhere is shown where.
    reader.keyboard.press("ArrowLeft")
    wait_until(lambda: scale(reader)["fromMs"] < begin / 1e6 < scale(reader)["fromMs"] + scale(reader)["spanMs"])


def test_a_damaged_stretch_says_so_and_the_next_one_plays(reader: Page, archive: RecordedNode, camera: str) -> None:
    begin = whole_second(HOUR_NS)
    # So long that nothing of the second is fetched in advance.
    archive.record(camera, 12 * GOP, begin)
    archive.record(camera, 4 * GOP, begin + seconds(60))

    def spoil(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.body()[:200] + b"\xff" * (len(answer.body()) - 200))

    open_player(reader, archive, camera, begin + seconds(2))
    reader.keyboard.press(" ")
    reader.route("**/segments/*.mp4", spoil)
    reader.locator("xy-camera-page").evaluate("(page, ms) => page.seek(ms)", begin / 1e6 + 62_000)
    expect(reader.locator("xy-stage").get_by_role("alert")).to_contain_text("không giải mã được")
    reader.unroute("**/segments/*.mp4")
    reader.get_by_role("button", name="Thử lại").click()
    wait_until(lambda: deck_state(reader) == "ready", seconds=60)
    wait_until(lambda: number(film(reader)) == 50)


def test_what_could_not_be_loaded_is_asked_for_again_by_the_page_itself(
    reader: Page, archive: RecordedNode, camera: str
) -> None:
    begin = whole_second(2 * HOUR_NS)
    archive.record(camera, 4 * GOP, begin)

    def refuse(route: Route) -> None:
        problem = {"type": "urn:xomyen:error:busy", "title": "Busy", "status": 503, "detail": "", "code": "busy"}
        route.fulfill(status=503, content_type="application/problem+json", json=problem)

    for what in ("**/timeline?*", "**/index.m3u8?*"):
        reader.route(what, refuse)
    reader.goto(f"{archive.url}/camera/{camera}?at={utc(begin / 1e6)}")
    expect(reader.locator("xy-stage").get_by_role("alert")).to_contain_text("Trang sẽ tự thử lại")
    expect(reader.locator("xy-camera-page .failed")).to_contain_text("Không tải được dòng thời gian")
    for what in ("**/timeline?*", "**/index.m3u8?*"):
        reader.unroute(what)
    wait_until(lambda: deck_state(reader) == "ready", seconds=60)
    expect(reader.locator("xy-camera-page .failed")).to_have_count(0)


# As on a machine that is slow to open a media source; one that was closed meanwhile is never opened.
_SLOW_SOURCE = """
  const listen = MediaSource.prototype.addEventListener;
  MediaSource.prototype.addEventListener = function (kind, heard, options) {
    const later = (event) => setTimeout(() => { if (this.readyState === 'open') heard.call(this, event); }, 400);
    return listen.call(this, kind, kind === 'sourceopen' ? later : heard, options);
  };
"""


def test_going_live_in_the_middle_of_a_seek_does_not_block_the_next_one(
    reader: Page, archive: RecordedNode, camera: str
) -> None:
    begin = whole_second(HOUR_NS)
    archive.record(camera, 4 * GOP, begin)
    reader.add_init_script(_SLOW_SOURCE)
    reader.goto(f"{archive.url}/camera/{camera}?at={utc(begin / 1e6)}")
    wait_until(lambda: film(reader).evaluate("video => Boolean(video.src)"))
    reader.keyboard.press("n")
    wait_until(lambda: not film(reader).evaluate("video => Boolean(video.src)"))
    reader.locator("xy-camera-page").evaluate("(page, ms) => page.seek(ms)", begin / 1e6 + 2000)
    wait_until(lambda: deck_state(reader) == "ready", seconds=60)


_SLOW_LISTS = """() => {
  const ask = window.fetch;
  window.fetch = async (url, ...more) => {
    if (String(url).includes('index.m3u8')) await new Promise(done => setTimeout(done, 300));
    return ask(url, ...more);
  };
}"""


def test_the_second_of_two_quick_seeks_counts(reader: Page, archive: RecordedNode, camera: str) -> None:
    begin = whole_second(2 * HOUR_NS)
    # So long that nothing of the second is fetched in advance.
    archive.record(camera, 12 * GOP, begin)
    archive.record(camera, 4 * GOP, begin + HOUR_NS)
    open_player(reader, archive, camera, begin + seconds(2))
    reader.keyboard.press(" ")
    # Within what is loaded, and at once somewhere else: the answer for there takes a moment.
    reader.evaluate(_SLOW_LISTS)
    near, far = (begin + seconds(3)) // 10**6, (begin + HOUR_NS + seconds(3)) // 10**6
    seen: Any = reader.locator("xy-stage").evaluate(
        """async (stage, [near, far]) => {
          const seen = [];
          stage.deck.addEventListener('state', () => seen.push([stage.deck.state, Math.round(stage.deck.wall() ?? 0)]));
          const first = stage.deck.seek(near), second = stage.deck.seek(far);
          await Promise.all([first, second]);
          return seen;
        }""",
        [near, far],
    )
    assert [state for state, _ in seen] == ["seeking", "ready"]
    assert abs(seen[1][1] - far) <= 5
    wait_until(lambda: number(film(reader)) == seconds(3) // FRAME_NS)

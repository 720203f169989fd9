"""Debian's Chromium on the pages of a node, and the pictures it really shows."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from tests.picture import Mark, NoMarkError, read_mark
from tests.running_node import LOOP_S, RunningNode
from tests.waiting import wait_until

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A loaded machine may be slow; what is waited for comes all the same.
PATIENCE_MS = 60_000

AXE = Path(__file__).parents[1] / "web/node_modules/axe-core/axe.min.js"

_GRAB = """video => {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth ?? video.width; canvas.height = video.videoHeight ?? video.height;
  if (!canvas.width) return null;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const gray = new Uint8Array(data.length / 4);
  for (let i = 0; i < gray.length; i += 1) gray[i] = data[4 * i + 1];
  let text = '';
  for (let i = 0; i < gray.length; i += 8192) text += String.fromCharCode(...gray.subarray(i, i + 8192));
  return {width: canvas.width, height: canvas.height, data: btoa(text)};
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def chromium_beside_django() -> Iterator[Browser]:
    """A browser on pages that Django serves from this process."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # Playwright's loop runs in this thread; rows are asked for here all the same, nothing waits for them.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with chromium() as browser:
            yield browser
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


def open_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser of a person in Viet Nam; `errors` of its pages fail nothing by themselves."""
    context = browser.new_context(
        **{"viewport": {"width": 1366, "height": 768}, "timezone_id": "Asia/Ho_Chi_Minh", "locale": "vi-VN", **options}
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def new_link(node: RunningNode) -> str:
    """A sign-in link that was not used yet."""
    return next(word for word in node.run("signin").stdout.split() if "signin#" in word)


def sign_in(page: Page, node: RunningNode) -> None:
    """Opens the wall."""
    page.goto(new_link(node))
    page.wait_for_url("**/live")
    page.locator("xy-picture").first.wait_for()


def grab(video: Locator) -> NDArray[np.uint8] | None:
    """The picture a video element or a canvas shows, gray; None before the first."""
    shot = video.evaluate(_GRAB)
    if shot is None:
        return None
    return np.frombuffer(base64.b64decode(shot["data"]), np.uint8).reshape(shot["height"], shot["width"])


def mark(video: Locator) -> Mark | None:
    """What the picture on the screen says of itself; None while there is none to read."""
    picture = grab(video)
    try:
        return None if picture is None else read_mark(picture)
    except NoMarkError:
        return None


def counter(video: Locator) -> int | None:
    """The number burnt into the picture on the screen; None while there is none to read."""
    shown = mark(video)
    return None if shown is None else shown.counter


def wall_ns(video: Locator, near_ns: int) -> int | None:
    """When the picture on the screen was taken, by its burnt-in mark."""
    shown = mark(video)
    return None if shown is None else shown.wall_ns(near_ns)


def utc(ms: float) -> str:
    """A moment as addresses and the node's answers name it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recorded_counter(page: Page, url: str, camera: str, ms: float) -> tuple[float, int]:
    """The picture that the recording of a camera (its id) has at a moment, by a still: its time, ms; its number."""
    answer = page.request.get(f"{url}/api/v1/cameras/{camera}/still", params={"at": utc(ms)})
    assert answer.ok, answer.text()
    decoder = av.CodecContext.create("mjpeg", "r")
    frame = [*decoder.decode(av.Packet(answer.body())), *decoder.decode(None)][0]
    told = datetime.fromisoformat(answer.headers["x-xomyen-time"])
    return told.timestamp() * 1000, read_mark(frame.to_ndarray(format="gray")).counter


def advanced(video: Locator, pictures: int = 10, seconds: float = 60) -> int:
    """Waits until the picture on the screen has come so many further, in three steps or more; its counter.

    With a step back it is waited for anew: what leaps to and fro comes no further.
    """
    last = wait_until(lambda: mark(video), seconds=seconds, every=0.2)
    assert last is not None
    steps: list[int] = []

    def further() -> bool:
        nonlocal last
        now = mark(video)
        if now is not None and now != last:
            # A loop begins again at 0, and so does the day.
            whole = now.fps * (LOOP_S if now.looped else 86_400)
            step = (now.counter - last.counter) % whole
            same = (now.fps, now.looped) == (last.fps, last.looped)  # film, not another of the same camera
            steps[:] = [*steps, step] if same and step < whole // 2 else []
            last = now
        return len(steps) >= 3 and sum(steps) >= pictures

    wait_until(further, seconds=seconds, every=0.2)
    return last.counter


def film(page: Page) -> Locator:
    """The video element of the past."""
    return page.locator("xy-stage > video, xy-stage video").first


def deck_state(page: Page) -> str:
    """What the player of the past says of itself: ready, seeking, end, no_footage, failed."""
    return str(page.locator("xy-stage").evaluate("stage => stage.deck ? stage.deck.state : 'empty'"))


def timeline(page: Page) -> Locator:
    """The timeline's canvas."""
    return page.locator("xy-timeline canvas")


def scale(page: Page) -> Any:
    """fromMs, spanMs and width of the timeline as it is shown."""
    return page.locator("xy-timeline").evaluate("element => ({...element.shownScale})")


def picture_of(page: Page, name: str) -> Locator:
    """The live picture of a camera on the wall."""
    return page.locator("xy-picture").filter(has_text=name)


def state_of(picture: Locator) -> str:
    """live, delayed, lost … as the picture says it."""
    return str(picture.evaluate("element => element.pictureState.kind"))


# What fades in has not its contrast yet; what turns for as long as something is loaded is not waited for.
_STILL = """() => Promise.race([
  new Promise((done) => setTimeout(done, 10_000)),
  Promise.all(document.getAnimations()
    .filter((one) => one.playState === 'running' && Number.isFinite(one.effect.getComputedTiming().endTime))
    .map((one) => one.finished.catch(() => null))),
]).then(() => null)"""


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical, with the element it means."""
    page.evaluate(_STILL)
    # Put in as the test's own script: the content policy of the page allows no foreign ones.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]

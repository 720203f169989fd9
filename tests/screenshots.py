"""Takes the pictures of the README from the demo's commune; `scripts/take-screenshots` runs it."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState
from tests.browser import advanced, chromium, deck_state, film, open_context, scale, state_of, timeline
from tests.running_node import ENVIRONMENT
from tests.waiting import wait_until

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PATIENCE_S = 900.0
PHONE = {"width": 390, "height": 844}
TOLD = {"vi": "EN – Chuyển sang tiếng Anh", "en": "VI – Switch to Vietnamese"}


@contextmanager
def demo(folder: Path, cameras: int, *options: str, link: str = "signin#") -> Iterator[str]:
    """`xomyen demo` for the length of a block; the first of its links with this in it."""
    command = [sys.executable, "-m", "xomyen.cli", "demo", "--dir", str(folder), "--listen", "127.0.0.1:0"]
    command += ["--cameras", str(cameras), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        assert process.stdout is not None
        yield next(word for line in process.stdout for word in line.split() if link in word)
    finally:
        process.terminate()
        process.wait(timeout=60)


def save(page: Page, folder: Path, name: str) -> None:
    file = folder / f"{name}.jpg"
    page.screenshot(path=file, type="jpeg", quality=80)
    print(file)


def speak(page: Page, language: str) -> None:
    """Switches to the language unless it is spoken already."""
    other = page.get_by_role("button", name=TOLD["vi" if language == "en" else "en"])
    if other.count():
        other.click()
    page.get_by_role("button", name=TOLD[language]).wait_for()


def wall(page: Page, cameras: int) -> None:
    """All pictures of the wall are live at the same moment: a machine that cannot do that must not be shown."""
    pictures = page.locator("xy-picture")
    wait_until(
        lambda: pictures.count() == cameras and all(state_of(picture) == "live" for picture in pictures.all()),
        seconds=PATIENCE_S,
        every=1.0,
    )


def past(page: Page, url: str, camera: str, minutes: float) -> None:
    """The player, a little ago, paused, some minutes on its timeline."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    page.goto(f"{url}/camera/{camera}?at={at}")
    wait_until(lambda: deck_state(page) == "ready", seconds=PATIENCE_S)
    advanced(film(page), pictures=5, seconds=PATIENCE_S)
    page.keyboard.press(" ")
    while scale(page)["spanMs"] > minutes * 60_000:
        page.keyboard.press("+")
        page.wait_for_timeout(200)


def take(browser: Browser, link: str, wanted: argparse.Namespace) -> None:
    url = link.partition("/signin")[0]
    context = open_context(browser)
    page = context.new_page()
    page.goto(link)
    page.wait_for_url("**/live")
    began = time.monotonic()
    wall(page, wanted.cameras)
    camera = page.locator("xy-wall").evaluate("wall => wall.house.cameras.slice(0, 19).at(-1).id")
    # A timeline that has something to show.
    wait_until(lambda: time.monotonic() - began > wanted.recorded, seconds=wanted.recorded + 60, every=1.0)
    for language in ("vi", "en"):
        page.goto(f"{url}/live")
        speak(page, language)
        wall(page, wanted.cameras)
        save(page, wanted.output, f"wall-{language}")
        past(page, url, camera, 15)
        # Short recordings reach back little further than where the player stands.
        shown = scale(page)
        pointed_ms = (time.time() - 60 - max(0, wanted.recorded - 70) / 3) * 1000
        x = (pointed_ms - shown["fromMs"]) / shown["spanMs"] * shown["width"]
        timeline(page).hover(position={"x": x, "y": 50})
        page.locator("xy-preview canvas:not(.old)").wait_for()
        save(page, wanted.output, f"player-{language}")
        save_phone(browser, context.storage_state(), url, camera, wanted.output / f"phone-{language}")
    context.close()


def take_centre(browser: Browser, link: str, cameras: int, output: Path) -> None:
    """The centre's map and register, as the head of the commune's police sees them."""

    def all_recording() -> bool:
        page.goto(f"{url}/cameras/")
        return page.locator(".camera-table .status-dot").count() == cameras

    context = open_context(browser)
    page = context.new_page()
    page.goto(link)
    page.wait_for_url("**/live")
    url = link.partition("/account")[0]
    wait_until(all_recording, seconds=PATIENCE_S, every=3.0)
    for language, other in (("vi", "English"), ("en", "Tiếng Việt")):
        page.goto(f"{url}/cameras/")
        button = page.get_by_role("button", name=other)
        if not button.count():
            page.get_by_role("button", name="English" if language == "en" else "Tiếng Việt").click()
        button.wait_for()
        save(page, output, f"cameras-{language}")
        page.goto(f"{url}/map")
        page.locator("canvas.maplibregl-canvas").wait_for()
        page.wait_for_timeout(3000)  # the map's own movement to where the cameras are has no end that could be heard
        save(page, output, f"map-{language}")
    context.close()


def save_phone(browser: Browser, session: StorageState, url: str, camera: str, file: Path) -> None:
    context = open_context(browser, storage_state=session, viewport=PHONE, is_mobile=True, has_touch=True)
    page = context.new_page()
    past(page, url, camera, 15)
    save(page, file.parent, file.name)
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Takes the pictures of the README anew; wants a quiet machine.")
    parser.add_argument("--recorded", type=float, default=600, metavar="SECONDS", help="how long to record before")
    parser.add_argument("--cameras", type=int, default=25, metavar="COUNT", help="how many stand on the wall")
    parser.add_argument("--output", type=Path, default=IMAGES, metavar="FOLDER", help="where the pictures are put")
    parser.add_argument("--centre-only", action="store_true", help="the pages of the centre alone")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        if not wanted.centre_only:
            with demo(Path(folder) / "node", wanted.cameras, "--node-only") as link:
                take(browser, link, wanted)
        with demo(Path(folder) / "both", wanted.cameras, link="/account/link/") as link:
            take_centre(browser, link, wanted.cameras, wanted.output)


if __name__ == "__main__":
    main()

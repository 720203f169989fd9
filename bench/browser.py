"""What a person sees, in a real Chromium: from lens to glass, and from a click on the timeline to the picture.

A node with simulated cameras runs on the same machine. Each shown picture carries the instant it was made; the
page reads it from the pixels when the browser says that the picture is shown (requestVideoFrameCallback,
`expectedDisplayTime`), so that decoding and waiting count.
"""

import contextlib
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Locator, Page, sync_playwright

from bench.measure import percentile
from bench.processes import start, stop
from bench.result import ROOT, Result
from xomyen.camera.simulator.server import default_cache

_SCRIPT = ROOT / "bench" / "watching.js"
_LINK = re.compile(r"(http://127\.0\.0\.1:\d+/signin#\S+)")
_JUMP_MS = 4000  # a click goes at least so far from what is shown
_NEAR_MS = 1500  # a picture so near to the time clicked on is the one asked for


@contextlib.contextmanager
def node(cameras: int) -> Iterator[str]:
    """`xomyen demo` in a folder of its own; yields its sign-in link."""
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as folder:
        log = Path(folder) / "log"
        (Path(folder) / "node").mkdir()
        default_cache().mkdir(parents=True, exist_ok=True)
        (Path(folder) / "node" / "simulator").symlink_to(default_cache())
        with log.open("w") as out:
            process = start(
                "xomyen.cli", "demo", "--cameras", str(cameras), "--dir", f"{folder}/node", "--listen", "127.0.0.1:0",
                stderr=subprocess.STDOUT, stdout=out,
            )  # fmt: skip
        try:
            end = time.monotonic() + 300
            while not (found := _LINK.search(log.read_text())):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the demo did not start: {log.read_text()[-800:]}")
                time.sleep(0.5)
            yield found[1]
        finally:
            stop(process)


@contextlib.contextmanager
def chromium(link: str, layout: int, width: int = 1920, height: int = 1080) -> Iterator[Page]:
    """A signed-in page on the wall, with so many pictures, that reads every mark it shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--autoplay-policy=no-user-gesture-required", *(["--no-sandbox"] if sys.platform == "linux" else [])],
        )
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        page.add_init_script(f"localStorage.setItem('xomyen.layout', '{layout}')")
        page.add_init_script(path=_SCRIPT)
        page.goto(link)
        with contextlib.suppress(Exception):
            page.get_by_role("button").first.click(timeout=3000)
        yield page
        browser.close()


def _watch(page: Page, seconds: float, settle_s: float, every: int) -> tuple[list[dict[str, float]], float, list[Any]]:
    """Shown pictures, share of dropped ones, and each video's counts, over the seconds after settling."""
    page.evaluate(f"watching.every = {every}")
    page.wait_for_timeout(settle_s * 1000)
    before = page.evaluate("watchedQuality()")
    page.evaluate("watching.frames = []")
    page.wait_for_timeout(seconds * 1000)
    after = page.evaluate("watchedQuality()")
    total = sum(b["total"] - a["total"] for a, b in zip(before, after, strict=False))
    dropped = sum(b["dropped"] - a["dropped"] for a, b in zip(before, after, strict=False))
    return page.evaluate("watching.frames"), dropped / max(1, total), after


def live(seconds: float, settle_s: float = 15.0) -> list[Result]:
    """One camera's main stream at 1:1, then 25 sub-streams."""
    results = []
    with node(25) as link:
        with chromium(link, 1) as page:
            frames, dropped, quality = _watch(page, seconds, settle_s, 1)
            ages = [f["age"] for f in frames] or [float("inf")]
            results.append(
                Result(
                    "live, glass to glass, one camera at 1:1",
                    "median at most 300 ms",
                    f"median {median(ages):.0f} ms, p95 {percentile(ages, 0.95):.0f} ms over {len(ages)} pictures"
                    f" ({quality[0]['width'] if quality else 0} wide), {100 * dropped:.1f} % dropped",
                    median(ages) <= 300,
                )
            )
            cookies = page.context.storage_state()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_context(viewport={"width": 1920, "height": 1080}, storage_state=cookies).new_page()
            page.add_init_script("localStorage.setItem('xomyen.layout', '25')")
            page.add_init_script(path=_SCRIPT)
            page.goto(link.partition("/signin")[0] + "/")
            frames, dropped, quality = _watch(page, seconds, settle_s, 10)
            browser.close()
        ages = [f["age"] for f in frames] or [float("inf")]
        views = [[f["age"] for f in frames if f["view"] == view] for view in {f["view"] for f in frames}]
        worst = max(map(median, views), default=float("inf"))
        shown = sum(q["total"] > 0 for q in quality)
        results.append(
            Result(
                "live, glass to glass, 25 sub-stream views",
                "median at most 700 ms in each, under 2 % of pictures dropped",
                f"median {worst:.0f} ms in the slowest view, {median(ages):.0f} ms over all, p95"
                f" {percentile(ages, 0.95):.0f} ms; {shown} views, {100 * dropped:.1f} % dropped"
                " (every 10th picture of a view is read)",
                worst <= 700 and dropped < 0.02 and shown == len(views) == 25,
            )
        )
    return results


def seek(clicks: int, record_s: float = 60.0) -> list[Result]:
    """Clicks on the timeline of a camera at random places in what was recorded; GOPs of 2 s."""
    with node(4) as link:
        time.sleep(record_s)
        with chromium(link, 4) as page:
            page.wait_for_timeout(3000)
            origin = link.partition("/signin")[0]
            cameras = page.evaluate("fetch('/api/v1/cameras').then((r) => r.json())")
            first = (cameras.get("cameras") or cameras.get("items") if isinstance(cameras, dict) else cameras)[0]
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - record_s / 2))
            page.goto(f"{origin}/camera/{first['id']}?at={moment}")
            bar = page.locator("xy-timeline")
            bar.wait_for()
            page.wait_for_timeout(3000)
            spent: list[float] = []
            chance = random.Random(1)
            for _ in range(clicks):
                took = _click(page, bar, chance, record_s)
                spent.append(float("inf") if took is None else took)
    missed = spent.count(float("inf"))
    return [
        Result(
            "click on the timeline to first picture (GOP of 2 s)",
            "p95 at most 300 ms",
            f"p95 {percentile(spent, 0.95):.0f} ms, median {median(spent):.0f} ms over {clicks} clicks;"
            f" {missed} of them led to no picture of that time within 3 s and count as infinitely long",
            percentile(spent, 0.95) <= 300,
        )
    ]


def _click(page: Page, bar: Locator, chance: random.Random, record_s: float) -> float | None:
    """Milliseconds from the click to a picture of the time that was clicked on; None when none came."""
    middle = (time.time() - record_s / 2) * 1000
    bar.evaluate("(line, [middle, span]) => line.show(middle, span)", [middle, record_s * 600])
    page.wait_for_timeout(300)
    # What it shows now: it may have followed the picture meanwhile.
    scale = bar.evaluate("(line) => line.shownScale")
    playing = page.evaluate("watching.frames.length ? watching.frames.at(-1).at : 0")
    latest = time.time() * 1000 - _JUMP_MS  # a click beyond now leads to what is live
    share, target = 0.0, playing
    while abs(target - playing) < _JUMP_MS or target > latest:
        share = chance.uniform(0.1, 0.9)
        target = scale["fromMs"] + share * scale["spanMs"]
    page.evaluate("watching.frames = []")
    box = bar.bounding_box() or {"x": 0, "y": 0, "width": 1, "height": 1}
    page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.7)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        page.wait_for_timeout(100)
        clicked, frames = page.evaluate("[watching.clicked, watching.frames]")
        for frame in frames:
            if frame["shown"] >= clicked and abs(frame["at"] - target) < _NEAR_MS:
                page.wait_for_timeout(500)
                return float(frame["shown"] - clicked)
    return None

"""Players that nobody here wrote show exactly the pictures of a clip's range."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from tests.interop.packages import need_vlc
from tests.numbered_footage import FRAME_NS, HEIGHT, START_NS, WIDTH, Footage, encode, read_number

from xomyen.playback.clip import plan_clip
from xomyen.terms.words import VideoCodec

pytestmark = pytest.mark.timeout(300)  # players are started, some again and again

FIRST, END = 33, 77
WANTED = list(range(FIRST, END))
SECONDS = len(WANTED) / 25
KINDS = {
    "h264": {"b_frames": 0},
    "h264 with B-frames": {"b_frames": 3},
    "h265": {"codec": VideoCodec.H265, "b_frames": 0},
    "h265 with B-frames": {"codec": VideoCodec.H265, "b_frames": 3},
}
# The npm package, as the web parts lock it.
MP4BOX = Path(__file__).parents[2] / "web/node_modules/mp4box/dist/mp4box.all.mjs"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for name, options in KINDS.items():
        footage = Footage(folder / "video")
        footage.record(*encode(150, **options), checkpoint_after=2)
        made[name] = folder / f"{name.replace(' ', '-')}.mp4"
        clip = plan_clip(footage.segments, START_NS + FIRST * FRAME_NS, START_NS + END * FRAME_NS)
        made[name].write_bytes(clip.read())
    return made


def numbers(gray: bytes) -> list[int]:
    return [read_number(image) for image in np.frombuffer(gray, dtype=np.uint8).reshape(-1, HEIGHT, WIDTH)]


@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg(clips: dict[str, Path], kind: str) -> None:
    command = ["ffmpeg", "-v", "warning", "-i", str(clips[kind]), "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"], capture_output=True, check=True)
    assert numbers(done.stdout) == WANTED
    assert done.stderr == b""


@pytest.mark.parametrize("kind", KINDS)
def test_gstreamer(clips: dict[str, Path], kind: str, tmp_path: Path) -> None:
    codec = kind[:4]
    chain = f"qtdemux ! {codec}parse ! avdec_{codec} ! videoconvert ! video/x-raw,format=GRAY8"
    command = ["gst-launch-1.0", "-q", "filesrc", f"location={clips[kind]}", "!", *chain.split()]
    subprocess.run([*command, "!", "filesink", f"location={tmp_path / 'gray'}"], check=True, timeout=200)
    assert numbers((tmp_path / "gray").read_bytes()) == WANTED


_PLAY = """
async ({media, times, width, height, last}) => {
  const bytes = Uint8Array.from(atob(media), c => c.charCodeAt(0));
  const video = document.createElement('video');
  document.body.append(video);
  video.muted = true;
  const canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const read = () => {
    context.drawImage(video, 0, 0, width, height);
    const data = context.getImageData(0, 0, width, height).data;
    let number = 0;
    for (let bit = 0; bit < 16; bit++) {
      const x = Math.floor((bit % 4 + 0.5) * width / 4), y = Math.floor((Math.floor(bit / 4) + 0.5) * height / 4);
      if (data[(y * width + x) * 4] > 128) number |= 1 << bit;
    }
    return number;
  };
  const shown = () => new Promise(done => video.requestVideoFrameCallback(done));
  let next = shown();
  const broken = new Promise((_, fail) => { video.onerror = () => fail(new Error(video.error.message)); });
  video.src = URL.createObjectURL(new Blob([bytes], {type: 'video/mp4'}));
  await Promise.race([next, broken]);
  const found = {start: video.currentTime, duration: video.duration, first: read(), sought: []};
  for (const time of times) {
    next = shown();
    video.currentTime = time;
    await next;
    found.sought.push(read());
  }
  video.currentTime = 0;
  const ended = new Promise(done => { video.onended = done; });
  await video.play();
  await ended;
  // The picture may come on the screen a little after the end was told.
  for (let tries = 0; tries < 100 && read() !== last; tries++) await new Promise(done => setTimeout(done, 100));
  found.last = read();
  return found;
}
"""


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["h264", "h264 with B-frames"])
def test_chromium(clips: dict[str, Path], kind: str) -> None:
    media = base64.b64encode(clips[kind].read_bytes()).decode()
    asked = [40, 50, 60, 76, 34]
    times = [(number - FIRST + 0.5) / 25 for number in asked]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        page = browser.new_page()
        found = page.evaluate(
            _PLAY, {"media": media, "times": times, "width": WIDTH, "height": HEIGHT, "last": END - 1}
        )
        browser.close()
    assert (found["start"], found["first"], found["last"]) == (0, FIRST, END - 1)
    assert found["duration"] == pytest.approx(SECONDS, abs=0.001)
    assert found["sought"] == asked


@pytest.mark.parametrize("kind", KINDS)
def test_mp4box_reads_it_without_a_warning(clips: dict[str, Path], kind: str) -> None:
    script = Path(__file__).with_name("clip.mjs")
    done = subprocess.run(["node", script, MP4BOX, clips[kind]], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["codec"].startswith("avc1." if kind.startswith("h264") else "hvc1.")
    assert (found["fragmented"], found["tracks"]) == (False, 1)
    assert found["duration"] == found["edit"] == pytest.approx(SECONDS)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter and write to; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_vlc_shows_every_picture_asked_for_and_ends_with_the_last(clips: dict[str, Path], open_folder: Path) -> None:
    clip = open_folder / "clip.mp4"
    clip.write_bytes(clips["h264"].read_bytes())
    clip.chmod(0o644)
    # VLC closes its display at the end, on a busy machine before the last picture came on it: then once more.
    for attempt in range(10):
        scenes = open_folder / str(attempt)
        scenes.mkdir()
        scenes.chmod(0o777)
        # VLC 3.0 follows an edit list's start but shows what is decoded before it.
        asked = [number for number in dict.fromkeys(shown_by_vlc(clip, scenes)) if number >= FIRST]
        assert asked == WANTED[: len(asked)]
        assert len(asked) >= len(WANTED) - 1
        if asked == WANTED:
            return
    raise AssertionError("VLC never showed the last picture")


def shown_by_vlc(clip: Path, scenes: Path) -> list[int]:
    """The numbers of the pictures that VLC puts on a display that keeps each."""
    command = ["cvlc", "-q", "--no-audio", "--no-drop-late-frames", "--no-skip-frames", "--vout=dummy"]
    scene = ["--video-filter=scene", "--scene-format=png", "--scene-ratio=1", f"--scene-path={scenes}"]
    nobody = 65534 if os.geteuid() == 0 else None  # VLC refuses to run as root
    environment = {**os.environ, "HOME": str(scenes)}
    subprocess.run(
        [*command, *scene, str(clip), "vlc://quit"], check=True, timeout=200, env=environment, user=nobody, group=nobody
    )
    seen = []
    for picture in sorted(scenes.glob("*.png")):
        with av.open(str(picture)) as container:
            seen += [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    return seen


@pytest.mark.parametrize("b_frames", [0, 3])
def test_vlc_has_something_to_show_far_from_the_keyframe(tmp_path: Path, b_frames: int) -> None:
    # As it comes VLC drops what is late, here of the 110 pictures before the first asked for; were they dropped
    # without being decoded, nothing could be made of those asked for. Which it has time to show is its own affair.
    need_vlc()
    footage = Footage(tmp_path / "video")
    footage.record(*encode(150, gop=120, b_frames=b_frames))
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(plan_clip(footage.segments, START_NS + 110 * FRAME_NS, START_NS + 118 * FRAME_NS).read())
    # On a machine that is busy for a moment VLC may have no time for any of the eight: then once more.
    for _ in range(20):
        asked = [number for number in displayed_by_vlc(clip) if number >= 110]
        assert asked == sorted(asked)
        # With B-frames it also shows what was decoded for the last picture; those are at most the reordered ones.
        assert all(number <= 117 + b_frames for number in asked)
        if len(set(asked) & set(range(110, 118))) > 1:
            return
    raise AssertionError("VLC showed nothing of the clip")


def displayed_by_vlc(clip: Path) -> list[int]:
    script = Path(__file__).with_name("vlc_display.py")
    done = subprocess.run(
        [sys.executable, str(script), str(clip)],
        capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    return [int(line) for line in done.stdout.split()]


@pytest.mark.parametrize("kind", KINDS)
def test_the_media_lasts_as_long_as_what_is_shown(clips: dict[str, Path], kind: str) -> None:
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=duration", "-of", "csv=p=0", str(clips[kind])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(SECONDS, abs=0.0001)

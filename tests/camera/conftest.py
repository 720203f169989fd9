"""Videos that sources through libav are tried with; each is made once, when a test first asks for it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.sample_video import H264_B_FRAMES, H264_PLAIN, H265_B_FRAMES, make_video

_MADE_WITH: dict[str, tuple[tuple[str, ...], float]] = {
    "h264.mp4": (H264_B_FRAMES, 2),
    "h265.mp4": (H265_B_FRAMES, 2),
    "h264.ts": (H264_B_FRAMES, 2),
    "h265.mkv": (H265_B_FRAMES, 2),
    "plain.flv": ((*H264_B_FRAMES, "-ar", "44100"), 2),
    "motion.avi": (("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), 2.2),
    "vp8.webm": (("-c:v", "libvpx", "-c:a", "libvorbis"), 1),
    "plain.mp4": (H264_PLAIN, 1),
}


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The path of a video by its name."""
    folder = tmp_path_factory.mktemp("videos")

    @cache
    def made(name: str) -> Path:
        codec, seconds = _MADE_WITH[name]
        return make_video(folder / name, *codec, seconds=seconds)

    return made

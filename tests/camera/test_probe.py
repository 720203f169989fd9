"""What a probe makes of the pictures it has seen."""

import pytest
from tests.numbered_footage import encode

from xomyen.camera.probe import _Look
from xomyen.camera.source import Batch, CodecConfig


@pytest.fixture
def config() -> CodecConfig:
    return encode(3)[0]


def look_at(look: _Look, pts: list[int], first_dts: int, at_once: int) -> None:
    """Hands the pictures over in batches of so many."""
    for start in range(0, len(pts), at_once):
        batch = Batch()
        batch.pts_ticks = pts[start : start + at_once]
        batch.dts_ticks = [first_dts + 3600 * (start + index) for index in range(len(batch.pts_ticks))]
        batch.sizes = [1000] * len(batch.pts_ticks)
        batch.keys = [start + index == 0 for index in range(len(batch.pts_ticks))]
        look.write(batch)


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_b_frames_are_seen_however_the_pictures_are_handed_over(config: CodecConfig, at_once: int) -> None:
    look = _Look()
    look.opened(config)
    look_at(look, [7200, 18000, 10800, 14400, 28800, 21600], 0, at_once)
    assert look.result("rtsp://camera", "", False).b_frames


@pytest.mark.parametrize("at_once", [1, 9])
def test_b_frames_of_a_stream_that_was_replaced_count_no_more(config: CodecConfig, at_once: int) -> None:
    look = _Look()
    look.opened(config)
    look_at(look, [7200, 18000, 10800, 14400], 0, at_once)
    look.opened(config)
    look_at(look, [3600, 7200, 10800], 3600, at_once)
    assert not look.result("rtsp://camera", "", False).b_frames

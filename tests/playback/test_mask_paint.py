"""The painter of masks: which pixels and which chroma samples go black, in pictures of any size."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.masked_pictures import LOWER_RIGHT, UPPER_LEFT

from xomyen.bus.messages import MASK_UNITS, MOST_CORNERS, MOST_MASKS
from xomyen.playback.mask_paint import MaskPainter, covered
from xomyen.playback.masks import Masks, masks_name, read_masks, write_masks

WHOLE: Masks = (((0, 0), (MASK_UNITS, 0), (MASK_UNITS, MASK_UNITS), (0, MASK_UNITS)),)
LINE: Masks = (((1000, 1000), (9000, 1000), (5000, 1000)),)
POINT: Masks = (((3333, 3333),) * 3,)
BOW: Masks = (((1000, 1000), (9000, 9000), (9000, 1000), (1000, 9000)),)
STAR: Masks = (((5000, 0), (8000, 10_000), (0, 3800), (10_000, 3800), (2000, 10_000)),)
ODD: Masks = (((10_000, 10_000), (9999, 10_000), (10_000, 9999)),)

corners = st.tuples(st.integers(0, MASK_UNITS), st.integers(0, MASK_UNITS))
polygons = st.lists(corners, min_size=3, max_size=MOST_CORNERS).map(tuple)
many = st.lists(polygons, min_size=1, max_size=3).map(tuple)
sizes = st.tuples(st.integers(2, 65), st.integers(2, 49))


def _turns(polygon: tuple[tuple[int, int], ...], x: Fraction, y: Fraction) -> int:
    """How often the outline winds around a point."""
    turns = 0
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        side = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
        if ay <= y < by and side > 0:
            turns += 1
        elif by <= y < ay and side < 0:
            turns -= 1
    return turns


def _distance(polygon: tuple[tuple[int, int], ...], x: float, y: float, scale: tuple[float, float]) -> float:
    """Of a point to the outline, all in pixels."""
    points = np.array(polygon, dtype=np.float64) * scale
    ends = np.roll(points, -1, axis=0)
    along = ends - points
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    part = np.clip((((x, y) - points) * along).sum(axis=1) / length, 0, 1)[:, None]
    return float(np.hypot(*((points + part * along) - (x, y)).T).min())


@settings(max_examples=60, deadline=None)
@given(masks=many, size=sizes)
@example(masks=WHOLE, size=(7, 5))
@example(masks=BOW, size=(33, 31))
@example(masks=STAR, size=(64, 48))
@example(masks=ODD, size=(3, 3))
def test_every_pixel_in_a_polygon_is_covered_and_none_that_the_polygon_does_not_touch(
    masks: Masks, size: tuple[int, int]
) -> None:
    width, height = size
    found = covered(masks, width, height)
    scale = (width / MASK_UNITS, height / MASK_UNITS)
    for row in range(height):
        for column in range(width):
            middle = Fraction(2 * column + 1, 2 * width) * MASK_UNITS, Fraction(2 * row + 1, 2 * height) * MASK_UNITS
            inside = any(_turns(polygon, *middle) for polygon in masks)
            if inside:
                assert found[row, column], (row, column)
            elif found[row, column]:
                near = min(_distance(polygon, column + 0.5, row + 0.5, scale) for polygon in masks)
                assert near <= 0.5**0.5 + 1e-6, (row, column)


@pytest.mark.parametrize(
    ("masks", "size", "count"),
    [
        (WHOLE, (1921, 1081), 1921 * 1081),
        (UPPER_LEFT, (320, 192), 160 * 96),  # on the borders of pixels: not one more
        (LOWER_RIGHT, (321, 193), 161 * 97),  # through the middle of pixels: these too
        (LINE, (100, 55), 80),  # nothing but an outline, within one row
        (LINE, (100, 50), 0),  # nothing at all: it runs between two rows
        (POINT, (100, 50), 1),
        (ODD, (100, 50), 1),
    ],
)
def test_what_is_covered_is_counted_in_whole_pixels(masks: Masks, size: tuple[int, int], count: int) -> None:
    assert covered(masks, *size).sum() == count


def _frame(width: int, height: int, format_name: str, seed: int = 0) -> av.VideoFrame:
    """Noise, so that nothing is black by chance for long."""
    frame = av.VideoFrame(width, height, format_name)
    noise = np.random.default_rng(seed)
    for plane in frame.planes:
        plane.update(noise.integers(30, 226, plane.buffer_size, dtype=np.uint8).tobytes())
    return frame


def _planes(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    rows = [np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
    return [row[: plane.height, : plane.width].copy() for row, plane in zip(rows, frame.planes, strict=True)]


@settings(max_examples=60, deadline=None)
@given(masks=many, size=sizes, format_name=st.sampled_from(["yuv420p", "yuvj420p", "yuv422p", "yuv444p"]))
@example(masks=WHOLE, size=(63, 47), format_name="yuv420p")
@example(masks=ODD, size=(65, 49), format_name="yuv420p")
def test_no_colour_and_no_light_of_what_is_covered_is_left_and_nothing_far_from_it_changes(
    masks: Masks, size: tuple[int, int], format_name: str
) -> None:
    before = _planes(_frame(*size, format_name))
    after = _planes(MaskPainter(masks).paint(_frame(*size, format_name)))
    hidden = covered(masks, *size)
    assert (after[0][hidden] == (0 if "j" in format_name else 16)).all()
    assert (after[0][~hidden] == before[0][~hidden]).all()
    down, across = -(-size[1] // before[1].shape[0]), -(-size[0] // before[1].shape[1])
    rows, columns = np.nonzero(hidden)
    wide = np.zeros_like(hidden)
    for y, x in zip(rows, columns, strict=True):
        wide[max(0, y - 2 * down - 1) : y + 2 * down + 2, max(0, x - 2 * across - 1) : x + 2 * across + 2] = True
    for plane, was in zip(after[1:], before[1:], strict=True):
        # A player that mixes neighbouring samples finds no colour either.
        for y, x in {(y // down, x // across) for y, x in zip(rows, columns, strict=True)}:
            assert (plane[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] == 128).all()
        far = ~wide[::down, ::across][: plane.shape[0], : plane.shape[1]]
        assert (plane[far] == was[far]).all()


def _coded(pictures: int) -> tuple[Any, list[Any]]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 98, 66, "yuv420p", Fraction(1, 25)
    encoder.options = {"preset": "veryfast", "x264-params": "bframes=2:keyint=100"}
    packets = []
    for number in range(pictures):
        frame = _frame(98, 66, "yuv420p", number // 4)
        frame.pts = number
        packets += encoder.encode(frame)
    return encoder, [*packets, *encoder.encode(None)]


def test_pictures_that_are_made_of_a_painted_one_are_as_the_camera_meant_them() -> None:
    encoder, packets = _coded(24)

    def shown(painter: MaskPainter) -> list[list[NDArray[np.uint8]]]:
        decoder = av.CodecContext.create("h264", "r")
        decoder.extradata = encoder.extradata
        return [_planes(painter.paint(frame)) for packet in (*packets, None) for frame in decoder.decode(packet)]

    hidden = covered(UPPER_LEFT, 98, 66)
    whole, masked = shown(MaskPainter(())), shown(MaskPainter(UPPER_LEFT))
    assert len(whole) == len(masked) == 24
    for one, other in zip(whole, masked, strict=True):
        assert (other[0][hidden] == 16).all()
        assert (other[0][~hidden] == one[0][~hidden]).all()


@pytest.mark.parametrize("format_name", ["nv12", "yuv420p10le", "rgb24", "gray"])
def test_pictures_of_other_formats_are_painted_too(format_name: str) -> None:
    frame = _frame(98, 66, "yuv444p").reformat(format=format_name)
    frame.pts = 5
    painted = MaskPainter(UPPER_LEFT).paint(frame)
    assert (painted.pts, painted.width, painted.height) == (5, 98, 66)
    assert (_planes(painted)[0][covered(UPPER_LEFT, 98, 66)] == 16).all()


def test_black_is_black_in_pictures_that_use_the_full_range() -> None:
    frame = _frame(98, 66, "yuv420p")
    frame.color_range = ColorRange.JPEG
    assert (_planes(MaskPainter(WHOLE).paint(frame))[0] == 0).all()


def test_a_stream_that_changes_its_size_goes_on_masked() -> None:
    painter = MaskPainter(UPPER_LEFT)
    for size in ((98, 66), (64, 48), (98, 66)):
        luma = _planes(painter.paint(_frame(*size, "yuv420p")))[0]
        assert (luma[covered(UPPER_LEFT, *size)] == 16).all()


@settings(max_examples=30)
@given(masks=st.lists(polygons, max_size=MOST_MASKS).map(tuple))
def test_masks_travel_to_a_process_as_they_are(masks: Masks) -> None:
    assert read_masks(write_masks(masks)) == masks
    assert bool(masks_name(masks)) == bool(masks)


@pytest.mark.parametrize("text", ["", "1", "[1]", "[[1]]", "[[[1]]]", '[[["a","b"]]]', "null"])
def test_what_are_no_masks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no masks"):
        read_masks(text)

"""Reads the mark that simulated cameras burn into their pictures: see `xomyen.camera.simulator.display`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xomyen.camera.simulator import display

_DAY_NS = 86_400 * 1_000_000_000
_SIZES = ((1920, 1080), (640, 360), (1280, 720), (704, 576), (2560, 1440), (3840, 2160), (640, 480), (800, 448))


@dataclass(frozen=True)
class Mark:
    """What a picture says of itself."""

    counter: int  # number of the picture within the UTC day, or within the loop when `looped`
    fps: int
    looped: bool

    def wall_ns(self, near_ns: int) -> int:
        """The instant of this picture, UTC, on the day nearest to `near_ns`. Not for looped marks."""
        assert not self.looped, "a looped mark carries no wall clock"
        of_day = self.counter * 1_000_000_000 // self.fps
        days = round((near_ns - of_day) / _DAY_NS)
        return days * _DAY_NS + of_day


class NoMarkError(AssertionError):
    """The picture carries no mark that can be trusted."""


def read_mark(image: NDArray[np.uint8]) -> Mark:
    """The mark of a picture: gray (h, w), RGB or RGBA (h, w, 3 or 4); scaled pictures of 16:9 or 4:3 too.

    Raises NoMarkError when no place holds one with the right frame and check bits.
    """
    gray = image.astype(np.float32)
    if gray.ndim == 3:
        gray = gray[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    height, width = gray.shape
    own = [(width, height)] if width >= 640 else []
    for size in [*own, *_SIZES]:
        mark = _read_as(gray, display.layout(*size))
        if mark:
            return mark
    raise NoMarkError(f"no mark in a picture of {width}x{height}")


def _read_as(gray: NDArray[np.float32], where: display.Layout) -> Mark | None:
    height, width = gray.shape
    across, down = width / where.width, height / where.height
    top, bottom = where.mark_y * down, (where.mark_y + where.mark_height) * down
    quarter = (bottom - top) / 4
    first, last = int(top + quarter), max(int(top + quarter) + 1, int(np.ceil(bottom - quarter)))
    rows = gray[first:last].mean(axis=0)
    values = []
    for cell in range(display.MARK_CELLS):
        left = (where.mark_x + cell * where.cell) * across
        size = where.cell * across
        a = int(left + size * 0.3)
        values.append(float(rows[a : max(a + 1, int(np.ceil(left + size * 0.7)))].mean()))
    low, high = min(values), max(values)
    if high - low < 60:
        return None
    middle = (low + high) / 2
    if any(abs(v - middle) < (high - low) / 10 for v in values):
        return None
    bits = [int(v > middle) for v in values]
    payload, check = bits[2:30], bits[30:35]
    if bits[:2] != [1, 0] or bits[35] != 1 or _number(check) != display.crc5(payload):
        return None
    return Mark(_number(payload[:22]), _number(payload[22:27]), bool(payload[27]))


def _number(bits: list[int]) -> int:
    return int("".join(map(str, bits)), 2)

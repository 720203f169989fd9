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
    high, low = values[:2]
    if high - low < 30:
        return None
    levels = [(value - low) / (high - low) * 3 for value in values[2:]]
    if any(abs(level - round(level)) > 0.4 or not 0 <= round(level) <= 3 for level in levels):
        return None
    bits = [bit for level in levels for bit in divmod(round(level), 2)]
    payload, check = bits[:28], bits[28:33]
    if bits[33] != 1 or _number(check) != display.crc5(payload):
        return None
    return Mark(_number(payload[:22]), _number(payload[22:27]), bool(payload[27]))


def _number(bits: list[int]) -> int:
    return int("".join(map(str, bits)), 2)

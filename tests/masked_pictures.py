"""Looks at numbered pictures for what masks must have blackened and what they must have left."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.gateway_node import HEIGHT, WIDTH, numbered_picture, read_number

from xomyen.playback.masks import Masks

UPPER_LEFT: Masks = (((0, 0), (5000, 0), (5000, 5000), (0, 5000)),)  # bits 0, 1, 4 and 5 of the number
LOWER_RIGHT: Masks = (((5000, 5000), (10_000, 5000), (10_000, 10_000), (5000, 10_000)),)  # bits 10, 11, 14 and 15
EDGE = 6  # pixels beside an edge that coding blurs
_CODED = 40  # how far coding twice may be off, in shades
BLACK = 8


def hides_upper_left(image: NDArray[Any], number: int) -> bool:
    """Whether the numbered picture is black in its upper left quarter and as it was elsewhere."""
    assert image.shape == (HEIGHT, WIDTH)
    inside, outside = np.zeros((2, HEIGHT, WIDTH), dtype=np.bool_)
    inside[: HEIGHT // 2 - EDGE, : WIDTH // 2 - EDGE] = True
    outside[HEIGHT // 2 + EDGE :] = outside[:, WIDTH // 2 + EDGE :] = True
    whole = _shown(numbered_picture(number))
    off = np.abs(image.astype(np.int16) - whole)
    return bool(image[inside].max() <= BLACK and off[outside & _smooth(whole)].max() <= _CODED)


def hides_lower_right(image: NDArray[Any], number: int) -> bool:
    """The same of the lower right quarter."""
    turned = numbered_picture(number)[::-1, ::-1]
    return hides_upper_left(image[::-1, ::-1], read_number(turned))


def is_whole(image: NDArray[Any], number: int) -> bool:
    """Whether nothing of the numbered picture is missing."""
    whole = _shown(numbered_picture(number))
    return bool(np.abs(image.astype(np.int16) - whole)[_smooth(whole)].max() <= _CODED)


def _shown(luma: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Luma as shades of gray (ITU-R BT.709 §3.4)."""
    return np.clip((luma.astype(np.float32) - 16) * 255 / 219, 0, 255).astype(np.int16)


def _smooth(image: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Where no edge between two blocks is near."""
    block = np.add.outer(np.arange(HEIGHT) % (HEIGHT // 4), 1000 * (np.arange(WIDTH) % (WIDTH // 4)))
    rows, columns = block % 1000, block // 1000
    return (rows >= EDGE) & (rows < HEIGHT // 4 - EDGE) & (columns >= EDGE) & (columns < WIDTH // 4 - EDGE)

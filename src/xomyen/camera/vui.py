"""What the video usability information of H.264 and H.265 has in common: shape of a pixel, colour, timing."""

from dataclasses import dataclass
from fractions import Fraction

from xomyen.camera.bits import BitReader, BitstreamError

# Sample aspect ratios by aspect_ratio_idc (H.264 Table E-1, H.265 Table E.1).
_RATIOS = (
    None, (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
_EXTENDED_RATIO = 255


@dataclass(frozen=True, slots=True)
class Colour:
    """Code points of ITU-T H.273: primaries, transfer, matrix; and whether 0..255 is used in full."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


def read_ratio(bits: BitReader) -> tuple[int, int] | None:
    """aspect_ratio_idc and what follows it: width : height of a pixel, or None when unspecified."""
    code = bits.u(8)
    if code == _EXTENDED_RATIO:
        width, height = bits.u(16), bits.u(16)
        return (width, height) if width and height else None
    return _RATIOS[code] if code < len(_RATIOS) else None


def read_colour(bits: BitReader) -> Colour | None:
    """video_format and what follows it; None without a colour description."""
    bits.u(3)  # video_format
    full_range = bits.flag()
    if not bits.flag():
        return None
    return Colour(bits.u(8), bits.u(8), bits.u(8), full_range)


def read_rate(bits: BitReader, units_per_picture: int) -> Fraction | None:
    """num_units_in_tick and time_scale as pictures per second; None when they are nonsense."""
    units, scale = bits.u(32), bits.u(32)
    if not units or not scale:
        return None
    rate = Fraction(scale, units * units_per_picture)
    return rate if rate <= 1000 else None


def cropped(size: int, unit: int, first: int, last: int, name: str) -> int:
    """Pixels left of `size` after cropping `first` and `last` units from its two ends."""
    left = size - unit * (first + last)
    if left <= 0 or left > 0xFFFF:
        raise BitstreamError(f"{name} of {left} pixels")
    return left

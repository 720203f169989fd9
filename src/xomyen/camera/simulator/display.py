"""The on-screen display of a simulated camera: date, clock, name, and a mark that machines read.

The display stands in a black band along the upper edge. The mark is a row of 19 dark cells at its right end,
hardly seen by people, each of one of four levels of grey. The first two are the lightest and the darkest, by
which the others are measured; those carry two bits each:

    counter 22 bits | fps 5 bits | looped 1 bit | CRC-5 | 1          most significant bit first

`counter` is the number of the frame within the UTC day, or within the loop of pictures when `looped` is set.
The CRC has the polynomial x^5+x^2+1 over the 28 bits before it. Everything stands on the grid of 16×16
macroblocks, so that the band can be a slice of its own.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xomyen.terms.errors import InvalidConfiguration

Luma = NDArray[np.uint8]

BLACK = 16
WHITE = 208  # 192 above black: a multiple of 4, see `osd_slice`
MARK_STEP = 16  # luma from level to level of the mark: a multiple of 8, see `osd_slice`
MARK_CELLS = 19
COUNTER_BITS = 22
FPS_BITS = 5
_MACROBLOCK = 16

# 5×7 letters, one byte per column, lowest bit on top.
_GLYPHS = {
    "0": "3E5149453E", "1": "00427F4000", "2": "4261514946", "3": "2141454B31", "4": "1814127F10",
    "5": "2745454539", "6": "3C4A494930", "7": "0171090503", "8": "3649494936", "9": "064949291E",
    ":": "0036360000", "-": "0808080808", "/": "2010080402", ".": "0060600000", " ": "0000000000",
    "A": "7E1111117E", "B": "7F49494936", "C": "3E41414122", "D": "7F4141221C", "E": "7F49494941",
    "F": "7F09090901", "G": "3E4149497A", "H": "7F0808087F", "I": "00417F4100", "J": "2040413F01",
    "K": "7F08142241", "L": "7F40404040", "M": "7F020C027F", "N": "7F0408107F", "O": "3E4141413E",
    "P": "7F09090906", "Q": "3E4151215E", "R": "7F09192946", "S": "4649494931", "T": "01017F0101",
    "U": "3F4040403F", "V": "1F2040201F", "W": "3F4038403F", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543",
}  # fmt: skip
GLYPH_ADVANCE = 6  # columns from letter to letter
NAME_LETTERS = 18  # at most; 8 below 1280 pixels of width


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in the band, in pixels of the picture it is made for."""

    width: int
    height: int
    text_scale: int  # pixels per dot of a letter
    text_height: int  # the text's rows begin at 0
    mark_x: int
    mark_y: int
    mark_height: int
    cell: int  # pixels; width of one cell of the mark
    band: int  # height of the whole display
    name_x: int  # the name's column, on the macroblock grid; the clock stands left of it

    @property
    def name_end(self) -> int:
        """The column right of the name, on the macroblock grid."""
        return min(
            self.mark_x, self.name_x + NAME_LETTERS * GLYPH_ADVANCE * self.text_scale // _MACROBLOCK * _MACROBLOCK
        )


def layout(width: int, height: int) -> Layout:
    """The display's places for a picture size. Raises InvalidConfiguration below 640 pixels of width."""
    if width < 640 or height < 240 or width % 2 or height % 2:
        raise InvalidConfiguration(
            f"a simulated picture of {width}x{height} has no room for its display: use even sizes from 640x240"
        )
    scale, rows = (4, 32) if width >= 1280 else (2, 16)
    mark_x = (width // _MACROBLOCK - MARK_CELLS) * _MACROBLOCK
    name_x = 480 if width >= 1280 else 240
    return Layout(width, height, scale, rows, mark_x, 0, rows, _MACROBLOCK, rows, name_x)


def crc5(bits: list[int]) -> int:
    """CRC with the polynomial x^5+x^2+1, start 0b11111, so that an all-black row does not pass."""
    register = 0b11111
    for bit in bits:
        top = register >> 4 & 1
        register = register << 1 & 0b11111
        if top ^ bit:
            register ^= 0b00101
    return register


def mark_levels(counter: int, fps: int, looped: bool) -> list[int]:
    """The cells of a mark, 0 (black) to 3."""
    payload = _bits(counter % (1 << COUNTER_BITS), COUNTER_BITS) + _bits(fps, FPS_BITS) + [int(looped)]
    bits = [*payload, *_bits(crc5(payload), 5), 1]
    return [3, 0, *(2 * high + low for high, low in zip(bits[::2], bits[1::2], strict=True))]


def _bits(value: int, count: int) -> list[int]:
    return [value >> shift & 1 for shift in range(count - 1, -1, -1)]


def plain_letters(text: str) -> str:
    """What the display's letters can show: capitals without diacritics, as simple cameras write them."""
    text = text.replace("đ", "d").replace("Đ", "D")
    stripped = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return "".join(c if c in _GLYPHS else " " for c in stripped.upper())


def draw_text(area: Luma, text: str, scale: int, left: int = 0) -> None:
    """Writes the text white into a luma area, vertically centred, cut at the right edge."""
    top = max(0, (area.shape[0] - 7 * scale) // 2)
    for letter in plain_letters(text):
        if left + 5 * scale > area.shape[1]:
            return
        columns = np.frombuffer(bytes.fromhex(_GLYPHS[letter]), np.uint8)
        dots = (columns[None, :] >> np.arange(7, dtype=np.uint8)[:, None] & 1).astype(bool)
        big = np.kron(dots, np.ones((scale, scale), bool))
        area[top : top + 7 * scale, left : left + 5 * scale][big] = WHITE
        left += GLYPH_ADVANCE * scale


def draw_mark(band: Luma, where: Layout, levels: list[int]) -> None:
    """Paints the mark's cells into the band."""
    row = np.repeat(np.array(levels, np.uint8) * MARK_STEP + BLACK, where.cell)
    band[where.mark_y : where.mark_y + where.mark_height, where.mark_x : where.mark_x + row.size] = row


def draw_clock(band: Luma, where: Layout, text: str) -> None:
    """Writes date and clock (19 letters) at the upper left; what stood there is painted over."""
    area = band[: where.text_height, : where.name_x]
    area[:] = BLACK
    draw_text(area, text, where.text_scale, left=where.text_scale * 2)


def draw_name(band: Luma, where: Layout, name: str) -> None:
    """Writes the camera's name right of the clock: as many whole words as fit, or a part of the first."""
    area = band[: where.text_height, where.name_x : where.name_end]
    area[:] = BLACK
    left = where.text_scale * 2
    letters = (area.shape[1] - left + where.text_scale) // (GLYPH_ADVANCE * where.text_scale)
    words = plain_letters(name).split()
    while len(words) > 1 and len(" ".join(words)) > letters:
        words.pop()
    draw_text(area, " ".join(words), where.text_scale, left)


def blank_band(where: Layout) -> Luma:
    """An empty display, padded to whole macroblocks on the right."""
    return np.full((where.band, -(-where.width // _MACROBLOCK) * _MACROBLOCK), BLACK, np.uint8)

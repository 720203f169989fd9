"""H.264 slices written by hand: the few kinds of macroblock that a display needs, exact to the bit.

Intra_16x16 macroblocks with a single DC coefficient for flat ones, I_PCM for letters, P_Skip for what stays
(ITU-T H.264 §7.3.4, §7.3.5). Reconstruction is exact, because at QP 40 one DC level is a step of 4 in luma
(§8.5.10) and all levels of the display are multiples of 4 apart; so nothing drifts.

It needs CAVLC, one reference picture, picture order count type 2 and no weighted prediction, which is how
`encoding` asks for it.
"""

import re
from dataclasses import dataclass

from xomyen.camera.bits import BitReader
from xomyen.camera.simulator import display
from xomyen.terms.errors import InvalidConfiguration

MB = 16
_QP = 40
_STEP = 4  # luma per DC level at QP 40: 2.5 · 2^(40/6 rounded down − 6) · 16/10
_I_16X16_DC = 3  # mb_type in an I slice: prediction mode 2, no AC, no chroma (Table 7-11)
_I_PCM = 25
_INTRA_IN_P = 5  # added to an I slice's mb_type (Table 7-13)
_CHROMA = b"\x80" * 128
_ESCAPE = re.compile(b"\0\0(?=[\0-\3])")


@dataclass(frozen=True, slots=True)
class SliceSyntax:
    """What of the parameter sets and slice headers the display's slices must repeat."""

    frame_num_bits: int
    width_mbs: int


def slice_syntax(parameter_sets: list[bytes]) -> SliceSyntax:
    """Reads what is needed from the encoder's parameter sets. Raises InvalidConfiguration when they do not fit."""
    sps = BitReader(parameter_sets[0], 1)
    profile = sps.u(8)
    sps.u(16)
    sps.ue("seq_parameter_set_id", 31)
    if profile >= 100:
        sps.ue("chroma_format_idc", 3)
        sps.ue("bit_depth_luma_minus8", 6)
        sps.ue("bit_depth_chroma_minus8", 6)
        sps.u(2)
    frame_num_bits = sps.ue("log2_max_frame_num_minus4", 12) + 4
    order_type = sps.ue("pic_order_cnt_type", 2)
    references = sps.ue("max_num_ref_frames", 16)
    sps.u(1)
    width = sps.ue("pic_width_in_mbs_minus1", 1000) + 1
    pps = BitReader(parameter_sets[1], 1)
    pps.ue("pic_parameter_set_id", 255)
    pps.ue("seq_parameter_set_id", 31)
    cabac = pps.flag()
    if cabac or order_type != 2 or references != 1:
        raise InvalidConfiguration("this machine's x264 does not write the plain stream that the display needs")
    return SliceSyntax(frame_num_bits, width)


def header_of(nal: bytes, syntax: SliceSyntax) -> tuple[int, int]:
    """frame_num and idr_pic_id (0 where there is none) of a slice."""
    bits = BitReader(nal[:40], 1)
    bits.ue("first_mb_in_slice", 1 << 20)
    bits.ue("slice_type", 9)
    bits.ue("pic_parameter_set_id", 255)
    frame_num = bits.u(syntax.frame_num_bits)
    return frame_num, bits.ue("idr_pic_id", 65535) if nal[0] & 31 == 5 else 0


class _Bits:
    """Writes bits, most significant first."""

    __slots__ = ("_count", "_out", "_value")

    def __init__(self) -> None:
        self._out = bytearray()
        self._value = 0
        self._count = 0

    def u(self, value: int, count: int) -> None:
        self._value = self._value << count | value
        self._count += count

    def ue(self, value: int) -> None:
        """Exp-Golomb (§9.1)."""
        self.u(value + 1, 2 * (value + 1).bit_length() - 1)

    def se(self, value: int) -> None:
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def aligned(self, data: bytes) -> None:
        """Zero bits up to the next byte, then whole bytes."""
        self.u(0, -self._count % 8)
        self._out += self._value.to_bytes(self._count // 8, "big") + data
        self._value = self._count = 0

    def finished(self) -> bytes:
        """The payload with its stop bit (§7.3.2.11)."""
        self.u(1, 1)
        self.aligned(b"")
        return bytes(self._out)


def escaped(payload: bytes) -> bytes:
    """Emulation prevention (§7.4.1.1)."""
    return _ESCAPE.sub(b"\0\0\3", payload) if b"\0\0" in payload else payload


class SliceWriter:
    """One slice of a display, macroblock by macroblock in raster order; the others of a P slice are skipped."""

    def __init__(
        self, luma: display.Luma, syntax: SliceSyntax, first: int, key: bool, frame_num: int, idr_id: int
    ) -> None:
        self._luma = luma  # the whole display as it will be shown, in whole macroblocks
        self._width = syntax.width_mbs
        self._first = first
        self._next = first
        self._key = key
        self._letters: set[int] = set()
        self._out = out = _Bits()
        # The slice header (§7.3.3).
        out.ue(first)
        out.ue(7 if key else 5)
        out.ue(0)
        out.u(frame_num, syntax.frame_num_bits)
        if key:
            out.ue(idr_id)
            out.u(0, 2)  # no_output_of_prior_pics_flag, long_term_reference_flag
        else:
            out.u(0, 3)  # num_ref_idx_active_override, ref_pic_list_modification, adaptive_ref_pic_marking
        out.se(_QP - 26)
        out.ue(1)  # no loop filter

    def macroblock(self, number: int, letters: bool) -> None:
        """Writes one macroblock; all between the last one and this are skipped. `letters` are sent as they are."""
        out = self._out
        if not self._key:
            out.ue(number - self._next)
        self._next = number + 1
        kind = 0 if self._key else _INTRA_IN_P
        row, column = divmod(number, self._width)
        block = self._luma[row * MB : row * MB + MB, column * MB : column * MB + MB]
        level, odd = divmod(int(block[0, 0]) - self._predicted(number), _STEP)
        if letters or odd or abs(level) == 1 or not (block == block[0, 0]).all():
            out.ue(kind + _I_PCM)
            out.aligned(block.tobytes() + _CHROMA)
            self._letters.add(number)
            return
        out.ue(kind + _I_16X16_DC)
        out.u(0b11, 2)  # intra_chroma_pred_mode 0, mb_qp_delta 0
        self._dc(level, self._near_letters(number))

    def finished(self, last: int) -> bytes:
        """The slice's payload, up to the macroblock before `last`."""
        if not self._key and self._next < last:
            self._out.ue(last - self._next)
        return self._out.finished()

    def _dc(self, level: int, near_letters: bool) -> None:
        """Intra16x16DCLevel with at most its first coefficient (§9.2)."""
        out = self._out
        if level == 0:
            out.u(*((0b000011, 6) if near_letters else (1, 1)))  # coeff_token: no coefficient (Table 9-5)
            return
        out.u(*((0, 6) if near_letters else (0b000101, 6)))  # coeff_token: one, and not a trailing one
        code = 2 * abs(level) - 2 + (level < 0) - 2  # §9.2.2.1
        if code < 14:
            out.u(1, code + 1)
        elif code < 30:
            out.u(1 << 4 | code - 14, 15 + 4)
        else:
            out.u(1 << 12 | code - 30, 16 + 12)
        out.u(1, 1)  # total_zeros: none (Table 9-7)

    def _near_letters(self, number: int) -> bool:
        """Whether nC is 8 or more (§9.2.1): an I_PCM neighbour counts 16 coefficients, every other one none."""
        return (number % self._width > 0 and number - 1 in self._letters) or number - self._width in self._letters

    def _predicted(self, number: int) -> int:
        """The DC prediction from the neighbours in this slice (§8.3.3.3)."""
        row, column = divmod(number, self._width)
        y, x = row * MB, column * MB
        edges = []
        if column and number - 1 >= self._first:
            edges.append(int(self._luma[y : y + MB, x - 1].sum()))
        if row and number - self._width >= self._first:
            edges.append(int(self._luma[y - 1, x : x + MB].sum()))
        if not edges:
            return 128
        return (sum(edges) + 8 * len(edges)) >> (3 + len(edges))

"""Where H.264 (RFC 6184) and H.265 (RFC 7798) differ inside RTP, as data, so that one loop reads both."""

import struct
from dataclasses import dataclass

from xomyen.terms.words import VideoCodec

# What a NAL unit is to the depacketiser, by the first byte of its header.
UNUSABLE = 0  # forbidden bit, reserved or interleaved types
OTHER = 1  # SEI and all else that belongs to the picture and is kept
SLICE = 2  # part of a coded picture
KEY_SLICE = 3  # of an IDR (H.264) or IRAP (H.265) picture
PARAMETER_SET = 4
DELIMITER = 5  # access unit delimiter: dropped
FRAGMENT = 6  # FU-A, FU
AGGREGATE = 7  # STAP-A, AP


@dataclass(frozen=True, slots=True)
class NalShape:
    """The numbers by which the two payload formats differ."""

    packet: struct.Struct  # '$' channel, length, RTP header, first NAL byte, fragment header
    kinds: bytes  # 256 of the codes above
    header_bytes: int
    donl_bytes: int  # decoding order number ahead of a NAL unit, when signalled
    type_and_flags: tuple[int, int, int]  # bits kept of the indicator, type bits of the fragment header, their shift


_H264_PACKET = struct.Struct(">HHBBHI4xBB")
_H265_PACKET = struct.Struct(">HHBBHI4xBxB")


def _h264_kind(first: int) -> int:
    if first & 0x80:
        return UNUSABLE
    kinds = {5: KEY_SLICE, 7: PARAMETER_SET, 8: PARAMETER_SET, 9: DELIMITER, 24: AGGREGATE, 28: FRAGMENT}
    kind = first & 31
    if kind == 0 or kind in (25, 26, 27, 29, 30, 31):
        return UNUSABLE
    return kinds.get(kind, SLICE if kind in (1, 2, 3, 4, 19, 20, 21) else OTHER)


def _h265_kind(first: int) -> int:
    if first & 0x80:
        return UNUSABLE
    kind = first >> 1 & 63
    if kind < 32:
        return KEY_SLICE if 16 <= kind <= 23 else SLICE
    if kind >= 50:
        return UNUSABLE
    return {32: PARAMETER_SET, 33: PARAMETER_SET, 34: PARAMETER_SET, 35: DELIMITER, 48: AGGREGATE, 49: FRAGMENT}.get(
        kind, OTHER
    )


_H264 = NalShape(_H264_PACKET, bytes(map(_h264_kind, range(256))), 1, 0, (0xE0, 31, 0))
_H265_KINDS = bytes(map(_h265_kind, range(256)))
_H265 = NalShape(_H265_PACKET, _H265_KINDS, 2, 0, (0x81, 63, 1))
_H265_DONL = NalShape(_H265_PACKET, _H265_KINDS, 2, 2, (0x81, 63, 1))


def nal_shape(codec: VideoCodec, donl: bool) -> NalShape:
    """The shape of a track's payload; `donl` only counts for H.265."""
    if codec is VideoCodec.H264:
        return _H264
    return _H265_DONL if donl else _H265


def split_aggregate(buffer: bytes | bytearray, start: int, end: int, shape: NalShape) -> list[tuple[int, int]] | None:
    """Where the NAL units of a STAP-A (RFC 6184 §5.7.1) or AP (RFC 7798 §4.4.2) lie; None when sizes do not add up."""
    units = []
    at = start + shape.header_bytes
    order_bytes = shape.donl_bytes  # DONL is two bytes before the first unit, DOND one before each other
    while at < end:
        at += order_bytes
        order_bytes = 1 if shape.donl_bytes else 0
        if at + 2 > end:
            return None
        size = buffer[at] << 8 | buffer[at + 1]
        at += 2
        if at + size > end:
            return None
        if size >= shape.header_bytes:
            units.append((at, at + size))
        at += size
    return units

"""From parameter sets to what a file and a player need: sample entry, codec string, size (ISO/IEC 14496-15)."""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from xomyen.camera import h264, h265
from xomyen.camera.bits import BitstreamError
from xomyen.camera.source import CodecConfig
from xomyen.camera.vui import Colour
from xomyen.terms.words import VideoCodec

_RECORD_BOX = {VideoCodec.H264: b"avcC", VideoCodec.H265: b"hvcC"}
_ENTRY_BOX = {VideoCodec.H264: b"avc1", VideoCodec.H265: b"hvc1"}
# Profiles whose avcC ends with chroma format and bit depths (14496-15 §5.3.3.1.2).
_LONG_RECORD_PROFILES = frozenset({100, 110, 122, 144, 244, 44})


class _Description(NamedTuple):
    """What the sequence parameter set says, whichever codec it is of."""

    width: int
    height: int
    ratio: tuple[int, int] | None
    colour: Colour | None
    max_reorder: int
    codec_string: str
    record: bytes
    kept: tuple[bytes, ...]


def codec_config(codec: VideoCodec, parameter_sets: Sequence[bytes]) -> CodecConfig:
    """What a decoder needs, made from NAL units without start codes in any order.

    Of two parameter sets with the same type and id the later counts; other NAL units are ignored.
    Raises BitstreamError (a ValueError) when a parameter set is missing or cannot be read.
    """
    nals = [stripped for nal in parameter_sets if (stripped := bytes(nal).rstrip(b"\x00"))]
    found = _describe_h264(nals) if codec is VideoCodec.H264 else _describe_h265(nals)
    return CodecConfig(
        codec=codec,
        parameter_sets=found.kept,
        width=found.width,
        height=found.height,
        sample_entry=_sample_entry(codec, found),
        codec_string=found.codec_string,
        max_reorder=found.max_reorder,
    )


def parameter_sets_from_record(codec: VideoCodec, record: bytes) -> tuple[bytes, ...]:
    """The parameter sets inside an avcC or hvcC configuration record (the box's content, without its header).

    Raises BitstreamError when the record is cut short or of another version.
    """
    try:
        return _sets_of_avcc(record) if codec is VideoCodec.H264 else _sets_of_hvcc(record)
    except (IndexError, struct.error) as error:
        raise BitstreamError(f"{_RECORD_BOX[codec].decode()} record is cut short") from error


def length_size_of_record(codec: VideoCodec, record: bytes) -> int:
    """How many bytes of length stand before each NAL unit of the samples (lengthSizeMinusOne + 1)."""
    at = 4 if codec is VideoCodec.H264 else 21
    if len(record) <= at:
        raise BitstreamError(f"{_RECORD_BOX[codec].decode()} record is cut short")
    return (record[at] & 3) + 1


def split_annex_b(stream: bytes) -> list[bytes]:
    """NAL units between the start codes of a byte stream (H.264 Annex B, H.265 Annex B); empty ones are dropped."""
    # A NAL unit holds no 00 00 01 and does not end in 00, so both kinds of start code split alike.
    return [nal for piece in bytes(stream).split(b"\x00\x00\x01")[1:] if (nal := piece.rstrip(b"\x00"))]


def _describe_h264(nals: list[bytes]) -> _Description:
    sequences = _by_id((h264.parse_sps(nal).id, nal) for nal in nals if nal[0] & 0x1F == h264.NAL_SPS)
    pictures = _by_id((h264.parse_pps(nal).id, nal) for nal in nals if nal[0] & 0x1F == h264.NAL_PPS)
    _present("H.264", SPS=sequences, PPS=pictures)
    if len(sequences) > 31 or len(pictures) > 255:
        raise BitstreamError("more parameter sets than an avcC record can hold")
    used = h264.parse_pps(pictures[0]).sps_id
    parsed = [h264.parse_sps(nal) for nal in sequences]
    sps = next((one for one in parsed if one.id == used), parsed[0])
    head = bytes((sps.profile, sps.constraints, sps.level))
    record = bytearray(b"\x01" + head + b"\xff")
    record.append(0xE0 | len(sequences))
    record += b"".join(map(_counted, sequences))
    record.append(len(pictures))
    record += b"".join(map(_counted, pictures))
    if sps.profile in _LONG_RECORD_PROFILES:
        depths = 0xF8 | sps.bit_depth_luma - 8, 0xF8 | sps.bit_depth_chroma - 8
        record += bytes((0xFC | sps.chroma_format, *depths, 0))  # 0: no SPS extensions
    vui = sps.vui
    return _Description(
        width=sps.width,
        height=sps.height,
        ratio=vui.ratio if vui else None,
        colour=vui.colour if vui else None,
        max_reorder=sps.max_reorder,
        codec_string=f"avc1.{head.hex().upper()}",
        record=bytes(record),
        kept=(*sequences, *pictures),
    )


def _describe_h265(nals: list[bytes]) -> _Description:
    videos = _by_id((h265.parse_vps(nal).id, nal) for nal in nals if h265.nal_type(nal) == h265.NAL_VPS)
    sequences = _by_id((h265.parse_sps(nal).id, nal) for nal in nals if h265.nal_type(nal) == h265.NAL_SPS)
    pictures = _by_id((h265.parse_pps(nal).id, nal) for nal in nals if h265.nal_type(nal) == h265.NAL_PPS)
    _present("H.265", VPS=videos, SPS=sequences, PPS=pictures)
    parsed = [h265.parse_sps(nal) for nal in sequences]
    used = h265.parse_pps(pictures[0]).sps_id
    sps = next((one for one in parsed if one.id == used), parsed[0])
    vui = sps.vui
    record = _hvcc_head(sps, max(h265.parse_vps(nal).sub_layers for nal in videos), pictures)
    record += b"\x03"
    for kind, group in ((h265.NAL_VPS, videos), (h265.NAL_SPS, sequences), (h265.NAL_PPS, pictures)):
        # array_completeness: no parameter set stays in the samples, as `hvc1` requires (§8.4.1.1.1).
        record += struct.pack(">BH", 0x80 | kind, len(group)) + b"".join(map(_counted, group))
    return _Description(
        width=sps.width,
        height=sps.height,
        ratio=vui.ratio if vui else None,
        colour=vui.colour if vui else None,
        max_reorder=sps.max_reorder,
        codec_string=_h265_string(sps.profile_tier_level),
        record=record,
        kept=(*videos, *sequences, *pictures),
    )


def _hvcc_head(sps: h265.H265Sps, vps_sub_layers: int, pictures: list[bytes]) -> bytes:
    """HEVCDecoderConfigurationRecord (14496-15 §8.3.3.1) up to numOfArrays."""
    general = sps.profile_tier_level
    segmentation = sps.vui.min_spatial_segmentation if sps.vui else 0
    parallelism = 0  # mixed or unknown
    if segmentation:
        tools = {(pps.tiles, pps.entropy_coding_sync) for pps in map(h265.parse_pps, pictures)}
        parallelism = (
            {(False, False): 1, (True, False): 2, (False, True): 3}.get(tools.pop(), 0) if len(tools) == 1 else 0
        )
    return struct.pack(
        ">BBI6sBHBBBBHB",
        1,
        general.profile_space << 6 | general.tier << 5 | general.profile,
        general.compatibility,
        general.constraints.to_bytes(6, "big"),
        general.level,
        0xF000 | segmentation,
        0xFC | parallelism,
        0xFC | sps.chroma_format,
        0xF8 | sps.bit_depth_luma - 8 & 7,
        0xF8 | sps.bit_depth_chroma - 8 & 7,
        0,  # avgFrameRate: unspecified
        max(sps.sub_layers, vps_sub_layers) << 3 | sps.temporal_id_nesting << 2 | 3,
    )


def _h265_string(general: h265.ProfileTierLevel) -> str:
    """14496-15 Annex E.3: the compatibility flags in reverse bit order, trailing zero constraint bytes left out."""
    space = ("", "A", "B", "C")[general.profile_space]
    flags = int(f"{general.compatibility:032b}"[::-1], 2)
    text = f"hvc1.{space}{general.profile}.{flags:X}.{'LH'[general.tier]}{general.level}"
    constraints = general.constraints.to_bytes(6, "big").rstrip(b"\x00")
    return text + "".join(f".{byte:X}" for byte in constraints)


def _sample_entry(codec: VideoCodec, found: _Description) -> bytes:
    """VisualSampleEntry (14496-12 §12.1.3) with the record, and colour and pixel shape where the stream says so."""
    content = struct.pack(
        ">6xH16xHHIIIH32sHh",
        1,  # data_reference_index
        found.width,
        found.height,
        0x00480000,  # 72 dpi
        0x00480000,
        0,
        1,  # frame_count
        b"",  # compressorname
        0x0018,  # depth
        -1,
    )
    content += _box(_RECORD_BOX[codec], found.record)
    if found.colour is not None:
        colour = found.colour
        content += _box(
            b"colr",
            struct.pack(">4sHHHB", b"nclx", colour.primaries, colour.transfer, colour.matrix, colour.full_range << 7),
        )
    if found.ratio is not None and found.ratio[0] != found.ratio[1]:
        content += _box(b"pasp", struct.pack(">II", *found.ratio))
    return _box(_ENTRY_BOX[codec], content)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _counted(nal: bytes) -> bytes:
    return struct.pack(">H", len(nal)) + nal


def _by_id(pairs: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """NAL units by their id, the latest of each, in order of id."""
    return [nal for _, nal in sorted(dict(pairs).items())]


def _present(codec: str, **groups: list[bytes]) -> None:
    missing = [name for name, group in groups.items() if not group]
    if missing:
        raise BitstreamError(f"{codec} stream offers no {' and no '.join(missing)}")


def _sets_of_avcc(record: bytes) -> tuple[bytes, ...]:
    if record[0] != 1:
        raise BitstreamError(f"avcC record of version {record[0]}")
    sets: list[bytes] = []
    at = 6
    for mask, count_at in ((0x1F, 5), (0xFF, None)):
        if count_at is None:
            count_at, at = at, at + 1
        for _ in range(record[count_at] & mask):
            nal, at = _sized(record, at)
            sets.append(nal)
    return tuple(sets)


def _sets_of_hvcc(record: bytes) -> tuple[bytes, ...]:
    if record[0] != 1:
        raise BitstreamError(f"hvcC record of version {record[0]}")
    sets: list[bytes] = []
    at = 23
    for _ in range(record[22]):
        kind, count = record[at] & 0x3F, struct.unpack_from(">H", record, at + 1)[0]
        at += 3
        for _ in range(count):
            nal, at = _sized(record, at)
            if kind in (h265.NAL_VPS, h265.NAL_SPS, h265.NAL_PPS):
                sets.append(nal)
    return tuple(sets)


def _sized(record: bytes, at: int) -> tuple[bytes, int]:
    """The NAL unit behind a 16-bit length, and where the next begins."""
    size = struct.unpack_from(">H", record, at)[0]
    end = at + 2 + size
    if size == 0 or end > len(record):
        raise BitstreamError("configuration record is cut short")
    return record[at + 2 : end], end

"""Fragmented MP4 as pure functions: walk boxes, read headers and fragments, build them (ISO/IEC 14496-12).

Readers take bytes from anywhere and raise BoxError for anything that does not fit; they never read
outside what they were given and never allocate more than a few times its size.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from xomyen.camera.source import CodecConfig
from xomyen.terms.time import TICKS_PER_SECOND
from xomyen.terms.words import VideoCodec

TRACK_ID = 1
KEY_FLAGS = 0x0200_0000  # sample_depends_on = 2: depends on no other (§8.8.3.1)
DELTA_FLAGS = 0x0101_0000  # sample_depends_on = 1, sample_is_non_sync_sample
_NON_SYNC = 0x0001_0000
_LARGEST_SAMPLES = 1_000_000

_U32 = struct.Struct(">I")
_BOX_HEAD = struct.Struct(">I4s")
_IDENTITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

Bytes = bytes | bytearray | memoryview


class BoxError(ValueError):
    """Bytes that are no box of the kind expected."""


class Box(NamedTuple):
    """Where a box lies within the bytes walked."""

    kind: bytes  # four characters
    start: int
    payload: int  # offset of the first byte after size and type
    end: int


class MovieFragment(NamedTuple):
    """What a `moof` says of its samples; all times in ticks of the track."""

    size: int  # bytes of the moof itself
    sequence: int
    base_dts: int
    data_offset: int  # of the first sample, from the start of the moof
    sizes: list[int]
    durations: list[int]
    offsets: list[int]  # composition offset: presentation minus decoding time
    keys: list[bool]

    @property
    def duration(self) -> int:
        return sum(self.durations)

    def dts(self) -> list[int]:
        """Decoding time of each sample."""
        return list(accumulate(self.durations[:-1], initial=self.base_dts))


@dataclass(frozen=True, slots=True)
class Header:
    """What `ftyp` + `moov` say; `size` is the length of both."""

    size: int
    timescale: int
    width: int
    height: int
    sample_entry: bytes
    note: bytes | None  # payload of the product's own box, see xomyen.recording.segment_note


NOTE_UUID = bytes.fromhex("5b0d6a1e3c564f7fa1d278796d736567")


def walk(data: Bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes between two offsets, one after the other. Raises BoxError at the first that does not fit."""
    end = len(data) if end is None else end
    at = start
    while at < end:
        if end - at < 8:
            raise BoxError("a box is cut off")
        size, kind = _BOX_HEAD.unpack_from(data, at)
        payload = at + 8
        if size == 1:
            if end - at < 16:
                raise BoxError("a box is cut off")
            (size,) = struct.unpack_from(">Q", data, payload)
            payload += 8
        elif size == 0:
            size = end - at
        if size < payload - at or size > end - at:
            raise BoxError(f"the size of a {kind!r} box does not fit")
        yield Box(kind, at, payload, at + size)
        at += size


def box(kind: bytes, *parts: Bytes) -> bytes:
    """A box around the parts (§4.2)."""
    return b"".join((_BOX_HEAD.pack(8 + sum(map(len, parts)), kind), *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: Bytes) -> bytes:
    """A box with version and flags (§4.2)."""
    return box(kind, _U32.pack(version << 24 | flags), *parts)


def build_header(config: CodecConfig, note: bytes | None = None) -> bytes:
    """`ftyp` and `moov` of a fragmented file with one video track at 90 kHz.

    `note` becomes the payload of the product's own `uuid` box at the end of the `moov`.
    """
    empty = _U32.pack(0)
    tables = box(
        b"stbl",
        full_box(b"stsd", 0, 0, _U32.pack(1), config.sample_entry),
        full_box(b"stts", 0, 0, empty),
        full_box(b"stsc", 0, 0, empty),
        full_box(b"stsz", 0, 0, empty, empty),
        full_box(b"stco", 0, 0, empty),
    )
    data_here = box(b"dinf", full_box(b"dref", 0, 0, _U32.pack(1), full_box(b"url ", 0, 1)))
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, TICKS_PER_SECOND, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, empty, b"vide", bytes(12), b"video\0"),
        box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), data_here, tables),
    )
    size = struct.pack(">II", config.width << 16 & 0xFFFF_FFFF, config.height << 16 & 0xFFFF_FFFF)
    track = box(
        b"trak",
        full_box(b"tkhd", 0, 3, struct.pack(">5I", 0, 0, TRACK_ID, 0, 0), bytes(16), _IDENTITY_MATRIX, size),
        media,
    )
    movie = box(
        b"moov",
        full_box(
            b"mvhd",
            0,
            0,
            struct.pack(">4I", 0, 0, TICKS_PER_SECOND, 0),
            struct.pack(">IHH8x", 0x10000, 0x100, 0),
            _IDENTITY_MATRIX,
            bytes(24),
            _U32.pack(TRACK_ID + 1),
        ),
        track,
        box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", TRACK_ID, 1, 0, 0, 0))),
        b"" if note is None else box(b"uuid", NOTE_UUID, note),
    )
    return box(b"ftyp", b"iso6", _U32.pack(0x200), b"iso6", b"mp41") + movie


@lru_cache(maxsize=512)
def _moof_struct(samples: int, signed_offsets: bool) -> tuple[struct.Struct, int]:
    """The precompiled form of a moof with so many samples, and its size; the mdat's head follows it."""
    row = "IIIi" if signed_offsets else "III"
    trun = 20 + struct.calcsize(">" + row) * samples
    traf = 8 + 16 + 20 + trun
    moof = 8 + 16 + traf
    layout = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIIi " + row * samples + " I4s")
    return layout, moof


def build_moof(sequence: int, base_dts: int, rows: Sequence[int], samples: int, size: int, reordered: bool) -> bytes:
    """A `moof` and the head of the `mdat` of `size` payload bytes that follows it.

    `rows` is flat: duration, size, flags of each sample and, when `reordered`, its signed composition offset.
    """
    layout, moof = _moof_struct(samples, reordered)
    return layout.pack(
        moof, b"moof", 16, b"mfhd", 0, sequence,
        moof - 24, b"traf", 16, b"tfhd", 0x020000, TRACK_ID,
        20, b"tfdt", 0x01000000, base_dts,
        moof - 24 - 44, b"trun", 0x01000F01 if reordered else 0x01000701, samples, moof + 8,
        *rows,
        size + 8, b"mdat",
    )  # fmt: skip


def find(data: Bytes, kind: bytes, start: int, end: int) -> Box:
    """The first box of this kind between two offsets. Raises BoxError when there is none."""
    for found in walk(data, start, end):
        if found.kind == kind:
            return found
    raise BoxError(f"there is no {kind!r} box")


def parse_header(data: Bytes) -> Header:
    """Reads `ftyp` + `moov` at the start of the bytes; what follows them is ignored. Raises BoxError."""
    try:
        return _parse_header(data)
    except struct.error as error:
        raise BoxError("the header is cut off") from error


def _parse_header(data: Bytes) -> Header:
    movie = None
    for found in walk(data):
        if found.kind == b"moov":
            movie = found
            break
        if found.kind not in (b"ftyp", b"free", b"skip"):
            raise BoxError(f"a {found.kind!r} box stands before the moov")
    if movie is None:
        raise BoxError("there is no moov")
    track = find(data, b"trak", movie.payload, movie.end)
    shape = find(data, b"tkhd", track.payload, track.end)
    if shape.end - shape.payload < 12:
        raise BoxError("the tkhd is cut off")
    width, height = struct.unpack_from(">II", data, shape.end - 8)
    media = find(data, b"mdia", track.payload, track.end)
    media_head = find(data, b"mdhd", media.payload, media.end)
    version = data[media_head.payload] if media_head.payload < media_head.end else 0
    at = media_head.payload + (20 if version == 1 else 12)
    if at + 4 > media_head.end:
        raise BoxError("the mdhd is cut off")
    (timescale,) = _U32.unpack_from(data, at)
    information = find(data, b"minf", media.payload, media.end)
    tables = find(data, b"stbl", information.payload, information.end)
    descriptions = find(data, b"stsd", tables.payload, tables.end)
    if descriptions.payload + 8 > descriptions.end:
        raise BoxError("the stsd is cut off")
    entry = next(walk(data, descriptions.payload + 8, descriptions.end), None)
    if entry is None or timescale == 0:
        raise BoxError("the track has no sample entry or no timescale")
    note = None
    for found in walk(data, movie.payload, movie.end):
        if found.kind == b"uuid" and bytes(data[found.payload : found.payload + 16]) == NOTE_UUID:
            note = bytes(data[found.payload + 16 : found.end])
    return Header(movie.end, timescale, width >> 16, height >> 16, bytes(data[entry.start : entry.end]), note)


def codec_of(sample_entry: bytes) -> VideoCodec:
    """Which codec a sample entry is of. Raises BoxError for another."""
    kind = sample_entry[4:8]
    if kind in (b"avc1", b"avc3"):
        return VideoCodec.H264
    if kind in (b"hvc1", b"hev1"):
        return VideoCodec.H265
    raise BoxError(f"{kind!r} is not a codec that is recorded")


def parse_moof(data: Bytes, start: int = 0) -> MovieFragment:
    """Reads the `moof` that starts at the offset. One track; several `trun` count as one. Raises BoxError."""
    try:
        return _parse_moof(data, start)
    except struct.error as error:
        raise BoxError("a box of the moof is cut off") from error


def _parse_moof(data: Bytes, start: int) -> MovieFragment:
    whole = next(walk(data, start), None)
    if whole is None or whole.kind != b"moof":
        raise BoxError("there is no moof")
    sequence = 0
    traf = None
    for found in walk(data, whole.payload, whole.end):
        if found.kind == b"mfhd" and found.end - found.payload >= 8:
            (sequence,) = _U32.unpack_from(data, found.payload + 4)
        elif found.kind == b"traf":
            if traf is not None:
                raise BoxError("the moof has more than one track")
            traf = found
    if traf is None:
        raise BoxError("the moof has no track")
    base_dts: int | None = None
    defaults = (0, 0, 0)
    data_offset: int | None = None
    sizes: list[int] = []
    durations: list[int] = []
    offsets: list[int] = []
    keys: list[bool] = []
    for found in walk(data, traf.payload, traf.end):
        if found.kind == b"tfhd":
            defaults = _parse_tfhd(data, found)
        elif found.kind == b"tfdt":
            long = found.end > found.payload and data[found.payload] == 1
            base_dts = struct.unpack_from(">Q" if long else ">I", data[: found.end], found.payload + 4)[0]
        elif found.kind == b"trun":
            here = _parse_trun(data, found, defaults, sizes, durations, offsets, keys)
            data_offset = here if data_offset is None else data_offset
    if base_dts is None or data_offset is None or not sizes:
        raise BoxError("the moof has no time or no samples")
    if base_dts >= 1 << 62:
        raise BoxError("the decoding time is out of range")
    return MovieFragment(whole.end - whole.start, sequence, base_dts, data_offset, sizes, durations, offsets, keys)


def _parse_tfhd(data: Bytes, found: Box) -> tuple[int, int, int]:
    """Default duration, size and flags of samples (§8.8.7)."""
    view = memoryview(data)[: found.end]
    flags = _U32.unpack_from(view, found.payload)[0] & 0xFFFFFF
    at = found.payload + 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    defaults = [0, 0, 0]
    for number, bit in enumerate((0x08, 0x10, 0x20)):
        if flags & bit:
            (defaults[number],) = _U32.unpack_from(view, at)
            at += 4
    return defaults[0], defaults[1], defaults[2]


def _parse_trun(
    data: Bytes,
    found: Box,
    defaults: tuple[int, int, int],
    sizes: list[int],
    durations: list[int],
    offsets: list[int],
    keys: list[bool],
) -> int:
    """Appends the run's samples to the lists; the answer is its data offset (§8.8.8)."""
    view = memoryview(data)[: found.end]
    head, samples = struct.unpack_from(">II", view, found.payload)
    version, flags = head >> 24, head & 0xFFFFFF
    at = found.payload + 8
    data_offset = 0
    if flags & 0x1:
        (data_offset,) = struct.unpack_from(">i", view, at)
        at += 4
    first_flags = None
    if flags & 0x4:
        (first_flags,) = _U32.unpack_from(view, at)
        at += 4
    columns = [bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800)]
    width = sum(columns)
    if samples > _LARGEST_SAMPLES or at + 4 * width * samples > found.end:
        raise BoxError("the trun has fewer samples than it says")
    table = struct.unpack_from(f">{width * samples}I", view, at)
    column = 0
    values: list[Sequence[int]] = []
    for present, default in zip(columns, (*defaults, 0), strict=True):
        values.append(table[column::width] if present else (default,) * samples)
        column += present
    durations.extend(values[0])
    sizes.extend(values[1])
    marks = [not value & _NON_SYNC for value in values[2]]
    if first_flags is not None and marks:
        marks[0] = not first_flags & _NON_SYNC
    keys.extend(marks)
    if version == 0:
        offsets.extend(values[3])
    else:
        offsets.extend(value - (1 << 32) if value >> 31 else value for value in values[3])
    return data_offset

"""The first bytes of a clip: `ftyp`, a `moov` with a full sample table and an edit list, the head of the `mdat`.

Pure functions; boxes are those of ISO/IEC 14496-12, the section is given with each.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xomyen.recording.mp4 import Header, box, full_box
from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_FROM_1904_TO_1970_S = 2_082_844_800
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4  # language "und" (§8.4.2)
_LARGEST_U32 = (1 << 32) - 1
_FTYP = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isom", b"iso6", b"mp41")


@dataclass(frozen=True, slots=True)
class SampleTable:
    """The samples that a clip lists, in decoding order; times are 90 kHz ticks of the clip's own media time."""

    dts: Int64s  # begin at 0
    pts: Int64s
    sizes: Int64s  # bytes
    keys: Bools
    last_duration: int  # ticks from the last sample's decoding time to what would follow
    chunk_offsets: Int64s  # first byte of each chunk, counted from the start of the payload
    chunk_samples: Int64s  # samples in each chunk; a chunk's samples lie one behind the other


@dataclass(frozen=True, slots=True)
class Edit:
    """The part of the listed samples that is shown: presentation times from `start` on for `length`, in ticks."""

    start: int
    length: int


def clip_header(recorded: Header, table: SampleTable, edit: Edit, payload: int, created_ns: int) -> bytes:
    """All bytes of a clip before its `payload` bytes of original fragments.

    `recorded` is the sealed segments' header, whose sample entry is repeated byte for byte. `created_ns` is
    the wall time of the first picture shown.
    """
    long = payload + 8 > _LARGEST_U32
    mdat = struct.pack(">I4sQ", 1, b"mdat", payload + 16) if long else struct.pack(">I4s", payload + 8, b"mdat")
    moov = _moov(recorded, table, edit, 0, created_ns)
    # Chunk offsets are 64 bits wide, so the second making has the same length.
    shift = len(_FTYP) + len(moov) + len(mdat)
    return _FTYP + _moov(recorded, table, edit, shift, created_ns) + mdat


def _moov(recorded: Header, table: SampleTable, edit: Edit, shift: int, created_ns: int) -> bytes:
    media = int(table.dts[-1]) + table.last_duration
    shown = edit.length
    made_s = created_ns // NS_PER_SECOND + _FROM_1904_TO_1970_S
    movie_head = full_box(
        b"mvhd", 1, 0,
        struct.pack(">QQIQ", made_s, made_s, TICKS_PER_SECOND, shown),
        struct.pack(">IHH8x", 0x10000, 0, 0), _MATRIX, bytes(24), struct.pack(">I", 2),
    )  # §8.2.2  # fmt: skip
    size = struct.pack(">II", recorded.width << 16 & _LARGEST_U32, recorded.height << 16 & _LARGEST_U32)
    track_head = full_box(
        b"tkhd", 1, 7,
        struct.pack(">QQIIQ", made_s, made_s, 1, 0, shown), bytes(16), _MATRIX, size,
    )  # §8.3.2  # fmt: skip
    edits = box(b"edts", full_box(b"elst", 1, 0, struct.pack(">IQqHH", 1, shown, edit.start, 1, 0)))  # §8.6.6
    media_head = full_box(
        b"mdhd", 1, 0, struct.pack(">QQIQHH", made_s, made_s, TICKS_PER_SECOND, media, _UNDETERMINED, 0)
    )  # §8.4.2
    handler = full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"video\0")  # §8.4.3
    data_here = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))  # §8.7.2
    information = box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), data_here, _stbl(recorded, table, shift))
    return box(b"moov", movie_head, box(b"trak", track_head, edits, box(b"mdia", media_head, handler, information)))


def _stbl(recorded: Header, table: SampleTable, shift: int) -> bytes:
    """The sample table (§8.5)."""
    count = len(table.sizes)
    durations = np.append(np.diff(table.dts), table.last_duration)
    boxes = [
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), recorded.sample_entry),
        full_box(b"stts", 0, 0, _runs(durations)),
    ]
    offsets = table.pts - table.dts
    if offsets.any():
        boxes.append(full_box(b"ctts", 1, 0, _runs(offsets)))
    sync = np.flatnonzero(table.keys) + 1
    chunks = len(table.chunk_samples)
    first = np.flatnonzero(np.diff(table.chunk_samples, prepend=-1))
    rows = np.column_stack((first + 1, table.chunk_samples[first], np.ones_like(first)))
    boxes += [
        full_box(b"stss", 0, 0, struct.pack(">I", len(sync)), sync.astype(">u4").tobytes()),
        full_box(b"stsc", 0, 0, struct.pack(">I", len(rows)), rows.astype(">u4").tobytes()),
        full_box(b"stsz", 0, 0, struct.pack(">II", 0, count), table.sizes.astype(">u4").tobytes()),
        full_box(b"co64", 0, 0, struct.pack(">I", chunks), (table.chunk_offsets + shift).astype(">u8").tobytes()),
    ]
    return box(b"stbl", *boxes)


def _runs(values: Int64s) -> bytes:
    """Count and rows of a run-length table as in `stts` and `ctts` (§8.6.1)."""
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    counts = np.diff(starts, append=len(values))
    rows = np.column_stack((counts, values[starts] & _LARGEST_U32))
    return struct.pack(">I", len(rows)) + rows.astype(">u4").tobytes()

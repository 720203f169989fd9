"""Reads a segment's file: where its fragments lie, their samples, its seal."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

from xomyen.proof.seal import SEAL_UUID, InvalidSeal, Seal, is_seal_box, parse_seal_box
from xomyen.recording.mp4 import Box, BoxError, Header, parse_header, parse_moof

_LARGEST_HEADER = 1 << 20
_LARGEST_MOOF = 1 << 26
_LARGEST_SEAL = 1 << 26
_PEEK = 4096


class SegmentFileError(ValueError):
    """A file that is no segment, or not up to where it should be."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One moof + mdat; the times are ticks of the run's media time."""

    offset: int  # in the file
    size: int  # bytes of moof + mdat
    first_dts: int
    duration: int
    key: bool  # starts with a keyframe
    samples: int


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment's file as far as it was asked for."""

    path: str
    header_bytes: bytes  # ftyp + moov; leaf 0 of the hash tree
    header: Header
    fragments: list[Fragment]
    seal: Seal | None  # the final one, its signature unchecked; None while the file is open
    checkpoint: Seal | None  # the newest checkpoint seal seen while walking an unsealed file
    end: int  # offset behind the last whole fragment or checkpoint seal

    @property
    def first_dts(self) -> int:
        return self.fragments[0].first_dts if self.fragments else 0

    @property
    def end_dts(self) -> int:
        return self.fragments[-1].first_dts + self.fragments[-1].duration if self.fragments else 0


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of one fragment; times are ticks of the run's media time, offsets count from the file's start."""

    dts: list[int]
    pts: list[int]
    durations: list[int]
    sizes: list[int]
    offsets: list[int]
    keys: list[bool]


@contextmanager
def lend(path: str) -> Iterator[int]:
    """A descriptor for reading that keeps retention from deleting the file meanwhile. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor
    finally:
        os.close(descriptor)


def read_segment(path: str, upto: int | None = None, walk_all: bool = False) -> SegmentFile:
    """Where the fragments of a segment lie.

    A sealed file answers from its seal's table; another is walked from the start to the last whole fragment,
    or to the `upto`-th byte of header and fragments (an index row's `bytes`; seals do not count).
    `walk_all` walks a sealed file too. Raises SegmentFileError, OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        header_bytes, header = read_header(descriptor, path)
        seal = read_final_seal(descriptor, size) if upto is None else None
        if seal is not None and not walk_all:
            fragments = _from_table(descriptor, len(header_bytes), seal, size)
            if fragments is not None:
                return SegmentFile(path, header_bytes, header, fragments, seal, None, size)
        fragments, checkpoint, end = _walk(descriptor, len(header_bytes), size if upto is None else upto, size)
        return SegmentFile(path, header_bytes, header, fragments, seal, checkpoint, end)
    finally:
        os.close(descriptor)


def read_header(descriptor: int, path: str) -> tuple[bytes, Header]:
    """The file's `ftyp` + `moov`, as bytes and read. Raises SegmentFileError."""
    start = os.pread(descriptor, _PEEK, 0)
    try:
        return _cut_header(start)
    except BoxError:
        pass
    try:
        return _cut_header(os.pread(descriptor, _LARGEST_HEADER, 0))
    except BoxError as error:
        raise SegmentFileError(f"{path} does not begin like a segment: {error}.") from error


def _cut_header(start: bytes) -> tuple[bytes, Header]:
    # Boxes behind the moov may be cut off here, so the moov's end is found without walking past it.
    at = 0
    while at + 8 <= len(start):
        size, kind = struct.unpack_from(">I4s", start, at)
        if size < 8:
            break
        at += size
        if kind == b"moov":
            if at > len(start):
                break
            cut = start[:at]
            return cut, parse_header(cut)
    raise BoxError("the header is cut off")


def read_final_seal(descriptor: int, size: int) -> Seal | None:
    """The seal that ends the file, its signature unchecked; None when the file ends otherwise."""
    if size < 32:
        return None
    (length,) = struct.unpack(">I", os.pread(descriptor, 4, size - 4))
    if not 32 <= length <= min(size, _LARGEST_SEAL):
        return None
    if not is_seal_box(os.pread(descriptor, 24, size - length)):
        return None
    try:
        seal = parse_seal_box(os.pread(descriptor, length, size - length))
    except InvalidSeal:
        return None
    return seal if seal.statement.final else None


def _from_table(descriptor: int, header_size: int, seal: Seal, size: int) -> list[Fragment] | None:
    """The fragments by the seal's table, or None when the table does not fit the file."""
    fragments = []
    at = header_size
    dts = seal.statement.first_dts
    box_size = struct.unpack(">I", os.pread(descriptor, 4, size - 4))[0]
    between = size - box_size - header_size - sum(row.size for row in seal.rows)  # bytes of checkpoint seals
    if between < 0:
        return None
    for row in seal.rows:
        while between:
            head = os.pread(descriptor, 24, at)
            if len(head) < 24 or not is_seal_box(head):
                break
            (length,) = struct.unpack_from(">I", head)
            if length < 24 or length > between:
                return None
            at += length
            between -= length
        fragments.append(Fragment(at, row.size, dts, row.duration, row.key, row.samples))
        at += row.size
        dts += row.duration
    return fragments


def _walk(descriptor: int, at: int, limit: int, size: int) -> tuple[list[Fragment], Seal | None, int]:
    """Whole fragments from an offset on, the newest checkpoint seal, and the offset behind the last of them.

    `limit` moves on with each seal that stands in between.
    """
    fragments: list[Fragment] = []
    checkpoint = None
    end = at
    while at + 8 <= size:
        start = os.pread(descriptor, min(_PEEK, size - at), at)
        first = _box_at(start, size - at)
        if first is None:
            break
        if first.kind == b"uuid" and start[8:24] == SEAL_UUID and first.end <= _LARGEST_SEAL:
            seal = _checkpoint(os.pread(descriptor, first.end, at))
            if seal is None or seal.statement.final:
                break
            checkpoint = seal
            at += first.end
            limit += first.end
            end = at
            continue
        fragment = _fragment(descriptor, at, start, first, min(limit, size))
        if fragment is None:
            break
        if fragments:  # its exact length is known now
            before = fragments[-1]
            length = fragment.first_dts - before.first_dts
            if length > 0:
                fragments[-1] = Fragment(
                    before.offset, before.size, before.first_dts, length, before.key, before.samples
                )
        fragments.append(fragment)
        at += fragment.size
        end = at
    return fragments, checkpoint, end


def _box_at(start: bytes, room: int) -> Box | None:
    if len(start) < 8:
        return None
    size, kind = struct.unpack_from(">I4s", start)
    return Box(kind, 0, 8, size) if 8 <= size <= room else None


def _checkpoint(data: bytes) -> Seal | None:
    try:
        return parse_seal_box(data)
    except InvalidSeal:
        return None


def _fragment(descriptor: int, at: int, start: bytes, first: Box, limit: int) -> Fragment | None:
    """The whole fragment at an offset, or None when there is none."""
    if first.kind != b"moof" or first.end > _LARGEST_MOOF:
        return None
    moof = start[: first.end] if first.end <= len(start) else os.pread(descriptor, first.end, at)
    head = start[first.end : first.end + 8]
    if len(head) < 8:
        head = os.pread(descriptor, 8, at + first.end)
    if len(head) < 8:
        return None
    length, kind = struct.unpack(">I4s", head)
    size = first.end + length
    if kind != b"mdat" or length < 8 or at + size > limit:
        return None
    try:
        found = parse_moof(moof)
    except BoxError:
        return None
    if found.data_offset < found.size + 8 or found.data_offset + sum(found.sizes) > size:
        return None
    return Fragment(at, size, found.base_dts, found.duration, found.keys[0], len(found.sizes))


def read_samples(path: str, fragment: Fragment) -> Samples:
    """The samples of a fragment of this file. Raises SegmentFileError, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return samples_of(os.pread(descriptor, _moof_size(descriptor, fragment, path), fragment.offset), fragment, path)
    finally:
        os.close(descriptor)


def _moof_size(descriptor: int, fragment: Fragment, path: str) -> int:
    head = os.pread(descriptor, 8, fragment.offset)
    if len(head) < 8 or head[4:] != b"moof":
        raise SegmentFileError(f"{path} has no fragment at byte {fragment.offset}.")
    return int(min(struct.unpack_from(">I", head)[0], fragment.size))


def samples_of(moof: bytes | memoryview, fragment: Fragment, path: str = "the file") -> Samples:
    """The samples of a fragment whose first bytes, at least the moof, are given. Raises SegmentFileError."""
    try:
        found = parse_moof(moof)
    except BoxError as error:
        raise SegmentFileError(f"The fragment at byte {fragment.offset} of {path} cannot be read: {error}.") from error
    if found.data_offset < 0 or found.data_offset + sum(found.sizes) > fragment.size:
        raise SegmentFileError(f"The samples of the fragment at byte {fragment.offset} of {path} lie outside it.")
    dts = found.dts()
    return Samples(
        dts=dts,
        pts=[time + offset for time, offset in zip(dts, found.offsets, strict=True)],
        durations=found.durations,
        sizes=found.sizes,
        offsets=list(accumulate(found.sizes[:-1], initial=fragment.offset + found.data_offset)),
        keys=found.keys,
    )

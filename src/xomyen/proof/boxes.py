"""What a verifier reads of MP4 boxes (ISO/IEC 14496-12): sample entries and the times of a fragment's pictures.

A reader of its own, apart from the recorder's, so that a fault there does not hide itself here.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple


class InvalidBoxes(ValueError):
    """Bytes that do not hold the boxes looked for."""


class Picture(NamedTuple):
    """A coded picture of a sealed fragment."""

    offset: int  # of its bytes in the clip
    size: int
    pts: int  # ticks of the run's media time
    key: bool


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the payload of each box in [at, end). Raises InvalidBoxes."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        if size < head or at + size > end:
            raise InvalidBoxes("a box does not fit")
        yield kind, at + head, at + size
        at += size


def child(data: bytes, kinds: tuple[bytes, ...], at: int, end: int) -> tuple[int, int]:
    """Payload of the box reached by these kinds, one inside the other. Raises InvalidBoxes."""
    for wanted in kinds:
        for kind, start, stop in boxes(data, at, end):
            if kind == wanted:
                at, end = start, stop
                break
        else:
            raise InvalidBoxes(f"there is no {wanted.decode()} box")
    return at, end


def moov_of(header: bytes) -> tuple[int, int]:
    """Payload of the `moov` of `ftyp` + `moov`. Raises InvalidBoxes."""
    # A clip's header ends with the head of its mdat, whose end lies outside: only the boxes before count.
    end = 0
    while end + 8 <= len(header) and header[end + 4 : end + 8] != b"mdat":
        end += max(8, int.from_bytes(header[end : end + 4], "big"))
    if end > len(header):
        raise InvalidBoxes("the header is cut off")
    kinds = [kind for kind, _start, _stop in boxes(header, 0, end)]
    if kinds.count(b"moov") != 1:
        raise InvalidBoxes("there is not one moov box")
    return child(header, (b"moov",), 0, end)


def sample_entry(header: bytes) -> bytes:
    """The bytes of the first sample entry of `ftyp` + `moov` (§8.5.2). Raises InvalidBoxes."""
    at, stop = child(header, (b"trak", b"mdia", b"minf", b"stbl", b"stsd"), *moov_of(header))
    for _kind, start, entry_end in boxes(header, at + 8, stop):
        return header[start - 8 : entry_end]
    raise InvalidBoxes("there is no sample entry")


def pictures_of(moof: bytes, offset: int, size: int) -> list[Picture]:
    """The pictures of a fragment of `size` bytes at `offset`, from its `moof` (§8.8). Raises InvalidBoxes."""
    try:
        at, end = child(moof, (b"moof", b"traf"), 0, len(moof))
        time: int | None = None
        place = 0
        pictures: list[Picture] = []
        for kind, start, stop in boxes(moof, at, end):
            if kind == b"tfdt":
                (time,) = struct.unpack_from(">Q" if moof[start] == 1 else ">I", moof[:stop], start + 4)
            elif kind == b"trun" and time is not None:
                flags, count = struct.unpack_from(">II", moof, start)
                reordered = flags & 0x800
                # As the recorder writes it: data offset, then duration, size, flags and, where it is needed, offset.
                if flags | 0x800 != 0x01000F01 or count * (16 if reordered else 12) > stop - start - 12:
                    raise InvalidBoxes("the trun is not the recorder's or is cut off")
                (place,) = struct.unpack_from(">i", moof, start + 8)
                row_form = ">IIIi" if reordered else ">III"
                rows = moof[start + 12 : start + 12 + struct.calcsize(row_form) * count]
                for duration, length, kind_of, *shift in struct.iter_unpack(row_form, rows):
                    key = not kind_of & 0x10000  # sample_is_non_sync_sample
                    pictures.append(Picture(offset + place, length, time + (shift[0] if shift else 0), key))
                    time += duration
                    place += length
    except (struct.error, IndexError) as error:
        raise InvalidBoxes("the fragment is cut off") from error
    if not pictures or place > size:
        raise InvalidBoxes("the fragment has no pictures, or they lie outside it")
    return pictures

"""What a verifier reads of MP4 boxes (ISO/IEC 14496-12): sample entries and the times of a fragment's pictures.

A reader of its own, apart from the recorder's, so that a fault there does not hide itself here.
"""

import struct
from collections.abc import Iterator


class InvalidBoxes(ValueError):
    """Bytes that do not hold the boxes looked for."""


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        if size < head or at + size > end:
            raise InvalidBoxes("a box does not fit")
        yield kind, at + head, at + size
        at += size


def _inner(data: bytes, kinds: tuple[bytes, ...], at: int, end: int) -> tuple[int, int]:
    for wanted in kinds:
        for kind, start, stop in _boxes(data, at, end):
            if kind == wanted:
                at, end = start, stop
                break
        else:
            raise InvalidBoxes(f"there is no {wanted.decode()} box")
    return at, end


def sample_entry(header: bytes) -> bytes:
    """The bytes of the first sample entry of `ftyp` + `moov` (§8.5.2). Raises InvalidBoxes."""
    # A clip's header ends with the head of its mdat, whose end lies outside: only the boxes before count.
    end = 0
    while end + 8 <= len(header) and header[end + 4 : end + 8] != b"mdat":
        end += max(8, int.from_bytes(header[end : end + 4], "big"))
    if end > len(header):
        raise InvalidBoxes("the header is cut off")
    at, stop = _inner(header, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"), 0, end)
    for _kind, start, entry_end in _boxes(header, at + 8, stop):
        return header[start - 8 : entry_end]
    raise InvalidBoxes("there is no sample entry")


def presentation_times(fragment: bytes) -> list[int]:
    """Presentation times of the pictures of a fragment (`moof` + `mdat`), in ticks (§8.8). Raises InvalidBoxes."""
    try:
        at, end = _inner(fragment, (b"moof", b"traf"), 0, len(fragment))
        time: int | None = None
        times: list[int] = []
        for kind, start, stop in _boxes(fragment, at, end):
            if kind == b"tfdt":
                form = ">Q" if fragment[start] == 1 else ">I"
                (time,) = struct.unpack_from(form, fragment[:stop], start + 4)
            elif kind == b"trun" and time is not None:
                flags, count = struct.unpack_from(">II", fragment, start)
                signed = flags >> 24
                columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
                at_row = start + 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
                if 0x100 not in columns or count * 4 * len(columns) > stop - at_row:
                    raise InvalidBoxes("the trun has no durations or is cut off")
                for row in struct.iter_unpack(
                    f">{len(columns)}I", fragment[at_row : at_row + 4 * len(columns) * count]
                ):
                    offset = row[-1] if flags & 0x800 else 0
                    times.append(time + (offset - (1 << 32) if signed and offset >> 31 else offset))
                    time += row[0]
    except (struct.error, IndexError) as error:
        raise InvalidBoxes("the fragment is cut off") from error
    if not times:
        raise InvalidBoxes("the fragment has no pictures")
    return times

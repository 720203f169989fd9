"""Compares a clip's own sample table with the pictures of the sealed fragments behind it (ISO/IEC 14496-12).

A player shows what the table says, and the table is made at export: without this a clip's header could leave out
pictures, repeat them or show them at other times, while every sealed byte is in its place.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from xomyen.proof.boxes import InvalidBoxes, Picture, boxes, child, moov_of

_TICKS_PER_SECOND = 90_000


@dataclass(frozen=True, slots=True)
class _Table:
    places: list[tuple[int, int]]  # offset in the clip and size of each sample, in decoding order
    pts: list[int]  # ticks of the clip's own media time
    start: int  # the edit list: shown from here on, for this long
    length: int


def shown_pictures(header: bytes, pictures: Sequence[Picture]) -> list[Picture]:
    """The pictures a player shows, in order of time. `pictures` are those of the sealed fragments, in order.

    Raises InvalidBoxes, saying what does not fit, unless the table lists consecutive pictures where they lie, from a
    keyframe on, and shows every one from the first to the last shown at its sealed distance from the first.
    """
    table = _table(header)
    numbers = {(picture.offset, picture.size): number for number, picture in enumerate(pictures)}
    begin = numbers.get(table.places[0])
    last_listed = numbers.get(table.places[-1], -1)
    # Pictures shown before the first keyframe cannot be decoded without what came before, and are not listed.
    listed = [] if begin is None else [p for p in pictures[begin : last_listed + 1] if p.pts >= pictures[begin].pts]
    if [(picture.offset, picture.size) for picture in listed] != table.places:
        raise InvalidBoxes("it lists other pictures than the sealed ones in their order")
    if not listed[0].key:
        raise InvalidBoxes("its first picture is no keyframe")
    end = table.start + table.length
    shown = sorted(
        (own, picture.pts, number)
        for number, (own, picture) in enumerate(zip(table.pts, listed, strict=True))
        if table.start <= own < end
    )
    if not shown or shown[0][0] != table.start:
        raise InvalidBoxes("its edit list begins at no picture")
    first, last = shown[0][1], shown[-1][1]
    if any(own - table.start != sealed - first for own, sealed, _number in shown):
        raise InvalidBoxes("it shows pictures at other times than they were taken")
    if len(shown) != sum(first <= picture.pts <= last for picture in pictures):
        raise InvalidBoxes("it leaves out pictures between the first and the last shown")
    following = min((picture.pts for picture in pictures if picture.pts > last), default=None)
    if following is not None and table.length > following - first:
        raise InvalidBoxes("it holds its last picture longer than it was there")
    return [listed[number] for _own, _sealed, number in shown]


def _table(header: bytes) -> _Table:
    at, end = moov_of(header)
    inside = [kind for kind, _start, _stop in boxes(header, at, end)]
    if inside.count(b"trak") != 1 or b"mvex" in inside:
        raise InvalidBoxes("it has more than one track")
    track = child(header, (b"trak",), at, end)
    media = child(header, (b"mdia",), *track)
    heads = child(header, (b"mvhd",), at, end), child(header, (b"mdhd",), *media)
    edits = child(header, (b"edts", b"elst"), *track)
    scales = {_integers(header, head, ">I", 20, 1)[0] for head in heads}
    count, length, start, rate = _integers(header, edits, ">IQqI", 4, 1)
    versions = {header[place[0]] for place in (*heads, edits)}
    if count != 1 or rate != 1 << 16 or scales != {_TICKS_PER_SECOND} or versions != {1}:
        raise InvalidBoxes("its edit list is not one stretch at the usual speed")
    stbl = child(header, (b"minf", b"stbl"), *media)
    sizes = _sizes(header, child(header, (b"stsz",), *stbl))
    durations = _runs(header, child(header, (b"stts",), *stbl), len(sizes))
    kinds = [kind for kind, _start, _stop in boxes(header, *stbl)]
    offsets = [0] * len(sizes)
    if b"ctts" in kinds:
        offsets = _runs(header, child(header, (b"ctts",), *stbl), len(sizes))
    times = accumulate(durations[:-1], initial=0)
    pts = [time + offset for time, offset in zip(times, offsets, strict=True)]
    return _Table(_places(header, stbl, sizes), pts, start, length)


def _integers(data: bytes, place: tuple[int, int], form: str, at: int, count: int) -> list[int]:
    """`count` records of this form from byte `at` of a box's payload on, laid flat. Raises InvalidBoxes."""
    start, stop = place
    size = struct.calcsize(form) * count
    if start + at + size > stop:
        raise InvalidBoxes("its table is cut off")
    return [value for row in struct.iter_unpack(form, data[start + at : start + at + size]) for value in row]


def _sizes(data: bytes, place: tuple[int, int]) -> list[int]:
    every, count = _integers(data, place, ">II", 4, 1)
    if every or not count:
        raise InvalidBoxes("its table has no sizes")
    return _integers(data, place, ">I", 12, count)


def _runs(data: bytes, place: tuple[int, int], samples: int) -> list[int]:
    """The values of a run-length table such as `stts` and `ctts`, which must be of so many samples (§8.6.1)."""
    (rows,) = _integers(data, place, ">I", 4, 1)
    flat = _integers(data, place, ">Ii", 8, rows)
    if sum(flat[::2]) != samples:
        raise InvalidBoxes("its table is of another number of pictures")
    return [value for count, value in zip(flat[::2], flat[1::2], strict=True) for _ in range(count)]


def _places(data: bytes, stbl: tuple[int, int], sizes: list[int]) -> list[tuple[int, int]]:
    """Offset and size of each sample by `stsc` and `co64` (§8.7.4, §8.7.5)."""
    stsc, co64 = child(data, (b"stsc",), *stbl), child(data, (b"co64",), *stbl)
    chunks = _integers(data, co64, ">Q", 8, _integers(data, co64, ">I", 4, 1)[0])
    flat = _integers(data, stsc, ">III", 8, _integers(data, stsc, ">I", 4, 1)[0])
    begins = [*flat[::3], len(chunks) + 1]
    if begins[0] != 1 or any(here >= there for here, there in pairwise(begins)) or set(flat[2::3]) != {1}:
        raise InvalidBoxes("its chunks do not fit")
    rest = iter(sizes)
    places = []
    for (begin, end), many in zip(pairwise(begins), flat[1::3], strict=True):
        for chunk in chunks[begin - 1 : end - 1]:
            at = chunk
            for _, size in zip(range(many), rest, strict=False):
                places.append((at, size))
                at += size
    if len(places) != len(sizes):
        raise InvalidBoxes("its chunks hold another number of pictures")
    return places

"""Places in segment files that are bytes of a clip, held against deletion while they are read."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from xomyen.playback.file_bytes import open_shared

_OPEN_AHEAD = 128  # files held ahead of the one being read: an hour and more of footage


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a segment's file."""

    path: str
    offset: int
    length: int


Piece = bytes | Part
OpenPiece = bytes | tuple[int, int, int]  # bytes themselves, or descriptor, offset, length


def join_places(places: Iterable[Part]) -> tuple[Part, ...]:
    """The places in order, those that follow one another in a file made one."""
    parts: list[Part] = []
    for place in places:
        before = parts[-1] if parts else None
        if before is not None and before.path == place.path and before.offset + before.length == place.offset:
            parts[-1] = Part(before.path, before.offset, before.length + place.length)
        else:
            parts.append(place)
    return tuple(parts)


def cut_pieces(pieces: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    """What of the pieces, laid one behind the other, makes up the bytes [start, end)."""
    at = 0
    for piece in pieces:
        length = len(piece) if isinstance(piece, bytes) else piece.length
        begin, stop = max(start - at, 0), min(end - at, length)
        at += length
        if begin >= stop:
            continue
        if isinstance(piece, bytes):
            yield piece[begin:stop]
        else:
            yield Part(piece.path, piece.offset + begin, stop - begin)


class HeldFiles:
    """Iterates over pieces with their files open: under a shared lock, some ahead of the reader, closed behind it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._descriptors: dict[int, int] = {}
        self._opened = 0
        self._at = 0

    def __enter__(self) -> Self:
        """Raises FileNotFoundError when a file is gone."""
        with ExitStack() as opened:
            opened.callback(self._close_all)
            self._open_ahead()
            opened.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._close_all()

    def __iter__(self) -> Iterator[OpenPiece]:
        while (piece := self.next()) is not None:
            yield piece

    def next(self) -> OpenPiece | None:
        """The next piece, or None after the last; the descriptor of the one before is closed."""
        behind = self._descriptors.pop(self._at - 1, None)
        if behind is not None:
            os.close(behind)
        if self._at == len(self._pieces):
            return None
        self._open_ahead()
        piece = self._pieces[self._at]
        self._at += 1
        if isinstance(piece, bytes):
            return piece
        return self._descriptors[self._at - 1], piece.offset, piece.length

    def _open_ahead(self) -> None:
        while self._opened < min(len(self._pieces), self._at + _OPEN_AHEAD):
            piece = self._pieces[self._opened]
            if isinstance(piece, Part):
                self._descriptors[self._opened] = open_shared(piece.path)
            self._opened += 1

    def _close_all(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

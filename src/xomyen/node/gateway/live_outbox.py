"""What waits to be sent to one page: bounded for each picture, in the order it came."""

import asyncio
import struct
from collections import deque
from dataclasses import dataclass

from xomyen.playback.live import Piece

# version, kind, view, wall time of the first picture in ns (docs/api.md)
_HEAD = struct.Struct(">BBHq")
_VERSION = 1
_LONGEST_WAIT_S = 1.5
_MOST_BYTES = 12 << 20  # of one view; a whole group of pictures when it joins fits


@dataclass(slots=True)
class _Waiting:
    payload: str | bytes
    since_s: float
    piece: bool
    key: bool = False


class Lane:
    """One view's messages."""

    __slots__ = ("_bytes", "_items", "_outbox", "number", "skipped", "waits_for_key")

    def __init__(self, outbox: "Outbox", number: int) -> None:
        self._outbox = outbox
        self._items: deque[_Waiting] = deque()
        self._bytes = 0
        self.number = number
        self.waits_for_key = False
        self.skipped = 0  # times that pictures were left out

    def text(self, message: str) -> None:
        self._put(_Waiting(message, self._outbox.now_s(), False))

    def header(self, data: bytes) -> None:
        """An initialisation segment: what waited before is of no use any more."""
        self._drop_pieces(0)
        self.waits_for_key = True
        self._put(_Waiting(_HEAD.pack(_VERSION, 0, self.number, 0) + data, self._outbox.now_s(), False))

    def piece(self, piece: Piece, skip_message: str) -> None:
        """A fragment. A viewer that is too slow for it goes on at the newest keyframe."""
        now_s = self._outbox.now_s()
        oldest_s = next((item.since_s for item in self._items if item.piece), now_s)
        if now_s - oldest_s > _LONGEST_WAIT_S or self._bytes + len(piece.data) > _MOST_BYTES:
            self._skip(now_s, skip_message)
        if self.waits_for_key:
            if not piece.key:
                return
            self.waits_for_key = False
        head = _HEAD.pack(_VERSION, 2 if piece.key else 1, self.number, piece.wall_ns)
        self._put(_Waiting(head + piece.data, now_s, True, piece.key))

    def take(self) -> str | bytes | None:
        """The next message, or None when it was left out meanwhile."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._bytes -= len(item.payload)
        return item.payload

    def clear(self) -> None:
        self._items.clear()
        self._bytes = 0

    def _put(self, item: _Waiting) -> None:
        self._items.append(item)
        self._bytes += len(item.payload)
        self._outbox.ready(self)

    def _skip(self, now_s: float, message: str) -> None:
        self.skipped += 1
        newest = max((number for number, item in enumerate(self._items) if item.key), default=0)
        fresh = newest > 0 and now_s - self._items[newest].since_s <= _LONGEST_WAIT_S
        kept = list(self._items)[newest:] if fresh else []
        others = [item for item in list(self._items)[: newest if fresh else None] if not item.piece]
        self.clear()
        for item in (*others, _Waiting(message, now_s, False), *kept):
            self._put(item)
        self.waits_for_key = not fresh

    def _drop_pieces(self, begin: int) -> None:
        kept = [item for number, item in enumerate(self._items) if number < begin or not item.piece]
        self._items = deque(kept)
        self._bytes = sum(len(item.payload) for item in kept)


class Outbox:
    """The lanes of one page, sent fairly: one message of the lane that has waited longest."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._order: deque[Lane] = deque()
        self._wake = asyncio.Event()

    def now_s(self) -> float:
        return self._loop.time()

    def lane(self, number: int) -> Lane:
        return Lane(self, number)

    def ready(self, lane: Lane) -> None:
        """One more message waits in the lane."""
        self._order.append(lane)
        self._wake.set()

    async def next(self) -> str | bytes:
        """The next message to send; waits for one."""
        while True:
            while self._order:
                message = self._order.popleft().take()
                if message is not None:
                    return message
            self._wake.clear()
            await self._wake.wait()

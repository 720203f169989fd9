"""All live feeds of a node's gateway, and the leases that tell the recorder which streams are watched."""

import asyncio
from collections.abc import Callable, Coroutine
from fractions import Fraction
from types import TracebackType
from typing import Self

from nats.aio.client import Client

from xomyen.playback.errors import Busy
from xomyen.playback.lane import Lane, VolumeLanes
from xomyen.playback.live import LiveFeed, publish_lease
from xomyen.playback.live_transcode import TranscodedFeed
from xomyen.playback.masks import Masks
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import StreamName

LEASE_EVERY_S = 2.0
_LINGER_NS = 5 * NS_PER_SECOND
_DISK_THREADS = 4  # for each volume: what was written a moment ago is in the page cache
_DISK_WAITING = 1000
WHOLE_PIXELS = 1920 * 1080  # of a picture that counts as one; larger ones are no more, as they are made smaller first
_LEAST_SHARE = Fraction(1, 6)  # of a conversion, however small its pictures: each is a process with its memory


class LiveHub:
    """All feeds of a node's gateway; keeps the recorder told which streams are watched."""

    def __init__(
        self,
        bus: Client,
        node: str,
        index: Callable[[], IndexReader],
        clock: Clock,
        lookups: Lane,
        transcoders: int = 2,
    ) -> None:
        """`lookups` are the threads that ask the index; `transcoders` is how many Full HD streams are re-encoded."""
        self._bus = bus
        self._node = node
        self._index = index
        self._clock = clock
        self._lookups = lookups
        self._disks = VolumeLanes(_DISK_THREADS, _DISK_WAITING)
        self._feeds: dict[tuple[str, StreamName], LiveFeed] = {}
        self._transcoders = transcoders
        self._transcoded: dict[tuple[str, StreamName, Masks], TranscodedFeed] = {}
        self._shares: dict[tuple[str, StreamName, Masks], Fraction] = {}  # of the transcoders, by feed
        self._task: asyncio.Task[None] | None = None
        self._stopping: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._renew(), name="live-leases")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        feeds: tuple[TranscodedFeed | LiveFeed, ...] = (*self._transcoded.values(), *self._feeds.values())
        await asyncio.gather(*(feed.stop() for feed in feeds), *self._stopping, return_exceptions=True)
        self._transcoded.clear()
        self._feeds.clear()
        self._disks.close()

    def feed(self, camera: str, stream: StreamName) -> LiveFeed:
        """The stream's feed; started when nobody watched before, ends some seconds after its last viewer."""
        key = (camera, stream)
        if key not in self._feeds:
            feed = LiveFeed(self._bus, self._node, camera, stream, self._index, self._clock, self._lookups, self._disks)
            self._feeds[key] = feed
            feed.start()
        return self._feeds[key]

    def transcoded(self, camera: str, stream: StreamName, masks: Masks, pixels: int) -> TranscodedFeed:
        """The stream's pictures, of so many pixels, as H.264 with the masks black; ends with its last viewer.

        A camera has one set of masks: pictures with another one end with this. Raises Busy when as many run as may.
        """
        key = (camera, stream, masks)
        if key not in self._transcoded:
            if masks:
                self._end_stale(camera, masks)
            share = max(_LEAST_SHARE, min(Fraction(pixels, WHOLE_PIXELS), Fraction(1)))
            if sum(self._shares.values()) + share > self._transcoders:
                raise Busy(
                    "The node blackens private zones in, or converts, as many live pictures as it may; "
                    "others are watched now."
                )
            self._shares[key] = share
            self._transcoded[key] = TranscodedFeed(self.feed(camera, stream), masks, lambda feed: self._end(key, feed))
            self._transcoded[key].start()
        return self._transcoded[key]

    def _end_stale(self, camera: str, masks: Masks) -> None:
        for key, feed in tuple(self._transcoded.items()):
            if key[0] == camera and key[2] and key[2] != masks:
                self._end(key, feed)

    def _end(self, key: tuple[str, StreamName, Masks], feed: TranscodedFeed) -> None:
        if self._transcoded.get(key) is feed:
            del self._transcoded[key]
            del self._shares[key]
            self._later(feed.stop())

    @property
    def transcoding(self) -> int:
        """How many streams are being re-encoded."""
        return len(self._transcoded)

    @property
    def feeds(self) -> tuple[LiveFeed, ...]:
        return tuple(self._feeds.values())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE_EVERY_S)
            now_ns = self._clock.monotonic_ns()
            for key, feed in tuple(self._feeds.items()):
                if not feed.watched and now_ns - feed.last_ns > _LINGER_NS:
                    del self._feeds[key]
                    self._later(feed.stop())
                    continue
                await publish_lease(self._bus, self._node, *key)

    def _later(self, ending: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(ending)
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

"""Live pictures: the tail of the file, read once and handed to everybody who watches that stream."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import FileIO
from typing import Protocol

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from pydantic import ValidationError

from xomyen.bus import subjects
from xomyen.bus.messages import FragmentNotice
from xomyen.playback.errors import Busy
from xomyen.playback.file_bytes import read_all, read_cached
from xomyen.playback.lane import Lane, VolumeLanes
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.mp4 import codec_of, parse_header
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_segment
from xomyen.recording.segment_note import SegmentNote
from xomyen.terms.errors import NoFootage
from xomyen.terms.time import Clock, ticks_to_ns
from xomyen.terms.words import StreamName, VideoCodec

log = structlog.get_logger(__name__)

_NOTICES_WAITING = 4096
_UNREADABLE = (OSError, EOFError, ValueError, NoFootage, Busy, sqlite3.Error)
_LONGEST_CATCH_UP = 8 << 20  # bytes; after a keyframe longer ago than that, a viewer waits for the next


@dataclass(frozen=True, slots=True)
class Init:
    """What a player needs before the first fragment of a run."""

    run: str
    codec: VideoCodec
    codec_string: str
    width: int  # pixels
    height: int
    data: bytes  # ftyp + moov

    @property
    def mime(self) -> str:
        return f'video/mp4; codecs="{self.codec_string}"'


@dataclass(frozen=True, slots=True)
class Piece:
    """One fragment, moof and mdat."""

    key: bool  # starts with a keyframe
    wall_ns: int  # of its first picture
    data: bytes


class Viewer(Protocol):
    """Who watches a feed. Called on the loop, never blocks."""

    def begin(self, init: Init) -> None:
        """A run begins: a player starts anew with this header."""
        ...

    def piece(self, piece: Piece) -> None:
        """The next fragment; the first one after `begin` starts with a keyframe."""
        ...

    def stalled(self) -> None:
        """What converts the pictures has ended; `begin` follows once another does."""
        ...


class Feed(Protocol):
    """Something with pictures to watch."""

    def join(self, viewer: Viewer) -> None: ...

    def leave(self, viewer: Viewer) -> None: ...


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fragment lies in the file being followed."""

    offset: int
    size: int
    key: bool
    wall_ns: int


class LiveFeed:
    """Follows the newest segment of one stream as long as anybody watches.

    Notices say where the next fragment is; when some were lost, the file fills in what they told of.
    """

    def __init__(
        self,
        bus: Client,
        node: str,
        camera: str,
        stream: StreamName,
        index: Callable[[], IndexReader],
        clock: Clock,
        lookups: Lane,
        disks: VolumeLanes,
    ) -> None:
        """`lookups` are threads that ask the index, `disks` those that read the files of one volume's folder."""
        self.camera = camera
        self.stream = stream
        self._bus = bus
        self._node = node
        self._index = index
        self._clock = clock
        self._lookups = lookups
        self._disks = disks
        self._viewers: set[Viewer] = set()
        self._inbox: asyncio.Queue[FragmentNotice | Viewer] = asyncio.Queue()  # bounded where notices go in
        self._init: Init | None = None
        self._path = ""
        self._file: FileIO | None = None
        self._end = 0  # bytes of the file handed out so far
        self._group: list[_Place] = []  # fragments since the newest keyframe
        self._task: asyncio.Task[None] | None = None
        self.last_ns = clock.monotonic_ns()  # when the last viewer left
        self.delay_ns = 0  # from the recorder's write to the viewers, of the newest fragment

    @property
    def watched(self) -> bool:
        return bool(self._viewers)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"live-{self.camera}-{self.stream}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def join(self, viewer: Viewer) -> None:
        """The viewer gets the current run's header and everything since the newest keyframe, then goes along."""
        self._viewers.add(viewer)
        self._inbox.put_nowait(viewer)

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self.last_ns = self._clock.monotonic_ns()

    async def _run(self) -> None:
        subscription: Subscription | None = None
        try:
            subject = subjects.fragment(self._node, self.camera, self.stream)
            subscription = await self._bus.subscribe(subject, cb=self._heard)
            await publish_lease(self._bus, self._node, self.camera, self.stream)
            try:
                await self._begin_with_open_segment()
            except _UNREADABLE as error:
                self._start_afresh(error)
            joined: set[Viewer] = set()
            while True:
                item = await self._inbox.get()
                try:
                    if isinstance(item, FragmentNotice):
                        await self._follow(item, joined)
                    elif item in self._viewers:
                        joined.add(item)
                        await self._catch_up(item)
                except _UNREADABLE as error:
                    self._start_afresh(error)
                joined &= self._viewers
        finally:
            self._close_file()
            if subscription is not None and self._bus.is_connected:
                await subscription.unsubscribe()

    def _start_afresh(self, error: Exception) -> None:
        """The file went away or is not what the notice said: the next notice tells where to go on."""
        log.warning("live_file_unreadable", camera=self.camera, stream=self.stream, error=str(error))
        self._close_file()

    async def _heard(self, message: Msg) -> None:
        try:
            notice = FragmentNotice.model_validate_json(message.data)
        except ValidationError:
            log.warning("notice_not_understood", camera=self.camera, stream=self.stream)
            return
        if self._inbox.qsize() < _NOTICES_WAITING:
            self._inbox.put_nowait(notice)
        else:
            log.warning("notice_dropped", camera=self.camera, stream=self.stream)

    async def _begin_with_open_segment(self) -> None:
        """What is there already, so that the first picture does not wait for the next keyframe."""
        try:
            index = self._index()
        except NoFootage:
            return
        segment = await self._lookups.run(newest_open_segment, index, self.camera, self.stream)
        if segment is None:
            return
        file = await self._lane(segment.path).run(read_segment, segment.path)
        if not file.fragments:
            return
        await self._open(segment.path, len(file.header_bytes))
        self._init = _init(segment.run, file.header_bytes)
        for fragment in file.fragments:
            wall_ns = segment.start_ns + ticks_to_ns(fragment.first_dts - segment.first_dts)
            self._note(_Place(fragment.offset, fragment.size, fragment.key, wall_ns))

    async def _follow(self, notice: FragmentNotice, viewers: Iterable[Viewer]) -> None:
        if notice.path != self._path:
            await self._next_segment(notice, viewers)
        if notice.offset < self._end:
            return  # read from the file before the notice came
        if notice.offset > self._end:
            await self._fill(notice, viewers)
        place = _Place(notice.offset, notice.size, notice.key, notice.wall_ns)
        data = await self._read(place.size, place.offset)
        self._note(place)
        self._hand_out(Piece(place.key, place.wall_ns, data), viewers)
        self.delay_ns = self._clock.wall_ns() - notice.written_ns

    async def _next_segment(self, notice: FragmentNotice, viewers: Iterable[Viewer]) -> None:
        same_run = self._init is not None and self._init.run == notice.run
        await self._open(notice.path, notice.header_bytes)
        if same_run:
            return
        self._init = _init(notice.run, await self._read(notice.header_bytes, 0))
        for viewer in tuple(viewers):
            viewer.begin(self._init)

    async def _fill(self, notice: FragmentNotice, viewers: Iterable[Viewer]) -> None:
        """Hands out what stands in the file between the last known fragment and this notice's.

        Of a file that is new to this feed only what follows the newest keyframe.
        """
        file = await self._lane(self._path).run(read_segment, self._path, notice.offset)
        missed = [fragment for fragment in file.fragments if self._end <= fragment.offset < notice.offset]
        if not self._group:
            keys = [number for number, fragment in enumerate(missed) if fragment.key]
            missed = missed[keys[-1] :] if keys and not notice.key else []
        for fragment in missed:
            wall_ns = notice.wall_ns - ticks_to_ns(notice.first_dts - fragment.first_dts)
            data = await self._read(fragment.size, fragment.offset)
            self._note(_Place(fragment.offset, fragment.size, fragment.key, wall_ns))
            self._hand_out(Piece(fragment.key, wall_ns, data), viewers)

    async def _catch_up(self, viewer: Viewer) -> None:
        if self._init is None:
            return
        viewer.begin(self._init)
        if self._group and self._end - self._group[0].offset <= _LONGEST_CATCH_UP:
            first = self._group[0].offset
            data = await self._read(self._end - first, first)
            for place in self._group:
                at = place.offset - first
                viewer.piece(Piece(place.key, place.wall_ns, data[at : at + place.size]))

    def _hand_out(self, piece: Piece, viewers: Iterable[Viewer]) -> None:
        for viewer in tuple(viewers):
            viewer.piece(piece)

    def _note(self, place: _Place) -> None:
        if place.key:
            self._group.clear()
        self._group.append(place)
        self._end = place.offset + place.size

    def _lane(self, path: str) -> Lane:
        """The threads for the volume that holds this file: VOLUME/camera/stream/day/file."""
        return self._disks.of(path.rsplit("/", 4)[0])

    async def _read(self, length: int, offset: int) -> bytes:
        """Exactly these bytes of the file being followed: from the page cache at once, from the disk in a thread."""
        if self._file is None:
            raise EOFError("no file is open")
        data = read_cached(self._file.fileno(), length, offset)
        if data is None:
            data = await self._lane(self._path).run(read_all, self._file.fileno(), length, offset)
        return data

    async def _open(self, path: str, header_bytes: int) -> None:
        self._close_file()
        self._file = await self._lane(path).run(FileIO, path)
        self._path = path
        self._end = header_bytes

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
        self._path = ""
        self._end = 0
        self._group = []


def _init(run: str, data: bytes) -> Init:
    """What a file's header says. Raises ValueError for one that no recorder wrote."""
    header = parse_header(data)
    if header.note is None:
        raise ValueError("the file's header has no note")
    note = SegmentNote.decode(header.note)
    return Init(run, codec_of(header.sample_entry), note.codec_string, header.width, header.height, data)


def newest_open_segment(index: IndexReader, camera: str, stream: StreamName) -> Segment | None:
    """The stream's segment that is being written, or None."""
    rows = index.query(
        "SELECT id FROM segment WHERE state = 'open'"
        " AND stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)",
        camera,
        stream,
    )
    mine = [segment for (id_,) in rows if (segment := index.segment(id_)) is not None]
    return max(mine, key=lambda segment: segment.start_ns, default=None)


async def publish_lease(bus: Client, node: str, camera: str, stream: StreamName) -> None:
    """Tells the recorder that somebody watches; while the bus is away nobody hears it, the next one will do."""
    try:
        await bus.publish(subjects.lease(node, camera, stream), b"")
    except (NatsError, OSError) as error:
        log.info("lease_not_sent", camera=camera, stream=stream, error=type(error).__name__)

"""One stream on a thread of its own inside a libav process: connect, read, pass on, try again."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator

import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from xomyen.camera.errors import CameraFault, CameraTimeout, ClosedByCamera, CodecNotSupported, MalformedStream
from xomyen.camera.libav.demuxing import fault_of, open_container
from xomyen.camera.libav.opening import Opening, plan
from xomyen.camera.libav.packet_loss import LostPackets
from xomyen.camera.libav.session import CopySession, ReencodeSession, open_session
from xomyen.camera.libav.wire import Closed, Kind, Opened, Start, encode_closed, encode_opened, units_head
from xomyen.camera.source import CodecConfig

Send = Callable[[Kind, int, list[bytes]], None]

_LONGEST_PAUSE_S = 60.0
_MOST_WAITING_BYTES = 1 << 20  # then the reader's own thread sends, and so slows down with the node

# What libav and the conversions raise for bad input; anything else is a bug and ends the process.
_BAD_INPUT = (av.error.FFmpegError, OSError, ValueError, RuntimeError, LookupError, ArithmeticError)


class Reader:
    """Reads one stream until stopped. `run` is the thread; the other methods may be called from any thread."""

    def __init__(self, number: int, start: Start, send: Send) -> None:
        self.number = number
        self._start = start
        self._send = send
        self._stopped = threading.Event()
        self._watched = False
        self._lock = threading.Lock()
        self._units: list[bytes] = []
        self._pts: list[int] = []
        self._dts: list[int] = []
        self._keys: list[bool] = []
        self._waiting_bytes = 0
        self._arrived_ns = 0
        self._lost = LostPackets()
        self._lost_told = 0
        self._delivered = 0
        self._audio = False

    def stop(self) -> None:
        """Ends the thread at the next packet or time-out; nothing is sent any more."""
        self._stopped.set()

    def watch(self, watched: bool) -> None:
        """While watched, each access unit is sent at once."""
        self._watched = watched
        self.flush()

    def flush(self, at_end: bool = False) -> None:
        """Sends what is waiting; called on the process's tick.

        Losses go with the pictures after them; those at a session's end, where none follow, go by themselves.
        """
        with self._lock:
            lost = self._lost.total - self._lost_told
            if self._stopped.is_set() or not (self._units or (at_end and lost)):
                return
            self._lost_told += lost
            units, pts, dts, keys = self._units, self._pts, self._dts, self._keys
            self._units, self._pts, self._dts, self._keys = [], [], [], []
            self._waiting_bytes = 0
            head = units_head(self._arrived_ns, lost, [len(unit) for unit in units], pts, dts, keys)
            # Sent under the lock, so that batches stay in order and the reader waits while the node does.
            self._send(Kind.BATCH, self.number, [head, *units])

    def announce(self, config: CodecConfig) -> None:
        """Called by the session: what comes from now on is of this configuration."""
        self.flush()
        opened = Opened(config.codec, config.parameter_sets, self._audio)
        self._send(Kind.OPENED, self.number, [encode_opened(opened)])

    def put(self, unit: bytes, pts_ticks: int, dts_ticks: int, key: bool) -> None:
        """Called by the session: one access unit."""
        with self._lock:
            self._units.append(unit)
            self._pts.append(pts_ticks)
            self._dts.append(dts_ticks)
            self._keys.append(key)
            self._waiting_bytes += len(unit)
            self._arrived_ns = time.time_ns()
            self._delivered += 1
        if self._watched or self._waiting_bytes > _MOST_WAITING_BYTES:
            self.flush()

    def pause(self, seconds: float) -> None:
        """Called by the session: waits, but not longer than until the reader is stopped."""
        self._stopped.wait(seconds)

    def run(self) -> None:
        """Sessions with growing, jittered pauses between them."""
        self._lost.count_here()
        failures = 0
        while not self._stopped.is_set():
            self._delivered = 0
            began = time.monotonic()
            fault = self._session()
            self.flush(at_end=True)
            if self._stopped.is_set():
                return
            self._send(Kind.CLOSED, self.number, [encode_closed(Closed(fault.code, fault.message))])
            failures = 0 if self._delivered and time.monotonic() - began > 10 else failures + 1
            longest = min(_LONGEST_PAUSE_S, 2.0 ** max(0, failures - 1))
            self._stopped.wait(longest * (0.5 + secrets.randbelow(500) / 1000))

    def _session(self) -> CameraFault:
        """From connecting to the end, and why it ended."""
        opening = plan(self._start)
        try:
            return self._play(opening)
        except CameraFault as fault:
            return fault
        except _BAD_INPUT as error:
            return fault_of(error, opening)

    def _play(self, opening: Opening) -> CameraFault:
        """One connection; a looping file is opened again and again within it."""
        session: CopySession | ReencodeSession | None = None
        while True:
            container = open_container(opening, self._start)
            try:
                stream = next(iter(container.streams.video), None)
                if stream is None:
                    raise CodecNotSupported(f"{opening.place} offers no video.")
                self._audio = bool(container.streams.audio)
                if session is None:
                    session = open_session(self, opening, container, stream)
                before = self._delivered
                for packet in self._packets(container, stream, opening):
                    session.take(packet)
            finally:
                container.close()
            if self._stopped.is_set() or not opening.loop:
                return ClosedByCamera(f"{opening.place}: the stream ended.")
            if self._delivered == before:
                raise MalformedStream(f"{opening.place} holds no picture that can be played.")
            session.again()

    def _packets(self, container: InputContainer, stream: VideoStream, opening: Opening) -> "Iterator[Packet[Stream]]":
        """Video packets until the end; audio ones count for nothing, also not as a sign of life."""
        last = time.monotonic()
        for packet in container.demux():
            if self._stopped.is_set():
                return
            if packet.stream_index == stream.index and packet.size:
                yield packet
                last = time.monotonic()
            elif time.monotonic() - last > self._start.silence_s:
                raise CameraTimeout(f"{opening.place} sends no pictures any more.")

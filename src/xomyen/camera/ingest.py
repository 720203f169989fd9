"""Reads many cameras on one tick, into one buffer; their access units are laid down in leased ones.

Few wake-ups are what makes the recorder cheap: on the tick the cameras' sockets are read one after another,
a few in a row. A stream that somebody watches, or that has just begun, is read when bytes arrive.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable

import structlog

from xomyen.camera.depacketiser import Depacketiser
from xomyen.camera.errors import CameraFault, ClosedByCamera, MalformedStream, from_os_error
from xomyen.terms.buffers import BufferPool, Lease, ReceiveBuffer
from xomyen.terms.time import Clock, SystemClock

# Long, because each wake-up finds cold caches, but within a fragment's 0.5 s. No multiple of a usual frame's time:
# the reads then meet a stream at every phase, and the earliest arrivals tell when its pictures were taken.
TICK_S = 0.46
IN_A_ROW = 16  # streams between which nothing else of the event loop has its turn
RECEIVE_BYTES = 448 * 1024  # a tick of 4 Mbit/s with its keyframe
BUFFER_BYTES = 512 * 1024  # of a read's access units; many small NAL units take more room there than they came in
SHARE = 9  # buffers one stream may have waiting for its disk: 4 s of ticks; after that the kernel's buffer fills
MOST_AT_ONCE = SHARE * BUFFER_BYTES  # bytes of one stream in one turn (80 Mbit/s); a flood waits in its socket
PROMPT_S = 5.0  # a new run is read on readiness for so long, so that its wall-clock anchor is sharp
START_SPACING_S = 0.01

_NOTHING_YET = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# What a parser can raise on input that its author did not think of; it ends one session.
PARSER_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    LookupError,
    RuntimeError,
    struct.error,
    TypeError,
    ValueError,
)

_log = structlog.get_logger("camera")


class Reader:
    """Moves the bytes of one playing session from its socket to its depacketiser."""

    def __init__(
        self,
        ingest: "Ingest",
        sock: socket.socket,
        depacketiser: Depacketiser,
        place: str,
        ended: Callable[[CameraFault], None],
    ) -> None:
        """`ended` is called once, when the connection or the stream fails; never after `close`."""
        self._ingest = ingest
        self._socket = sock
        self._depacketiser = depacketiser
        self._place = place
        self._ended = ended
        self._encrypted = isinstance(sock, ssl.SSLSocket)
        self._waiting: list[tuple[Lease, int]] = []  # buffers the sink has kept
        self._prompt = self._listening = False
        self._open = False
        self.received_bytes = 0
        self.held_back = False  # bytes wait in the socket because no buffer is free
        self.starved = 0  # times when no buffer was free and the bytes stayed in the socket

    def open(self, first_bytes: bytes = b"") -> None:
        """Begins to read, at first on readiness. `first_bytes` were read already. Raises CameraFault for them."""
        if first_bytes:
            received = ReceiveBuffer(len(first_bytes))
            received.view[:] = first_bytes
            lease = BufferPool(2 * len(first_bytes), 1).take()  # small NAL units take more room than they came in
            if lease is not None:
                self._depacketiser.feed(received, len(first_bytes), lease, self._ingest.clock.wall_ns())
                lease.release()
        self._open = True
        self._ingest.add(self)
        self.prompt(True)

    def close(self) -> None:
        """Reads no more. The socket stays the caller's."""
        if self._open:
            self._open = False
            self._listen(False)
            self._ingest.remove(self)

    def prompt(self, prompt: bool) -> None:
        """Reads when bytes arrive, or only on the tick."""
        self._prompt = prompt
        self._listen(prompt and self._open)

    def _listen(self, listen: bool) -> None:
        if listen != self._listening:
            self._listening = listen
            if listen:
                self._ingest.loop.add_reader(self._socket.fileno(), self.poll)
            else:
                self._ingest.loop.remove_reader(self._socket.fileno())

    def poll(self) -> None:
        """Reads what has come, as far as there are buffers and the others' turn allows."""
        enough = self.received_bytes + MOST_AT_ONCE
        while self._open:
            lease = self._ingest.pool.take() if self._may_borrow() else None
            if lease is None:
                self.starved += 1
                self.held_back = True
                self._listen(False)  # a readable socket that nobody reads would wake the loop for ever
                return
            self.held_back = False
            try:
                more = self._read(lease)
            except CameraFault as fault:
                self._fail(fault)
                return
            except PARSER_FAULTS as error:
                _log.exception("session failed", camera=self._place)
                self._fail(MalformedStream(f"{self._place} sends what cannot be read ({type(error).__name__})."))
                return
            finally:
                loan = lease.loan
                lease.release()
                if lease.loan == loan:
                    self._waiting.append((lease, loan))
            if not more or self.received_bytes >= enough:
                self._listen(self._prompt)
                return

    def _read(self, lease: Lease) -> bool:
        """One read; whether there may be more."""
        depacketiser, received = self._depacketiser, self._ingest.received
        tail, view = depacketiser.tail, received.view
        held = len(tail)
        if held:
            view[:held] = tail
        try:
            count = self._socket.recv_into(view[held:])
        except _NOTHING_YET:
            return False
        except OSError as error:
            raise from_os_error(error, self._place) from error
        if not count:
            raise ClosedByCamera(f"{self._place} closed the connection.")
        self.received_bytes += count
        depacketiser.feed(received, held + count, lease, self._ingest.clock.wall_ns())
        return self._encrypted or held + count == len(view)

    def _may_borrow(self) -> bool:
        waiting = self._waiting
        if waiting:
            self._waiting = waiting = [entry for entry in waiting if entry[0].loan == entry[1]]
        return len(waiting) < SHARE

    def _fail(self, fault: CameraFault) -> None:
        self.close()
        self._ended(fault)


class Ingest:
    """All streams of a process that are read by it, and the buffers they are read into."""

    def __init__(self, clock: Clock | None = None, pool: BufferPool | None = None) -> None:
        """`pool` bounds the memory of all streams together; by default 4.5 MiB for each of 200 at the worst."""
        self.clock = clock or SystemClock()
        self.pool = pool or BufferPool(BUFFER_BYTES, 200 * SHARE)
        self.received = ReceiveBuffer(min(RECEIVE_BYTES, self.pool.size))
        self._readers: dict[Reader, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_start = 0.0

    async def __aenter__(self) -> "Ingest":
        self.loop = asyncio.get_running_loop()
        self._set_timer(self.loop.time() + TICK_S)
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._readers.clear()

    def add(self, reader: Reader) -> None:
        """The stream is read on every tick from now on."""
        self._readers[reader] = None

    def remove(self, reader: Reader) -> None:
        self._readers.pop(reader, None)

    async def turn(self) -> None:
        """Waits so that sessions do not all begin at once, as after a power cut."""
        now = self.loop.time()
        self._next_start = at = max(now, self._next_start + START_SPACING_S)
        if at > now:
            await asyncio.sleep(at - now)

    def _set_timer(self, at: float) -> None:
        self._timer = self.loop.call_at(at, self._tick, at)

    def _tick(self, due: float) -> None:
        # The next tick is set first: whatever this one meets, reading goes on.
        self._set_timer(max(due + TICK_S, self.loop.time()))
        self._poll(tuple(self._readers), 0)

    def _poll(self, readers: tuple[Reader, ...], first: int) -> None:
        end = first + IN_A_ROW
        if end < len(readers):
            self.loop.call_soon(self._poll, readers, end)
        for reader in readers[first:end]:
            reader.poll()

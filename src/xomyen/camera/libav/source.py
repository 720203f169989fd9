"""One stream read by a libav process, as a `Source`."""

from typing import Self

from xomyen.camera import errors
from xomyen.camera.codec_config import codec_config
from xomyen.camera.errors import CameraFault, ClosedByCamera, MalformedStream
from xomyen.camera.libav.opening import plan
from xomyen.camera.libav.pool import LibavPool
from xomyen.camera.libav.wire import Closed, Opened, Start, Units
from xomyen.camera.source import Batch, StreamSink
from xomyen.terms.words import GapReason

_FAULTS = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CameraFault)
}
_SILENCE_S = 10.0
_OPEN_S = 10.0


class LibavSource:
    """A camera or file that is not RTSP over TCP.

    Addresses: ``rtsp+udp://``, ``rtmp://``, ``rtmps://``, ``http://``, ``https://`` and ``file:///…``. A file
    is played at its own speed, and again from its start when it ends unless the address ends in ``#once``.
    Raises InvalidConfiguration for any other address.
    """

    def __init__(
        self,
        url: str,
        user: str | None,
        password: str | None,
        sink: StreamSink,
        pool: LibavPool,
        silence_s: float = _SILENCE_S,
        open_s: float = _OPEN_S,
    ) -> None:
        self._start = Start(url, user, password, silence_s, open_s)
        plan(self._start)
        self._sink = sink
        self._pool = pool
        self._number: int | None = None
        self._said: tuple[GapReason, str] | None = None  # what `closed` said last, None while open
        self.audio_offered = False
        self.reached = ""  # libav follows redirects and playlists without telling where they lead
        self.fault: CameraFault | None = None  # why there are no pictures now

    async def __aenter__(self) -> Self:
        self._number = self._pool.add(self._start, self)
        return self

    async def __aexit__(self, *exception: object) -> None:
        number, self._number = self._number, None
        if number is not None:
            await self._pool.remove(number)

    def watch(self, watched: bool) -> None:
        """While watched, access units come at once, else every 250 ms."""
        if self._number is not None:
            self._pool.watch(self._number, watched)

    def on_opened(self, opened: Opened) -> None:
        """Called by the pool."""
        self.audio_offered = opened.audio_offered
        self.fault = None
        self._said = None
        self._sink.opened(codec_config(opened.codec, opened.parameter_sets))

    def on_units(self, units: Units) -> None:
        """Called by the pool."""
        batch = Batch()
        batch.arrived_ns = units.arrived_ns
        batch.lost_packets = units.lost_packets
        batch.sizes, batch.pts_ticks, batch.dts_ticks, batch.keys = (
            units.sizes,
            units.pts_ticks,
            units.dts_ticks,
            units.keys,
        )
        if units.sizes:
            batch.parts.append(units.data)
        self._sink.write(batch)

    def on_closed(self, closed: Closed) -> None:
        """Called by the pool."""
        fault = _FAULTS.get(closed.code, MalformedStream)(closed.message)
        self._close(fault, fault.gap)

    def on_process_lost(self, detail: str) -> None:
        """Called by the pool."""
        self._close(ClosedByCamera(f"{detail}; it is started again."), GapReason.NODE_STOPPED)

    def _close(self, fault: CameraFault, reason: GapReason) -> None:
        self.fault = fault
        if self._said != (reason, fault.message):
            self._said = (reason, fault.message)
            self._sink.closed(reason, fault.message)

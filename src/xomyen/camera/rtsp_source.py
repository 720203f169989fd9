"""A camera's stream by RTSP over TCP: connects, plays, watches over it, and begins again when it ends."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Self

import structlog

from xomyen.camera.address import Address, Credentials, parse_address, redact, split_credentials
from xomyen.camera.codec_config import codec_config
from xomyen.camera.depacketiser import Depacketiser
from xomyen.camera.errors import CameraFault, CameraTimeout, MalformedStream, NoKeyframe
from xomyen.camera.ingest import PARSER_FAULTS, PROMPT_S, Ingest, Reader
from xomyen.camera.nal_shape import nal_shape
from xomyen.camera.rtp import parse_rtcp
from xomyen.camera.rtsp_message import Request, Response
from xomyen.camera.rtsp_session import Playing, RtspSession
from xomyen.camera.source import CodecConfig, StreamSink
from xomyen.terms.tasks import end_task
from xomyen.terms.words import GapReason, VideoCodec

SILENCE_S = 10.0  # without one byte: the session is over
GOODBYE_S = 2.0  # the same after an RTCP BYE
KEYFRAME_S = 15.0  # without a keyframe: said, but not ended, because smart codecs stretch GOPs to minutes
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
UPKEEP_S = 1.0
_STABLE_S = 20.0  # a session that lasted so long was a good one: the next pause is short again

_log = structlog.get_logger("camera")


def pause_s(failures: int, jitter: float) -> float:
    """How long to wait after so many failures in a row: doubling up to 30 s, the upper half of it by chance.

    `jitter` lies between 0 and 1 and keeps the cameras of one switch from coming back all at once.
    """
    longest = min(FIRST_PAUSE_S * (1 << min(max(failures - 1, 0), 10)), LONGEST_PAUSE_S)
    return longest * (0.5 + 0.5 * jitter)


class RtspSource:
    """One stream of one camera by RTSP; a `Source`."""

    def __init__(
        self,
        url: str,
        user: str | None,
        password: str | None,
        sink: StreamSink,
        ingest: Ingest,
        *,
        name: str = "",
        certificate: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`name` stands in the log; `certificate` is the hex SHA-256 of the camera's certificate, for rtsps.

        A user and password inside the URL count when none are given. Raises InvalidConfiguration.
        """
        bare, inside = split_credentials(url)
        self._address = parse_address(bare)
        self._credentials = Credentials(user, password or "") if user else inside
        self._sink = sink
        self._ingest = ingest
        self._certificate = certificate
        self._jitter = jitter
        self._log = _log.bind(camera=name or self._address.place)
        self._task: asyncio.Task[None] | None = None
        self._play: _Play | None = None
        self._watched = False
        self._moved_to: Address | None = None
        self._said: tuple[GapReason, str] | None = None
        self.server = ""
        self.audio_offered = False
        self.fault: CameraFault | None = None  # why the last session ended
        self.sessions = 0  # sessions that reached PLAY
        self.reached = ""  # the IP address that the newest of them plays from
        self.lost_packets = 0  # of sessions that are over

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exception: object) -> None:
        await end_task(self._task)

    def watch(self, watched: bool) -> None:
        """While watched, reads at once instead of on the tick."""
        self._watched = watched
        if self._play is not None:
            self._play.watch(watched)

    async def _run(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            await self._ingest.turn()
            began = loop.time()
            try:
                await self._session()
            except CameraFault as fault:
                self._say(fault)
            except (*PARSER_FAULTS, OSError) as error:
                self._log.exception("session failed")
                self._say(MalformedStream(f"{self._address.place}: {type(error).__name__} while reading it."))
            failures = 0 if loop.time() - began >= _STABLE_S else failures + 1
            await asyncio.sleep(pause_s(failures, self._jitter()))

    async def _session(self) -> None:
        """One session, from the connection to its end, which always is a CameraFault."""
        session = RtspSession(self._address, self._credentials, self._certificate, self._moved_to)
        try:
            playing = await session.open()
            self.sessions += 1
            self.reached = session.connection.reached
            self.server = playing.server
            self.audio_offered = playing.audio_offered
            self._log.info("playing", codec=playing.track.codec, server=playing.server, timeout_s=session.timeout_s)
            self._play = play = _Play(session, playing, self._ingest, _Told(self._sink, self))
            play.watch(self._watched)
            try:
                await play.run()
            finally:
                self.lost_packets += play.depacketiser.lost_packets
                self._play = None
        finally:
            self._moved_to = session.moved_to
            await session.close()

    def _say(self, fault: CameraFault) -> None:
        self.fault = fault
        reason, detail = fault.gap, redact(fault.message)
        if self._said != (reason, detail):
            self._said = reason, detail
            self._log.warning("no pictures", reason=reason, detail=detail)
            self._sink.closed(reason, detail)

    def said_opened(self) -> None:
        """Pictures come: whatever was said before may be said again."""
        self._said = None

    def waiting(self, fault: NoKeyframe) -> None:
        """The session lives, but nothing can be recorded from it yet."""
        self._say(fault)


class _Told:
    """The sink, with the source told when a run opens."""

    def __init__(self, sink: StreamSink, source: RtspSource) -> None:
        self._sink = sink
        self._source = source
        self.write = sink.write  # no call between on the hot path
        self.camera_clock = sink.camera_clock
        self.closed = sink.closed
        self.waiting = source.waiting

    def opened(self, config: CodecConfig) -> None:
        self._source.said_opened()
        self._sink.opened(config)


class _Play:
    """A session while it plays: reads it, keeps it alive, and notices when it is dead."""

    def __init__(self, session: RtspSession, playing: Playing, ingest: Ingest, sink: _Told) -> None:
        track = playing.track
        codec: VideoCodec = track.codec

        def configure(sets: Sequence[bytes]) -> CodecConfig:
            return codec_config(codec, sets)

        self._session = session
        self._ingest = ingest
        self._sink = sink
        self._first_bytes = playing.first_bytes
        self.depacketiser = Depacketiser(
            nal_shape(codec, track.donl),
            playing.channel,
            track.payload_type,
            sink,
            self,
            configure,
            track.parameter_sets,
        )
        self._ended: asyncio.Future[CameraFault] = ingest.loop.create_future()
        connection = session.connection
        self._reader = Reader(ingest, connection.socket, self.depacketiser, connection.place, self._end)
        self._timer: asyncio.TimerHandle | None = None
        self._began = self._last_bytes_at = self._last_keep_alive = ingest.loop.time()
        self._seen_bytes = 0
        self._silence_s = SILENCE_S
        self._watched = False
        self._anchored = False

    async def run(self) -> None:
        """Until the session ends; raises why."""
        try:
            self._reader.open(self._first_bytes)
            self._upkeep()
            raise await self._ended
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._reader.close()
            self.depacketiser.end()

    def watch(self, watched: bool) -> None:
        self._watched = watched
        self._reader.prompt(watched or not self._anchored)

    def _upkeep(self) -> None:
        loop = self._ingest.loop
        self._timer = loop.call_later(UPKEEP_S, self._upkeep)
        now = loop.time()
        received = self._reader.received_bytes
        if received != self._seen_bytes:
            self._seen_bytes, self._last_bytes_at = received, now
        elif now - self._last_bytes_at > self._silence_s and not self._reader.held_back:
            self._reader.poll()  # where this process itself had no turn for so long, what came meanwhile waits
            # Or goes on waiting, where the disk has all buffers.
            if self._reader.received_bytes == received and not self._reader.held_back:
                place = self._session.connection.place
                self._end(CameraTimeout(f"{place} has sent nothing for {self._silence_s:.0f} s."))
                return
        config = self.depacketiser.config
        if config is None and now - self._began > KEYFRAME_S:
            self._sink.waiting(NoKeyframe("Connected, waiting for a keyframe."))
        if not self._anchored and config is not None and now - self._began > PROMPT_S:
            self._anchored = True
            self._reader.prompt(self._watched)
        if now - self._last_keep_alive >= self._session.timeout_s / 2:
            self._last_keep_alive = now
            try:
                self._session.keep_alive()
            except CameraFault as fault:
                self._end(fault)

    def _end(self, fault: CameraFault) -> None:
        self._reader.close()
        if not self._ended.done():
            self._ended.set_result(fault)

    # What stands between the packets of video; a CameraFault here ends the session

    def rtcp(self, packet: bytes) -> None:
        control = parse_rtcp(packet)
        report = control.report
        # Not believed at once: some cameras say goodbye for a session before this one.
        self._silence_s = GOODBYE_S if control.bye else SILENCE_S
        if report is None:
            return
        depacketiser = self.depacketiser
        wall_ns = depacketiser.anchor.wall_ns(depacketiser.time.at(report.rtp_timestamp))
        if wall_ns is not None:
            self._sink.camera_clock(report.wall_ns - wall_ns)
        self._session.report(report, max(depacketiser.expected - 1, 0), depacketiser.lost_packets)

    def rtsp(self, message: Request | Response) -> None:
        if isinstance(message, Request):
            self._session.requested(message)
        else:
            self._session.answered(message)

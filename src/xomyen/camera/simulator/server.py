"""The simulated cameras' server: prepares the loops, listens, and finds the camera that a URL names."""

import asyncio
import dataclasses
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

import platformdirs

from xomyen.camera.simulator.camera_clock import TRUE, CameraClock
from xomyen.camera.simulator.channel import Channel, PacketLoop, Progress
from xomyen.camera.simulator.connection import PlainLink, TlsLink
from xomyen.camera.simulator.device import SimulatedCamera
from xomyen.camera.simulator.display import layout
from xomyen.camera.simulator.encoding import Loop, Picturing, loops
from xomyen.camera.simulator.faults import CLOCKED, ENCODED, FaultKind
from xomyen.camera.simulator.osd_band import DisplayCoder
from xomyen.camera.simulator.protection import Protection
from xomyen.camera.simulator.session import Session
from xomyen.terms.errors import InvalidConfiguration, UnknownCamera
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock
from xomyen.terms.words import StreamName

SUB = Picturing(640, 360, 15, 500_000)
_PHASES = 5  # places in a loop at which cameras of the same pictures start


def default_cache() -> Path:
    """Where encoded loops are kept between runs."""
    return Path(platformdirs.user_cache_dir("xomyen")) / "simulator"


class Simulator:
    """`count` cameras on 127.0.0.1; runs while its ``async with`` block does.

    `files` are the video files whose pictures are shown; `variants` how many different loops are encoded.
    Camera 1 shows the first loop and sends each picture at the instant it carries; the others are spread over
    the time of a picture, so that packets do not come in one burst. `names` are shown in the pictures;
    `utc_offset_s` is the zone of the clock they show. `protection` asks for a password, `tls` serves RTSPS,
    `audio` offers a sound track, `get_parameter` off leaves only OPTIONS to keep a session alive,
    `absolute_control` writes whole addresses into the session description. More than `most_pending` bytes are
    not kept for a slow receiver: it then misses pictures, which `dropped_pictures` counts.
    """

    def __init__(
        self,
        files: Sequence[Path],
        count: int = 1,
        port: int = 0,
        *,
        main: Picturing | None = None,
        sub: Picturing | None = SUB,
        variants: int = 5,
        cache: Path | None = None,
        clock: Clock | None = None,
        progress: Progress | None = None,
        names: Sequence[str] = (),
        utc_offset_s: int = 7 * 3600,
        protection: Protection | None = None,
        tls: ssl.SSLContext | None = None,
        audio: bool = False,
        get_parameter: bool = True,
        absolute_control: bool = False,
        session_timeout_s: float = 60.0,
        most_pending: int = 4_000_000,
    ) -> None:
        if count < 1 or variants < 1 or not files:
            raise InvalidConfiguration("a simulator needs at least one camera, one variant and one video file")
        self.count = count
        self.port = port
        self.protection = protection
        self.audio = audio
        self.get_parameter = get_parameter
        self.absolute_control = absolute_control
        self.session_timeout_s = session_timeout_s
        self.most_pending = most_pending
        self.dropped_pictures = 0  # because their receivers were too slow
        self.sessions_timed_out = 0
        self.audio_set_ups = 0
        self.connections_made = 0
        self.requests: Counter[str] = Counter()
        self._files = list(files)
        self._picturing = {StreamName.MAIN: main or Picturing(), **({StreamName.SUB: sub} if sub else {})}
        self._variants = min(variants, count)
        self._cache = cache or default_cache()
        self._clock = clock or SystemClock()
        self._progress = progress
        self._utc_offset_s = utc_offset_s
        self._tls = tls
        self._coders: dict[object, DisplayCoder] = {}
        self._cameras = {n: SimulatedCamera(n, _name(names, n)) for n in range(1, count + 1)}
        self._own: dict[tuple[int, StreamName], PacketLoop] = {}  # what a camera shows when nothing is wrong
        self._sessions: set[Session] = set()
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._restarts: set[asyncio.Task[None]] = set()

    @property
    def sessions(self) -> int:
        """Connections open now."""
        return len(self._sessions)

    @property
    def pictures_sent(self) -> int:
        """Pictures sent so far to all receivers, by the channels in use now."""
        return sum(c.pictures_sent for c in {c for d in self._cameras.values() for c in d.channels.values()})

    def url(self, camera: int = 1, stream: StreamName = StreamName.MAIN) -> str:
        """A camera's address; cameras count from 1."""
        scheme = "rtsps" if self._tls else "rtsp"
        return f"{scheme}://127.0.0.1:{self.port}/{camera}" + ("/sub" if stream is StreamName.SUB else "")

    def camera(self, number: int) -> SimulatedCamera:
        """Raises UnknownCamera."""
        if number not in self._cameras:
            raise UnknownCamera(str(number))
        return self._cameras[number]

    # --- life ------------------------------------------------------------------------------

    async def __aenter__(self) -> "Simulator":
        made = await asyncio.to_thread(self._prepare)
        for stream, of_stream in made.items():
            self._spread(stream, of_stream)
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()
        if self._tls:
            self._server = await loop.create_server(lambda: TlsLink(self._opened), sock=listener, ssl=self._tls)
        else:
            self._listener = listener
            loop.add_reader(listener.fileno(), self._accept, listener)
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._listener.close()
        if self._server:
            self._server.close()
        for task in list(self._restarts):
            task.cancel()
        for session in list(self._sessions):
            session.close()
        for camera in self._cameras.values():
            for channel in camera.channels.values():
                channel.stop()

    def _prepare(self) -> dict[StreamName, list[Loop]]:
        return {
            stream: loops(self._files, p, range(self._variants), self._cache, self._progress)
            for stream, p in self._picturing.items()
        }

    def _spread(self, stream: StreamName, of_stream: list[Loop]) -> None:
        """Gives every camera a channel; cameras with the same pictures and place share one."""
        packet_loops = [PacketLoop(loop, 0x58590000 + i) for i, loop in enumerate(of_stream)]
        shared: dict[tuple[int, int], Channel] = {}
        channels = min(self.count, self._variants * _PHASES)
        for number, camera in self._cameras.items():
            variant, place = self._variant(number), (number - 1) // self._variants % _PHASES
            packets = packet_loops[variant]
            if (variant, place) not in shared:
                p = packets.picturing
                order = len(shared)
                offset = (p.count * order) // channels
                phase_ns = NS_PER_SECOND * order // (channels * p.fps)
                shared[variant, place] = Channel(packets, self._coder(packets), offset, phase_ns, self._clock)
            camera.channels[stream] = shared[variant, place]
            self._own[number, stream] = packets

    def _variant(self, number: int) -> int:
        return (number - 1) % self._variants

    def _coder(self, packets: PacketLoop, clock: CameraClock = TRUE) -> DisplayCoder | None:
        """What writes the display over these pictures; cameras whose clocks run alike share it."""
        if packets.syntax is None:
            return None
        p = packets.picturing
        wanted = (p.width, p.height, p.fps, packets.syntax, clock)
        if wanted not in self._coders:
            where = layout(p.width, p.height)
            self._coders[wanted] = DisplayCoder(where, p.fps, packets.syntax, self._utc_offset_s, clock)
        return self._coders[wanted]

    # --- connections -----------------------------------------------------------------------

    def find(self, path: str) -> tuple[SimulatedCamera, StreamName] | None:
        """The camera and stream of a URL's path: ``7`` or ``7/sub``."""
        number, _, rest = path.partition("/")
        if not number.isdigit() or rest not in ("", "sub"):
            return None
        stream = StreamName.SUB if rest else StreamName.MAIN
        camera = self._cameras.get(int(number))
        return (camera, stream) if camera and stream in camera.channels else None

    def forget(self, session: Session) -> None:
        """A session's connection has ended."""
        self._sessions.discard(session)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(self)
            session.attach(PlainLink(sock, session.received, session.lost))
            self._add(session)

    def _opened(self, link: TlsLink) -> tuple[Callable[[bytes], None], Callable[[], None]]:
        session = Session(self)
        session.attach(link)
        self._add(session)
        return session.received, session.lost

    def _add(self, session: Session) -> None:
        self.connections_made += 1
        self._sessions.add(session)

    # --- faults ----------------------------------------------------------------------------

    async def fault(
        self, camera: int, kind: FaultKind, stream: StreamName | None = None, **arguments: float | str | tuple[int, int]
    ) -> None:
        """Makes something wrong with a camera, at once; see FaultKind for the arguments.

        Without `stream` a clock's or a connection's fault is the whole camera's, and other pictures are the main
        stream's. Returns when the fault is in force (other pictures are encoded first). Raises UnknownCamera.
        """
        device = self.camera(camera)
        if kind in CLOCKED:
            self._wrong_clock(device, kind, stream, arguments)
        elif kind in ENCODED:
            await self._other_pictures(device, kind, stream or StreamName.MAIN, arguments)
        elif kind is FaultKind.RESTART:
            self._start(device.restart(float(str(arguments.get("seconds", 2.0))), self._clock))
        else:
            _spoil(device, kind, arguments)

    async def clear(self, camera: int | None = None) -> None:
        """All is well again with one camera, or with all: true clock, own pictures, nothing lost."""
        for device in [self.camera(camera)] if camera else self._cameras.values():
            device.trouble.clear()
            for stream, channel in device.channels.items():
                own = self._own[device.number, stream]
                if channel.packets is not own or channel.camera_clock != TRUE:
                    shift = channel.camera_clock.timestamp_shift
                    clock = CameraClock(timestamp_shift=shift)
                    device.show(stream, own, self._coder(own, clock), clock, self._clock)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    def _wrong_clock(
        self, device: SimulatedCamera, kind: FaultKind, stream: StreamName | None, arguments: Mapping[str, object]
    ) -> None:
        now_ns = self._clock.wall_ns()
        for name, channel in list(device.channels.items()):
            if stream not in (None, name):
                continue
            old = channel.camera_clock
            if kind is FaultKind.FAST_CLOCK:
                new = dataclasses.replace(old, faster=float(str(arguments.get("share", 0.01))), since_ns=now_ns)
            else:
                step = kind is FaultKind.CLOCK_STEP
                offset_s = float(str(arguments.get("offset_s", 30.0 if step else -3600.0)))
                shift = round(offset_s * 90_000) if step else 0
                new = dataclasses.replace(
                    old,
                    offset_ns=old.offset_ns + round(offset_s * NS_PER_SECOND),
                    timestamp_shift=old.timestamp_shift + shift,
                )
            device.show(name, channel.packets, self._coder(channel.packets, new), new, self._clock)

    async def _other_pictures(
        self, device: SimulatedCamera, kind: FaultKind, stream: StreamName, arguments: Mapping[str, object]
    ) -> None:
        channel = device.channels[stream]
        p = channel.packets.picturing
        if kind is FaultKind.LONG_GOP:
            seconds = int(str(arguments.get("seconds", 20)))
            p = dataclasses.replace(p, gop_s=float(seconds), seconds=seconds)
        elif kind is FaultKind.NEW_PARAMETERS:
            size = arguments.get("size", (1280, 720))
            width, height = size if isinstance(size, tuple) else str(size).split("x")
            p = dataclasses.replace(p, width=int(width), height=int(height))
        else:
            p = dataclasses.replace(p, b_frames=int(str(arguments.get("count", 2))))
        variant = self._variant(device.number)
        made = await asyncio.to_thread(loops, self._files, p, [variant], self._cache)
        packets = PacketLoop(made[0], channel.packets.ssrc)
        clock = device.channels[stream].camera_clock
        device.show(stream, packets, self._coder(packets, clock), clock, self._clock)


def _name(names: Sequence[str], number: int) -> str:
    return names[number - 1] if number <= len(names) else f"CAM {number:02d}"


def _spoil(device: SimulatedCamera, kind: FaultKind, arguments: Mapping[str, object]) -> None:
    """Faults of the connection."""
    trouble = device.trouble
    if kind is FaultKind.DROP:
        trouble.drop = float(str(arguments.get("share", 0.01)))
    elif kind is FaultKind.STALL:
        trouble.stalled = True
    elif kind is FaultKind.GARBAGE:
        trouble.garbage = str(arguments.get("what", "nal"))
        if trouble.garbage not in ("nal", "rtp", "stream"):
            raise InvalidConfiguration(f"garbage comes as nal, rtp or stream, not as {trouble.garbage!r}")
    elif kind is FaultKind.REFUSE:
        trouble.refuse_status = int(str(arguments.get("status", 503)))
        device.close_sessions()
    elif kind is FaultKind.REDIRECT:
        trouble.redirect_url = str(arguments.get("url", ""))
    elif kind is FaultKind.CLOSE:
        device.close_sessions()

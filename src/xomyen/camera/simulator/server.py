"""The simulated cameras' server: prepares the loops, listens, and hands out channels."""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from xomyen.camera.simulator.camera_clock import TRUE, CameraClock
from xomyen.camera.simulator.channel import Channel, PacketLoop, Progress
from xomyen.camera.simulator.display import layout
from xomyen.camera.simulator.encoding import Loop, Picturing, loops
from xomyen.camera.simulator.osd_band import DisplayCoder
from xomyen.camera.simulator.session import Session, stream_of
from xomyen.terms.errors import InvalidConfiguration
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
    `utc_offset_s` is the zone of the clock they show.
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
    ) -> None:
        if count < 1 or variants < 1 or not files:
            raise InvalidConfiguration("a simulator needs at least one camera, one variant and one video file")
        self.count = count
        self.port = port
        self.dropped_pictures = 0
        self._files = list(files)
        self._picturing = {StreamName.MAIN: main or Picturing(), **({StreamName.SUB: sub} if sub else {})}
        self._variants = min(variants, count)
        self._cache = cache or default_cache()
        self._clock = clock or SystemClock()
        self._progress = progress
        self._names = list(names)
        self._utc_offset_s = utc_offset_s
        self._coders: dict[object, DisplayCoder] = {}
        self._channels: dict[tuple[int, StreamName], Channel] = {}
        self._sessions: set[Session] = set()
        self._listener: socket.socket | None = None

    @property
    def sessions(self) -> int:
        """Connections open now."""
        return len(self._sessions)

    @property
    def pictures_sent(self) -> int:
        return sum(c.pictures_sent for c in set(self._channels.values()))

    def url(self, camera: int = 1, stream: StreamName = StreamName.MAIN) -> str:
        """A camera's address; cameras count from 1."""
        return f"rtsp://127.0.0.1:{self.port}/{camera}" + ("/sub" if stream is StreamName.SUB else "")

    async def __aenter__(self) -> "Simulator":
        made = await asyncio.to_thread(self._prepare)
        for stream, of_stream in made.items():
            self._spread(stream, of_stream)
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        listener.setblocking(False)
        self._listener = listener
        self.port = listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept, listener)
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._listener.close()
        for session in list(self._sessions):
            session.close()
        for channel in self._channels.values():
            channel.stop()

    def _prepare(self) -> dict[StreamName, list[Loop]]:
        return {
            stream: loops(self._files, p, self._variants, self._cache, self._progress)
            for stream, p in self._picturing.items()
        }

    def _spread(self, stream: StreamName, of_stream: list[Loop]) -> None:
        """Gives every camera a channel; cameras with the same pictures and place share one."""
        packet_loops = [PacketLoop(loop, 0x58590000 + i) for i, loop in enumerate(of_stream)]
        shared: dict[tuple[int, int], Channel] = {}
        channels = min(self.count, self._variants * _PHASES)
        for camera in range(1, self.count + 1):
            variant, place = (camera - 1) % self._variants, (camera - 1) // self._variants % _PHASES
            if (variant, place) not in shared:
                packets = packet_loops[variant]
                p = packets.picturing
                order = len(shared)
                offset = (p.count * order) // channels
                phase_ns = NS_PER_SECOND * order // (channels * p.fps)
                shared[variant, place] = Channel(packets, self._coder(packets), offset, phase_ns, self._clock)
            self._channels[camera, stream] = shared[variant, place]

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

    def name(self, path: str) -> str:
        """The name that the camera of a URL's path shows."""
        named = stream_of(path)
        number = named[0] if named else 0
        return self._names[number - 1] if number <= len(self._names) else f"CAM {number:02d}"

    def find(self, path: str) -> Channel | None:
        """The channel a URL's path names."""
        named = stream_of(path)
        return self._channels.get(named) if named else None

    def forget(self, session: Session) -> None:
        self._sessions.discard(session)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sessions.add(Session(self, sock))

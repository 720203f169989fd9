"""A page that watches live pictures over the gateway's WebSocket, and cameras that send it numbered ones."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
from numpy.typing import NDArray
from tests.gateway_node import Node, batch_of, encoded, read_number
from tests.waiting import until
from websockets.asyncio.client import ClientConnection, connect

from xomyen.camera.source import StreamSink
from xomyen.playback.decode import decoder_for, packet_of
from xomyen.playback.sample import Sample
from xomyen.recording.mp4 import parse_header
from xomyen.recording.segment_file import Fragment, Samples, samples_of
from xomyen.terms.words import VideoCodec

HEAD = struct.Struct(">BBHq")


class Page:
    """The browser's side of the conversation."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.said: list[dict[str, Any]] = []
        self.media: list[tuple[int, int, int, bytes]] = []  # kind, view, wall time, payload

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def read(self) -> None:
        """One message."""
        message = await asyncio.wait_for(self.socket.recv(), 60)
        if isinstance(message, str):
            self.said.append(json.loads(message))
        else:
            version, *head = HEAD.unpack_from(message)
            assert version == 1
            self.media.append((*head, message[HEAD.size :]))

    async def hear(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Reads on until this has been said."""
        seen = 0
        while True:
            for message in self.said[seen:]:
                if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                    return message
            seen = len(self.said)
            await self.read()

    async def see(self, count: int, view: int = 0) -> list[int]:
        """Reads on until so many pictures came after the newest header; their numbers."""
        while sum(_count(data) for data in self._fragments(view)[1:]) < count:
            await self.read()
        header, *fragments = self._fragments(view)
        return pictures(header, fragments)

    def shown(self, view: int = 0) -> list[list[NDArray[Any]]]:
        """All pictures that came so far, gray, by the header that they came after."""
        runs: list[list[bytes]] = []
        for kind, number, _, data in self.media:
            if number == view:
                if kind == 0:
                    runs.append([])
                runs[-1].append(data)
        return [images(header, fragments) for header, *fragments in runs]

    def _fragments(self, view: int) -> list[bytes]:
        """The view's newest header and what came after it."""
        mine = [(kind, data) for kind, number, _, data in self.media if number == view]
        begin = max((index for index, (kind, _) in enumerate(mine) if kind == 0), default=len(mine))
        return [data for _, data in mine[begin:]]


def _table(data: bytes) -> Samples:
    return samples_of(data, Fragment(0, len(data), 0, 0, True, 0))


def _count(data: bytes) -> int:
    return len(_table(data).sizes)


def pictures(header: bytes, fragments: list[bytes]) -> list[int]:
    """The numbers of the pictures in these fragments, as a player with this header shows them."""
    return [read_number(image) for image in images(header, fragments)]


def images(header: bytes, fragments: list[bytes]) -> list[NDArray[Any]]:
    """The pictures in these fragments, gray, as a player with this header shows them."""
    decoder = decoder_for(parse_header(header).sample_entry)
    frames = []
    for data in fragments:
        table = _table(data)
        for row in zip(table.offsets, table.sizes, table.dts, table.pts, table.keys, strict=True):
            sample = Sample(*row)
            frames += decoder.decode(packet_of(data[sample.offset : sample.offset + sample.size], sample))
    return [frame.to_ndarray(format="gray") for frame in (*frames, *decoder.decode(None))]


@asynccontextmanager
async def page(node: Node, token: str | None = None, **options: Any) -> AsyncIterator[Page]:
    url = node.address.url.replace("http", "ws", 1) + "/api/v1/live"
    # A client that has not read everything reads no goodbye either, and waits for it in vain.
    async with connect(url, **{"max_size": None, "max_queue": None, **options}) as socket:
        made = Page(socket)
        await made.say(type="hello", ticket=token or node.ticket())
        await made.hear("ready")
        yield made


class Playing:
    """A camera that sends numbered pictures in real time order, as fast as it is told."""

    def __init__(self, sink: StreamSink, codec: VideoCodec = VideoCodec.H264, gop: int = 50) -> None:
        config, self.units = encoded(400, codec, 0, gop)
        self.sink = sink
        self.at = 0
        self.start_ns = 0
        sink.opened(config)

    def play(self, node: Node, frames: int, step: int = 5) -> None:
        if self.at == 0:
            self.start_ns = node.clock.wall_ns()
        for begin in range(self.at, self.at + frames, step):
            self.sink.write(batch_of(self.units[begin : begin + step], self.start_ns))
        self.at += frames


def converters() -> list[psutil.Process]:
    """The processes that convert live pictures, or mask them."""
    return [child for child in psutil.Process().children(recursive=True) if _converts(child)]


def _converts(process: psutil.Process) -> bool:
    try:
        return "xomyen.playback.live_transcode_process" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


async def indexed(node: Node, *cameras: str) -> None:
    """Waits until what is being recorded of these cameras can be found."""

    def found() -> bool:
        return set(cameras) <= {segment.camera for segment in node.context.index.open().open_segments()}

    await until(found)

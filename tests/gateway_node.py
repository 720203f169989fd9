"""A small node in the test's own process: bus, recorder, numbered footage, and the gateway under Granian."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
from av.codec.context import Flags
from nats.aio.client import Client
from nats.aio.msg import Msg
from numpy.typing import NDArray
from tests.waiting import until

from xomyen.access.store import AccessStore
from xomyen.access.tickets import Action, Grant, TicketChecker, issue, ticket_for
from xomyen.bus import subjects
from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.messages import CameraConfig, CameraEvent, CameraStatus, FragmentNotice, StreamConfig
from xomyen.bus.server import BusServer
from xomyen.camera.codec_config import codec_config, split_annex_b
from xomyen.camera.source import Batch, CodecConfig
from xomyen.node.gateway.app import create_app
from xomyen.node.gateway.context import GatewayContext, IndexDoor
from xomyen.node.gateway.directory import CameraDirectory
from xomyen.node.gateway.server import Address, serving
from xomyen.node.home import prepare
from xomyen.playback.masks import NO_MASKS, Masks
from xomyen.proof.keys import SigningKey
from xomyen.recording.policy import RecorderSettings, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.terms.errors import NoFootage
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock, ticks_to_ns
from xomyen.terms.words import CameraState, StreamName, VideoCodec

WIDTH, HEIGHT = 320, 192
FRAME_TICKS = 3600
FRAME_NS = ticks_to_ns(FRAME_TICKS)
GOP = 50


def numbered_picture(number: int) -> NDArray[np.uint8]:
    """A gray picture whose 4 by 4 blocks are the bits of the number; block 0 is the lowest bit."""
    bits = np.array([number >> bit & 1 for bit in range(16)], dtype=np.uint8).reshape(4, 4)
    return np.kron(bits * 200 + 20, np.ones((HEIGHT // 4, WIDTH // 4), dtype=np.uint8))


def read_number(image: NDArray[Any]) -> int:
    """The number in a picture of any size, gray or RGB."""
    gray = image.astype(np.float32)
    if gray.ndim == 3:
        gray = gray[..., :3].mean(axis=2)
    height, width = gray.shape
    value = 0
    for bit in range(16):
        y, x = int((bit // 4 + 0.5) * height / 4), int((bit % 4 + 0.5) * width / 4)
        if gray[y - 4 : y + 4, x - 4 : x + 4].mean() > 128:
            value |= 1 << bit
    return value


def read_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The picture in a JPEG, gray."""
    decoder = av.CodecContext.create("mjpeg", "r")
    frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    return frames[0].to_ndarray(format="gray")


@dataclass(frozen=True)
class Unit:
    """One access unit; times count from the first picture's decoding time."""

    data: bytes
    dts: int
    pts: int
    key: bool


@lru_cache
def encoded(
    frames: int, codec: VideoCodec = VideoCodec.H264, b_frames: int = 0, gop: int = GOP
) -> tuple[CodecConfig, tuple[Unit, ...]]:
    """Numbered pictures 0, 1, 2 … in decoding order."""
    h265 = codec is VideoCodec.H265
    encoder = av.CodecContext.create("libx265" if h265 else "libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.gop_size, encoder.max_b_frames = gop, b_frames
    encoder.flags |= Flags.global_header
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0"
    if h265:
        encoder.options = {"preset": "ultrafast", "x265-params": params + ":open-gop=0:log-level=none"}
    else:
        encoder.options = {"preset": "ultrafast", "x264-params": params + ":open-gop=0:b-pyramid=none"}
    packets = []
    for number in range(frames):
        gray = numbered_picture(number)
        frame = av.VideoFrame.from_ndarray(np.vstack([gray, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)]), "yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    sets = {32, 33, 34} if h265 else {7, 8}

    def kind(nal: bytes) -> int:
        return nal[0] >> 1 & 63 if h265 else nal[0] & 31

    config = codec_config(codec, [nal for nal in split_annex_b(bytes(encoder.extradata)) if kind(nal) in sets])
    first = packets[0].dts
    units = []
    for packet in packets:
        nals = [nal for nal in split_annex_b(bytes(packet)) if kind(nal) not in (sets | {9, 35})]
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
        times = ((packet.dts - first) * FRAME_TICKS, (packet.pts - first) * FRAME_TICKS)
        units.append(Unit(data, *times, bool(packet.is_keyframe)))
    return config, tuple(units)


@dataclass
class Node:
    """Everything a test may need to look at."""

    folder: NodeFolder
    id: str
    bus: Client
    recorder: Recorder
    directory: CameraDirectory
    issuer: SigningKey
    store: AccessStore
    clock: Clock
    address: Address
    context: GatewayContext
    watched: dict[tuple[str, StreamName], int] = field(default_factory=dict)

    def ticket(self, lifetime_s: int = 3600, **grant: Any) -> str:
        """A signed ticket; by default one that allows everything."""
        values: dict[str, Any] = {"subject": "tester", "actions": tuple(Action), **grant}
        made = ticket_for(Grant(**values), node=self.id, issuer=self.issuer, clock=self.clock, lifetime_s=lifetime_s)
        return issue(self.issuer, made)

    def client(self, token: str | None = None, **options: Any) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Plain HTTP: a client that verifies would read the machine's authorities, 40 ms each time, for nothing.
        return httpx.AsyncClient(base_url=self.address.url, headers=headers, timeout=60, verify=False, **options)

    def add_camera(self, name: str = "Cổng chợ", sub: bool = False, masks: Masks = NO_MASKS) -> str:
        """A camera in the directory, connecting."""
        camera = new_id()
        stream = StreamConfig(url="rtsp://192.0.2.1/1")
        config = CameraConfig(id=camera, name=name, main=stream, sub=stream if sub else None, masks=masks)
        self.directory.put(CameraStatus(config=config, streams={}))
        return camera

    def set_masks(self, camera: str, masks: Masks) -> None:
        """The camera's configuration has other masks from now on."""
        known = self.directory.get(camera)
        self.directory.put(known.model_copy(update={"config": known.config.model_copy(update={"masks": masks})}))

    async def record(
        self,
        camera: str,
        frames: int,
        start_ns: int,
        *,
        stream: StreamName = StreamName.MAIN,
        codec: VideoCodec = VideoCodec.H264,
        b_frames: int = 0,
        gop: int = GOP,
        finish: bool = True,
    ) -> None:
        """Records numbered pictures as if the first had come at `start_ns`; finished ones are sealed and indexed."""
        config, units = encoded(frames, codec, b_frames, gop)
        sink = self.recorder.sink(camera, stream)
        sink.opened(config)
        for begin in range(0, len(units), 5):
            sink.write(batch_of(units[begin : begin + 5], start_ns))
            await asyncio.sleep(0)
        if finish:
            self.recorder.remove(camera, stream)
            await self.indexed(camera, stream, start_ns + (frames - GOP) * FRAME_NS)

    async def indexed(self, camera: str, stream: StreamName, until_ns: int) -> None:
        """Waits until what was recorded up to this time is sealed."""

        def done() -> bool:
            try:
                index = self.context.index.open()
            except NoFootage:
                return False
            segments = index.all_segments(camera, stream)
            return bool(segments) and all(s.state != "open" for s in segments) and segments[-1].end_ns >= until_ns

        await until(done)


def batch_of(units: tuple[Unit, ...], start_ns: int) -> Batch:
    """Access units as they come from one read, each on time."""
    batch = Batch()
    for unit in units:
        batch.parts.append(unit.data)
        batch.sizes.append(len(unit.data))
        batch.dts_ticks.append(unit.dts)
        batch.pts_ticks.append(unit.pts)
        batch.keys.append(unit.key)
    batch.arrived_ns = start_ns + ticks_to_ns(units[-1].dts)
    return batch


@asynccontextmanager
async def running_node(
    root: Path, clock: Clock | None = None, settings: RecorderSettings | None = None, **context: Any
) -> AsyncIterator[Node]:
    """Bus, recorder and gateway in one process, as three processes of a node would be."""
    clock = clock or SystemClock()
    folder = NodeFolder(root / "node")
    node = prepare(folder)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(BusServer(folder, node))
        bus = await stack.enter_async_context(connected(folder, "test"))
        await prepare_streams(bus, node)
        directory = CameraDirectory()

        def told(camera: str, stream: StreamName, notice: FragmentNotice) -> None:
            subject = subjects.fragment(node, camera, stream)
            asyncio.get_running_loop().create_task(bus.publish(subject, notice.model_dump_json().encode()))

        def changed(event: CameraEvent) -> None:
            directory.state(event)

        recorder = Recorder(
            folder,
            node,
            SigningKey.load_or_create(folder.signing_key),
            clock=clock,
            # No floor: on a disk that is almost full retention would delete what a test has just recorded.
            settings=settings or RecorderSettings(volumes=(VolumeSettings(str(folder.default_volume), 0),)),
            on_fragment=told,
            on_state=changed,
            synchronised=lambda: True,
        )
        await stack.enter_async_context(recorder)
        index = IndexDoor(folder.index)
        stack.callback(index.close)
        issuer = SigningKey.load_or_create(folder.issuer_key)
        store = stack.enter_context(AccessStore(folder.access, clock))
        made = GatewayContext(
            folder=folder,
            node=node,
            index=index,
            bus=bus,
            checker=TicketChecker(node, [issuer.public], clock, store),
            store=store,
            issuer=issuer,
            signing_key=SigningKey.load_or_create(folder.signing_key),
            cameras=directory,
            clock=clock,
            **context,
        )
        address = await stack.enter_async_context(serving(create_app(made), "127.0.0.1", 0))
        running = Node(folder, node, bus, recorder, directory, issuer, store, clock, address, made)
        await stack.enter_async_context(_leases(running))
        yield running


@asynccontextmanager
async def _leases(node: Node) -> AsyncIterator[None]:
    """Watches what viewers hold leases on, as the recorder's process does."""

    async def wished(message: Msg) -> None:
        _, _, _, camera, stream = message.subject.split(".")
        key = (camera, StreamName(stream))
        node.watched[key] = node.watched.get(key, 0) + 1
        node.recorder.watch(*key, True)

    subscription = await node.bus.subscribe(f"xy.{node.id}.lease.>", cb=wished)
    yield
    await subscription.unsubscribe()


def seconds(value: float) -> int:
    """Seconds as nanoseconds."""
    return round(value * NS_PER_SECOND)


def live_state(camera: str, state: CameraState, codec: VideoCodec | None = None) -> CameraEvent:
    """A state as the recorder tells it."""
    return CameraEvent(
        id=new_id(), camera=camera, stream=StreamName.MAIN, state=state, since_ns=SystemClock().wall_ns(), codec=codec
    )

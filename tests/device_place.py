"""A node's device service and a simulated ONVIF device on its network, for tests."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from nats.aio.client import Client
from tests.waiting import until

from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.device_messages import (
    Credentials,
    DeviceFound,
    JobState,
    PtzCommand,
    PtzDevice,
    PtzState,
    Steerer,
)
from xomyen.bus.devices import Devices
from xomyen.bus.sealing import seal
from xomyen.bus.server import BusServer
from xomyen.camera.onvif import scan
from xomyen.camera.onvif.networks import Networks
from xomyen.camera.onvif.scan import Ports
from xomyen.camera.simulator import Protection
from xomyen.camera.simulator.onvif import SimulatedDevice
from xomyen.camera.simulator.onvif_answers import SimulatedProfile
from xomyen.node.config_service import ConfigService
from xomyen.node.device_search import SearchPlaces
from xomyen.node.device_service import DeviceService
from xomyen.node.home import prepare
from xomyen.node.secrets import Secrets
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import ManualClock, SystemClock
from xomyen.terms.words import VideoCodec

PASSWORD = "bí mật"
LAN = Steerer(id="u1", name="Trần Thị Lan", priority=10)
HUNG = Steerer(id="u2", name="Lê Văn Hùng", priority=10)
CHIEF = Steerer(id="u3", name="Phạm Văn Chỉ", priority=50)


@contextmanager
def free_port() -> Iterator[int]:
    """A port at which nothing listens, and nobody but this test does while the block runs."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@dataclass
class Place:
    """A node's device service and what is on its network."""

    client: Client
    node: str
    devices: Devices
    service: DeviceService
    secrets: Secrets
    onvif: SimulatedDevice
    clock: ManualClock
    group: tuple[str, int]
    rtsp_port: int

    def password(self, text: str = PASSWORD, user: str = "admin") -> Credentials:
        return Credentials(user=user, sealed_password=seal(text, self.secrets.public))

    async def ended(self, job: JobState) -> JobState:
        """The job's state once it no longer runs."""
        state = job

        async def over() -> bool:
            nonlocal state
            state = await self.devices.job(job.job)
            return state.phase != "running"

        await until(over)
        return state

    async def found(self, job: JobState, *how: str) -> DeviceFound:
        """The one device, once it was found in these ways; the job is then stopped."""
        state = job

        async def so() -> bool:
            nonlocal state
            state = await self.devices.job(job.job)
            return any(set(device.how) == set(how) for device in state.devices)

        await until(so)
        await self.devices.stop(job.job)
        (device,) = state.devices
        return device

    async def steer(self, who: Steerer, command: PtzCommand, profile: str = "main") -> PtzState:
        device = PtzDevice(onvif_url=self.onvif.url, profile=profile, credentials=self.password())
        return await self.devices.ptz(device, who, command)


@asynccontextmanager
async def device_place(tmp_path: Path) -> AsyncIterator[Place]:
    """A node whose device service searches and steers on this machine alone."""
    folder = NodeFolder(tmp_path / "node")
    node = prepare(folder)
    secrets = Secrets.load_or_create(folder.secrets_key)
    clock = ManualClock(SystemClock().wall_ns())
    with (
        free_port() as group_port,
        free_port() as rtsp_port,
        # As patient as a busy machine asks for; what is not there says so at once on this machine.
        patch.multiple(scan, _CONNECT_S=60.0, _ANSWER_S=60.0),
    ):
        async with _place(folder, node, secrets, ("239.255.255.250", group_port), clock, rtsp_port) as place:
            yield place


@asynccontextmanager
async def _place(
    folder: NodeFolder, node: str, secrets: Secrets, group: tuple[str, int], clock: ManualClock, rtsp_port: int
) -> AsyncIterator[Place]:
    profiles = (
        SimulatedProfile("main", "Luồng chính", f"rtsp://127.0.0.1:{rtsp_port}/1", VideoCodec.H265, ptz=True),
        SimulatedProfile("sub", "Luồng phụ", f"rtsp://127.0.0.1:{rtsp_port}/1/sub", width=640, height=360),
    )
    onvif = SimulatedDevice(profiles, protection=Protection("admin", PASSWORD), group=group)
    async with BusServer(folder, node), connected(folder, "test") as client, onvif:
        await prepare_streams(client, node)
        places = SearchPlaces(Networks(["127.0.0.0/8"]), Ports((rtsp_port,), (onvif.port,)), group)
        service = DeviceService(client, node, secrets, places, clock)
        async with ConfigService(client, node, secrets, 10), service:
            yield Place(client, node, Devices(client, node), service, secrets, onvif, clock, group, rtsp_port)

"""What a page asks a node about devices on its networks: to look for them, and to look at one stream."""

import uuid
from collections.abc import Awaitable, Callable

from nats.aio.client import Client

from xomyen.bus.device_messages import Credentials, DiscoverWanted, JobState
from xomyen.bus.devices import Devices
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.ask import sealed_for
from xomyen.centre.link.bus import bus

_PATIENCE_S = 4.0


def _ask(node_id: uuid.UUID, question: Callable[[Devices], Awaitable[JobState]]) -> JobState:
    async def asked(client: Client) -> JobState:
        return await question(Devices(client, str(node_id)))

    return bus.ask(asked, _PATIENCE_S)


def credentials(node: Node, user: str, password: str, camera: Camera | None = None) -> Credentials:
    """For a device: as they were typed, else those of a camera that the node has. Raises NotRunning."""
    if user and password:
        return Credentials(user=user, sealed_password=sealed_for(node, password))
    if camera is not None and camera.in_force is not None and camera.node_id == node.pk:
        return Credentials(camera=str(camera.pk))
    return Credentials(user=user)


def begin_search(node: Node, addresses: tuple[str, ...], known: Credentials) -> JobState:
    """Begins to look for devices. Raises NotRunning, InvalidConfiguration, DevicesBusy."""
    return _ask(node.pk, lambda devices: devices.discover(DiscoverWanted(addresses=addresses, credentials=known)))


def begin_probe(node: Node, url: str, known: Credentials) -> JobState:
    """Begins to look at a stream. Raises NotRunning, InvalidConfiguration, DevicesBusy."""
    return _ask(node.pk, lambda devices: devices.probe(url, known, seconds=3.0))


def job(node: Node, key: uuid.UUID) -> JobState:
    """How far it has come. Raises NotRunning, UnknownJob."""
    return _ask(node.pk, lambda devices: devices.job(str(key)))

"""What a page asks a node about devices on its networks: to look for them, to look at a stream, to steer."""

import uuid
from collections.abc import Awaitable, Callable

from nats.aio.client import Client

from xomyen.bus.device_messages import (
    Credentials,
    DiscoverWanted,
    JobState,
    PtzCommand,
    PtzDevice,
    PtzState,
    Steerer,
)
from xomyen.bus.devices import Devices, Guarded
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.ask import sealed_for
from xomyen.centre.link.bus import bus

_PATIENCE_S = 4.0
_STEER_S = 9.0  # a first command is several questions to the camera


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


def begin_probe(
    node: Node,
    url: str,
    known: Credentials,
    guarded: Guarded | None = None,
    still_width: int = 640,
    watch_s: float = 0.0,
) -> JobState:
    """Begins to look at a stream; its stills are at most so many pixels wide, and none is made without `guarded`.

    They follow one another for `watch_s` once the stream was measured.

    Raises NotRunning, InvalidConfiguration, DevicesBusy.
    """

    def begun(devices: Devices) -> Awaitable[JobState]:
        return devices.probe(
            url,
            known,
            seconds=3.0,
            still_width=still_width,
            guarded=guarded,
            still=guarded is not None,
            watch_s=watch_s,
        )

    return _ask(node.pk, begun)


def job(node: Node, key: uuid.UUID) -> JobState:
    """How far it has come. Raises NotRunning, UnknownJob."""
    return _ask(node.pk, lambda devices: devices.job(str(key)))


def stop(node: Node, key: uuid.UUID) -> JobState:
    """Ends it early. Raises NotRunning, UnknownJob."""
    return _ask(node.pk, lambda devices: devices.stop(str(key)))


def steer(camera: Camera, who: Steerer, command: PtzCommand) -> PtzState:
    """Steers a camera with the password that its node has for it.

    Raises NotRunning, PtzHeld while somebody else steers, and what is wrong with the camera.
    """
    device = PtzDevice(
        onvif_url=camera.onvif_address,
        profile=camera.ptz_profile,
        credentials=Credentials(camera=str(camera.pk)),
    )

    async def asked(client: Client) -> PtzState:
        return await Devices(client, str(camera.node_id)).ptz(device, who, command)

    return bus.ask(asked, _STEER_S)

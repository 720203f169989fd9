"""Looks for devices: by multicast on the node's networks and at given addresses, then asks what was found."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from xomyen.bus.device_messages import DeviceFound, DiscoverWanted, ProfileFound
from xomyen.camera.address import Credentials
from xomyen.camera.errors import CameraFault
from xomyen.camera.onvif.answers import Identity, Profile
from xomyen.camera.onvif.device import OnvifDevice
from xomyen.camera.onvif.discovery import GROUP, discover
from xomyen.camera.onvif.networks import Endpoint, Networks
from xomyen.camera.onvif.scan import Looked, Ports, scan
from xomyen.node.device_jobs import Job
from xomyen.terms.errors import CameraError

_ASKED_AT_ONCE = 8
_ASK_S = 20.0
_MOST_DEVICES = 2000

How = Literal["multicast", "scan"]


@dataclass(frozen=True, slots=True)
class SearchPlaces:
    """Where to look; what tests and demonstrations change."""

    networks: Networks
    ports: Ports = field(default_factory=Ports)
    group: tuple[str, int] = GROUP


@dataclass(slots=True)
class _Sighting:
    """A device, as far as it is known; `place` is where it stands in the job's list, once it does."""

    address: str
    endpoint: Endpoint | None
    how: list[How]
    name: str = ""
    hardware: str = ""
    rtsp_ports: tuple[int, ...] = ()
    identity: Identity = field(default_factory=lambda: Identity("", "", "", ""))
    clock_offset_ns: int | None = None
    profiles: Sequence[tuple[Profile, str]] = ()
    fault: CameraError | None = None
    place: int | None = None

    def found(self) -> DeviceFound:
        return DeviceFound(
            address=self.address,
            onvif_url=self.endpoint.url if self.endpoint is not None else "",
            rtsp_ports=self.rtsp_ports,
            how=tuple(self.how),
            name=self.name,
            hardware=self.hardware,
            manufacturer=self.identity.manufacturer,
            model=self.identity.model,
            serial=self.identity.serial,
            firmware=self.identity.firmware,
            clock_offset_ns=self.clock_offset_ns,
            profiles=tuple(_profile(profile, url) for profile, url in self.profiles),
            fault=self.fault.code if self.fault is not None else "",
            message=self.fault.message if self.fault is not None else "",
        )


def _profile(profile: Profile, url: str) -> ProfileFound:
    return ProfileFound(
        token=profile.token,
        name=profile.name,
        codec=profile.codec,
        width=profile.width,
        height=profile.height,
        frame_rate=profile.frame_rate,
        bit_rate=profile.bit_rate,
        url=url,
        ptz=profile.ptz,
    )


class Search:
    """One job of discovery."""

    def __init__(self, job: Job, places: SearchPlaces, credentials: Credentials | None) -> None:
        self._job = job
        self._places = places
        self._credentials = credentials
        self._sightings: dict[tuple[str, int], _Sighting] = {}
        self._some = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def run(self, wanted: DiscoverWanted, addresses: Sequence[str]) -> None:
        """What is found stands in the job's list as soon as it has been asked."""
        self._job.total = len(addresses)
        async with asyncio.TaskGroup() as asking:
            listening = asking.create_task(self._listen(asking, wanted.seconds)) if wanted.multicast else None
            if addresses:
                self._job.step = "scanning"
                await self._scan(asking, addresses)
            if listening is not None:
                self._job.step = "listening"
                await listening
            self._job.step = "asking"

    async def _listen(self, asking: asyncio.TaskGroup, seconds: float) -> None:
        announcements = discover(self._places.networks, seconds, group=self._places.group)
        async with aclosing(announcements):
            async for said in announcements:
                endpoint = said.endpoint
                known = self._sightings.get((endpoint.host, endpoint.port))
                if known is None:
                    found = _Sighting(endpoint.host, endpoint, ["multicast"], said.name, said.hardware)
                    self._meet(asking, found)
                else:
                    known.how.append("multicast")
                    known.name, known.hardware = said.name, said.hardware
                    self._tell(known)

    async def _scan(self, asking: asyncio.TaskGroup, addresses: Sequence[str]) -> None:
        looks = scan(addresses, self._places.ports)
        async with aclosing(looks):
            async for looked in looks:
                self._job.done += 1
                self._looked(asking, looked)

    def _looked(self, asking: asyncio.TaskGroup, looked: Looked) -> None:
        known = [sighting for (address, _), sighting in self._sightings.items() if address == looked.address]
        for sighting in known:
            sighting.rtsp_ports = looked.rtsp_ports
            if looked.onvif or looked.rtsp_ports:
                sighting.how.append("scan")
            self._tell(sighting)
        for endpoint in looked.onvif:
            if (endpoint.host, endpoint.port) not in self._sightings:
                self._meet(asking, _Sighting(looked.address, endpoint, ["scan"], rtsp_ports=looked.rtsp_ports))
        if looked.rtsp_ports and not looked.onvif and not known:
            sighting = _Sighting(looked.address, None, ["scan"], rtsp_ports=looked.rtsp_ports)
            self._sightings[looked.address, 0] = sighting
            self._put(sighting)

    def _meet(self, asking: asyncio.TaskGroup, sighting: _Sighting) -> None:
        if sighting.endpoint is None or len(self._sightings) >= _MOST_DEVICES:
            return
        self._sightings[sighting.address, sighting.endpoint.port] = sighting
        asking.create_task(self._ask(sighting, sighting.endpoint))

    async def _ask(self, sighting: _Sighting, endpoint: Endpoint) -> None:
        async with self._some, OnvifDevice(endpoint, self._credentials) as device:
            try:
                async with asyncio.timeout(_ASK_S):
                    await device.greet()
                    sighting.clock_offset_ns = device.clock_offset_ns
                    if self._credentials is not None:
                        sighting.identity = await device.identity()
                        sighting.profiles = await device.profiles()
            except CameraFault as fault:
                sighting.fault = fault
            except TimeoutError:
                sighting.fault = CameraError(f"{endpoint.place} takes too long to say what it is.")
        self._put(sighting)

    def _put(self, sighting: _Sighting) -> None:
        if sighting.place is None:
            sighting.place = len(self._job.devices)
            self._job.devices.append(sighting.found())
        self._tell(sighting)

    def _tell(self, sighting: _Sighting) -> None:
        """What is newly known, if the device stands in the list already."""
        if sighting.place is not None:
            self._job.devices[sighting.place] = sighting.found()

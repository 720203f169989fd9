"""One ONVIF device: who it is, what it streams, and steering it."""

from types import TracebackType
from typing import Self

from xomyen.camera.address import Credentials
from xomyen.camera.errors import CameraFault, RequestRefused, WrongPassword
from xomyen.camera.onvif.answers import (
    Identity,
    Preset,
    Profile,
    read_capabilities,
    read_identity,
    read_presets,
    read_profiles,
    read_services,
    read_stream_url,
    read_time,
)
from xomyen.camera.onvif.conversation import ANSWER_S, Conversation
from xomyen.camera.onvif.errors import ActionNotSupported, NotOnvif
from xomyen.camera.onvif.networks import Endpoint
from xomyen.camera.onvif.soap import DEVICE, MEDIA, MEDIA2, PTZ, escape
from xomyen.camera.onvif.xml import Element, one_line
from xomyen.terms.time import Clock

_LONGER_S = 1.0
"""The device's own limit on a movement, beyond the time after which it is told to stop."""


class OnvifDevice:
    """A device at its device service's address; its connections are open while it is entered."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials | None,
        *,
        clock: Clock | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.endpoint = endpoint
        self._talk = Conversation(credentials, clock=clock, answer_s=answer_s)
        self._services: dict[str, Endpoint] | None = None

    @property
    def clock_offset_ns(self) -> int | None:
        """The device's clock minus ours, to a second; None until it was asked, or when it does not tell."""
        return self._talk.clock_offset_ns

    async def __aenter__(self) -> Self:
        await self._talk.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._talk.__aexit__(kind, error, trace)

    async def greet(self) -> None:
        """Asks for the time, which devices tell everybody: that it answers shows that it is an ONVIF device.

        Raises CameraFault.
        """
        clock = self._talk.clock
        before_ns = clock.wall_ns()
        try:
            answer = await self._talk.ask(self.endpoint, DEVICE, "GetSystemDateAndTime", token=False)
        except (WrongPassword, RequestRefused, ActionNotSupported):
            if not self._talk.spoken:
                raise  # any web server may refuse
            return  # an ONVIF device all the same; its clock is taken to be right
        told_ns = read_time(answer)
        if told_ns is not None:
            self._talk.clock_offset_ns = told_ns - (before_ns + clock.wall_ns()) // 2

    async def identity(self) -> Identity:
        """Raises CameraFault."""
        return read_identity(await self._talk.ask(self.endpoint, DEVICE, "GetDeviceInformation"))

    async def _service(self, namespace: str) -> Endpoint:
        """Where a service is. Raises CameraFault, ActionNotSupported when the device has none."""
        if self._services is None:
            try:
                content = "<IncludeCapability>false</IncludeCapability>"
                found = read_services(await self._talk.ask(self.endpoint, DEVICE, "GetServices", content))
            except (ActionNotSupported, RequestRefused, NotOnvif):
                content = "<Category>All</Category>"
                found = read_capabilities(await self._talk.ask(self.endpoint, DEVICE, "GetCapabilities", content))
            beside = {name: self.endpoint.beside(url) for name, url in found.items()}
            self._services = {name: endpoint for name, endpoint in beside.items() if endpoint is not None}
        if namespace not in self._services:
            what = {PTZ: "cannot be steered", MEDIA: "has no streams"}.get(namespace, "has no such service")
            raise ActionNotSupported(f"{self.endpoint.place} {what}.")
        return self._services[namespace]

    async def profiles(self) -> list[tuple[Profile, str]]:
        """The streams on offer, each with its RTSP address, which is empty where the device gives none.

        Raises CameraFault.
        """
        try:
            media = MEDIA2  # only this one tells of H.265
            profiles = await self._profiles_of(media, "<Type>VideoEncoder</Type><Type>PTZ</Type>")
        except (ActionNotSupported, RequestRefused, NotOnvif):
            profiles = []
        if not profiles:
            media = MEDIA
            profiles = await self._profiles_of(media, "")
        # One after another: some devices take a digest's nonce once, and several questions at once would race for it.
        return [(profile, await self._stream_url(media, profile.token)) for profile in profiles]

    async def _profiles_of(self, media: str, content: str) -> list[Profile]:
        return read_profiles(await self._talk.ask(await self._service(media), media, "GetProfiles", content))

    async def _stream_url(self, media: str, token: str) -> str:
        profile = f"<ProfileToken>{escape(token)}</ProfileToken>"
        if media == MEDIA2:
            content = f"<Protocol>RTSP</Protocol>{profile}"
        else:
            content = (
                "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream>"
                f"<tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></StreamSetup>{profile}"
            )
        try:
            answer = await self._talk.ask(await self._service(media), media, "GetStreamUri", content)
        except CameraFault:
            return ""  # the other streams are still worth having
        return read_stream_url(answer, self.endpoint.host)

    # --- steering --------------------------------------------------------------------------

    async def _ptz(self, action: str, profile: str, content: str = "") -> Element:
        content = f"<ProfileToken>{escape(profile)}</ProfileToken>{content}"
        return await self._talk.ask(await self._service(PTZ), PTZ, action, content)

    async def move(self, profile: str, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """Moves on, at shares from -1 to 1 of the greatest speeds, until stopped.

        The device is also told to stop by itself a little later than `seconds`, should nobody reach it then.
        Raises CameraFault.
        """
        turn = f'<tt:PanTilt x="{pan:.3f}" y="{tilt:.3f}"/>' if pan or tilt else ""
        lens = f'<tt:Zoom x="{zoom:.3f}"/>' if zoom else ""
        timeout = f"<Timeout>PT{seconds + _LONGER_S:.1f}S</Timeout>"
        await self._ptz("ContinuousMove", profile, f"<Velocity>{turn}{lens}</Velocity>{timeout}")

    async def stop(self, profile: str) -> None:
        """Ends a movement. Raises CameraFault."""
        await self._ptz("Stop", profile, "<PanTilt>true</PanTilt><Zoom>true</Zoom>")

    async def presets(self, profile: str) -> list[Preset]:
        """Raises CameraFault."""
        return read_presets(await self._ptz("GetPresets", profile))

    async def go_to(self, profile: str, preset: str) -> None:
        """Raises CameraFault."""
        await self._ptz("GotoPreset", profile, f"<PresetToken>{escape(preset)}</PresetToken>")

    async def set_preset(self, profile: str, name: str, preset: str = "") -> str:
        """Keeps where it looks now; the preset's token. Raises CameraFault."""
        token = f"<PresetToken>{escape(preset)}</PresetToken>" if preset else ""
        answer = await self._ptz("SetPreset", profile, f"<PresetName>{escape(name)}</PresetName>{token}")
        return one_line(answer.text("PresetToken")) or preset

    async def remove_preset(self, profile: str, preset: str) -> None:
        """Raises CameraFault."""
        await self._ptz("RemovePreset", profile, f"<PresetToken>{escape(preset)}</PresetToken>")

"""Devices on a node's networks, asked over the bus: probing, discovery, pan, tilt and zoom."""

from dataclasses import dataclass

from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.bus.device_messages import (
    Credentials,
    DeviceFound,
    DiscoverWanted,
    JobState,
    JobWanted,
    ProbeWanted,
    PtzCommand,
    PtzDevice,
    PtzState,
    PtzWanted,
    Steerer,
)
from xomyen.bus.requests import ask
from xomyen.terms.errors import Conflict, XomyenError

_PTZ_S = 8.0


@dataclass(frozen=True, slots=True)
class Guarded:
    """Hosts of cameras of which a probe shows no picture: of the node that is asked, and of others."""

    here: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


class UnknownJob(XomyenError):
    """The job ended long ago, or the part of the node that did it was started anew."""

    code = "unknown_job"
    exit_code = 3
    http_status = 404


class DevicesBusy(XomyenError):
    """The node probes or scans as much as it may."""

    code = "devices_busy"
    http_status = 503


class PtzHeld(Conflict):
    """Somebody else steers the camera; the message says who, PtzLook says it in parts."""

    code = "ptz_held"


class Devices:
    """The device service, asked over the bus.

    Probing and discovery take their time: `probe` and `discover` answer at once, then `job` is asked now and then
    until its phase is no longer "running". All raise NotRunning when the node does not answer. Errors of a camera
    arrive as XomyenError whose details have its `code`, such as camera_wrong_password.
    """

    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node

    def _subject(self, action: str) -> str:
        return subjects.service(self._node, "device", action)

    async def probe(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        seconds: float = 6.0,
        still_width: int = 640,
        guarded: Guarded | None = None,
        still: bool = True,
        watch_s: float = 0.0,
    ) -> JobState:
        """Begins to look at a stream and to measure for so many seconds; then shows it for `watch_s`.

        Raises InvalidConfiguration, UnknownCamera, DevicesBusy.
        """
        guarded = guarded or Guarded()
        wanted = ProbeWanted(
            url=url,
            credentials=credentials or Credentials(),
            seconds=seconds,
            still_width=still_width,
            still=still,
            watch_s=watch_s,
            guarded=guarded.here,
            guarded_elsewhere=guarded.elsewhere,
        )
        return await ask(self._client, self._subject("probe"), wanted, JobState)

    async def discover(self, wanted: DiscoverWanted) -> JobState:
        """Begins to look for devices.

        Raises InvalidConfiguration (an address that is none, too many, or outside the networks that the node may
        scan), DevicesBusy.
        """
        return await ask(self._client, self._subject("discover"), wanted, JobState)

    async def job(self, job: str) -> JobState:
        """How far a job has come, with all that was found until now. Raises UnknownJob."""
        state = await ask(self._client, self._subject("job"), JobWanted(job=job), JobState)
        devices: list[DeviceFound] = list(state.devices)
        while len(devices) < state.found:
            more = await ask(self._client, self._subject("job"), JobWanted(job=job, skip=len(devices)), JobState)
            if not more.devices:
                break
            devices += more.devices
        return state.model_copy(update={"devices": tuple(devices)})

    async def stop(self, job: str) -> JobState:
        """Ends a job early; what it found stays. Raises UnknownJob."""
        return await ask(self._client, self._subject("stop"), JobWanted(job=job), JobState)

    async def ptz(self, device: PtzDevice, who: Steerer, command: PtzCommand) -> PtzState:
        """Steers a camera, or says who does. Raises PtzHeld, InvalidConfiguration, what is wrong with the camera."""
        wanted = PtzWanted(device=device, who=who, command=command)
        return await ask(self._client, self._subject("ptz"), wanted, PtzState, _PTZ_S)

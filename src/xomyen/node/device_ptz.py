"""Steering cameras: one person at a time, and no movement that goes on when nobody holds the stick any more."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from xomyen.bus.device_messages import (
    LOCK_S,
    Preset,
    PtzGoto,
    PtzHold,
    PtzLock,
    PtzLook,
    PtzMove,
    PtzPresets,
    PtzRelease,
    PtzRemovePreset,
    PtzSetPreset,
    PtzState,
    PtzStop,
    PtzWanted,
    Steerer,
)
from xomyen.bus.devices import PtzHeld
from xomyen.camera.address import Credentials
from xomyen.camera.errors import CameraFault, CameraTimeout, RequestRefused, WrongPassword
from xomyen.camera.onvif.answers import Preset as FoundPreset
from xomyen.camera.onvif.device import OnvifDevice
from xomyen.camera.onvif.errors import ActionNotSupported
from xomyen.camera.onvif.networks import Endpoint, Networks
from xomyen.node.device_credentials import Keyring
from xomyen.terms.tasks import end_task
from xomyen.terms.time import NS_PER_SECOND, Clock, format_utc

_LOG = logging.getLogger(__name__)

_ANSWER_S = 2.5
_COMMAND_S = 7.0
"""A first command is four questions to the camera; the one who asked waits 8 s."""
_STOP_TRIES = 3


@dataclass(slots=True)
class _Head:
    """One camera that can be steered. Commands to it go out one after another."""

    endpoint: Endpoint
    profile: str
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    lock: PtzLock | None = None
    lock_ends_ns: int = 0  # monotonic
    device: OnvifDevice | None = None
    credentials: Credentials | None = None
    moved_by: str = ""  # Steerer.id, while it moves
    halting: asyncio.Task[None] | None = None
    users: int = 0  # commands that are being handled

    async def use(self, credentials: Credentials | None) -> OnvifDevice:
        """The device, asked with this user and password."""
        if self.device is None or credentials != self.credentials:
            await self.close()
            device = await OnvifDevice(self.endpoint, credentials, answer_s=_ANSWER_S).__aenter__()
            try:
                await device.greet()
            except BaseException:
                await device.__aexit__(None, None, None)
                raise
            self.device, self.credentials = device, credentials
        return self.device

    async def close(self) -> None:
        if self.device is not None:
            device, self.device = self.device, None
            await device.__aexit__(None, None, None)


class Steering:
    """The heads of this node's cameras and who holds each; movements end when it is left."""

    def __init__(self, networks: Networks, keyring: Keyring, clock: Clock) -> None:
        self._networks = networks
        self._keyring = keyring
        self._clock = clock
        self._heads: dict[tuple[str, str], _Head] = {}

    async def __aenter__(self) -> "Steering":
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.gather(*(self._rest(head) for head in self._heads.values()))

    async def handle(self, wanted: PtzWanted) -> PtzState:
        """Does what is wanted. Raises PtzHeld, InvalidConfiguration, UnknownCamera, CameraFault."""
        await self._forget()
        endpoint = await self._networks.resolve(wanted.device.onvif_url)
        key = (endpoint.url, wanted.device.profile)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = _Head(endpoint, wanted.device.profile)
        head.users += 1
        try:
            return await self._obey(head, wanted)
        finally:
            head.users -= 1

    async def _obey(self, head: _Head, wanted: PtzWanted) -> PtzState:
        command = wanted.command
        if isinstance(command, PtzLook):
            return self._state(head)
        if isinstance(command, PtzPresets):
            credentials = await self._credentials(wanted)
            async with _turn(head):
                device = await head.use(credentials)
                return self._state(head, await device.presets(head.profile))
        if isinstance(command, PtzRelease):
            return await self._release(head, wanted.who)
        self._take(head, wanted.who)
        if isinstance(command, PtzHold):
            return self._state(head)
        credentials = await self._credentials(wanted)
        async with _turn(head):
            self._take(head, wanted.who)  # somebody may have taken it while this waited for its turn
            device = await head.use(credentials)
            return await self._steer(head, device, wanted)

    async def _credentials(self, wanted: PtzWanted) -> Credentials | None:
        return await self._keyring.open(wanted.device.credentials, wanted.device.onvif_url)

    async def _steer(self, head: _Head, device: OnvifDevice, wanted: PtzWanted) -> PtzState:
        command = wanted.command
        if head.moved_by and (head.moved_by != wanted.who.id or not isinstance(command, PtzMove)):
            await self._halt(head, device)
            if isinstance(command, PtzStop):
                return self._state(head)
        if isinstance(command, PtzMove):
            await self._move(head, device, command, wanted.who)
        elif isinstance(command, PtzStop):
            await device.stop(head.profile)
        elif isinstance(command, PtzGoto):
            await device.go_to(head.profile, command.preset)
        elif isinstance(command, PtzSetPreset):
            await device.set_preset(head.profile, command.name, command.preset)
            return self._state(head, await device.presets(head.profile))
        elif isinstance(command, PtzRemovePreset):
            await device.remove_preset(head.profile, command.preset)
            return self._state(head, await device.presets(head.profile))
        return self._state(head)

    # --- movement --------------------------------------------------------------------------

    async def _move(self, head: _Head, device: OnvifDevice, command: PtzMove, who: Steerer) -> None:
        if not (command.pan or command.tilt or command.zoom):
            await self._halt(head, device)
            return
        moved_before = bool(head.moved_by)
        if head.halting is not None:
            head.halting.cancel()
        # From now on it may move, whether or not the answer arrives.
        head.moved_by = who.id
        head.halting = asyncio.create_task(self._halt_after(head, command.seconds), name="ptz-halt")
        try:
            await device.move(head.profile, command.pan, command.tilt, command.zoom, command.seconds)
        except (ActionNotSupported, RequestRefused, WrongPassword):
            if not moved_before:  # then there is nothing to stop
                head.halting.cancel()
                head.moved_by, head.halting = "", None
            raise

    async def _halt_after(self, head: _Head, seconds: float) -> None:
        """Stops a movement that nobody went on with."""
        await asyncio.sleep(seconds)
        for left in range(_STOP_TRIES - 1, -1, -1):
            async with head.order:
                try:
                    if head.device is not None:
                        await head.device.stop(head.profile)
                except CameraFault as fault:
                    if left:
                        continue
                    _LOG.warning("a movement was not stopped: %s", fault.message)
                head.moved_by, head.halting = "", None
                return

    async def _halt(self, head: _Head, device: OnvifDevice) -> None:
        """Stops at once. Called in turn. Raises CameraFault; the movement then still ends when its time is over."""
        await device.stop(head.profile)
        if head.halting is not None:
            head.halting.cancel()
        head.moved_by, head.halting = "", None

    async def _rest(self, head: _Head) -> None:
        """Ends a movement and the conversation."""
        await end_task(head.halting)
        if head.moved_by and head.device is not None:
            with suppress(CameraFault, TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    await head.device.stop(head.profile)
        await head.close()

    # --- the lock --------------------------------------------------------------------------

    def _holder(self, head: _Head) -> PtzLock | None:
        if head.lock is not None and self._clock.monotonic_ns() >= head.lock_ends_ns:
            head.lock = None
        return head.lock

    def _take(self, head: _Head, who: Steerer) -> None:
        """Takes or renews the lock. Raises PtzHeld."""
        held = self._holder(head)
        if held is not None and held.holder != who.id and held.priority >= who.priority:
            raise PtzHeld(f"{held.name} steers this camera, until {format_utc(held.until_ns)} if nothing more is done.")
        length_ns = round(LOCK_S * NS_PER_SECOND)
        head.lock_ends_ns = self._clock.monotonic_ns() + length_ns
        head.lock = PtzLock(
            holder=who.id, name=who.name, priority=who.priority, until_ns=self._clock.wall_ns() + length_ns
        )

    async def _release(self, head: _Head, who: Steerer) -> PtzState:
        held = self._holder(head)
        if held is not None and held.holder == who.id:
            try:
                async with _turn(head):
                    if head.moved_by == who.id and head.device is not None:
                        await self._halt(head, head.device)
            finally:
                if head.lock is not None and head.lock.holder == who.id:
                    head.lock = None
        return self._state(head)

    def _state(self, head: _Head, presets: Sequence[FoundPreset] | None = None) -> PtzState:
        found = None if presets is None else tuple(Preset(token=one.token, name=one.name) for one in presets)
        return PtzState(lock=self._holder(head), presets=found)

    async def _forget(self) -> None:
        """Heads that nobody holds and nothing is done with."""
        idle = [
            key
            for key, head in self._heads.items()
            if self._holder(head) is None and not head.moved_by and not head.users
        ]
        for key in idle:
            head = self._heads.pop(key)
            await head.close()


@asynccontextmanager
async def _turn(head: _Head) -> AsyncIterator[None]:
    """One command's turn at a head, within the time that the one who asked waits. Raises CameraTimeout."""
    try:
        async with asyncio.timeout(_COMMAND_S), head.order:
            yield
    except TimeoutError as error:
        raise CameraTimeout(f"{head.endpoint.place} did not do it within {_COMMAND_S:g} s.") from error

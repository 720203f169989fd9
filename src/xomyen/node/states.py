"""The newest state of every stream in the recorder's process, told to the bus as it changes."""

import asyncio
import logging
from typing import Self

import nats.errors
from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.bus.messages import Alarm, CameraEvent, FragmentNotice, StandingAlarms
from xomyen.terms.tasks import end_task
from xomyen.terms.words import StreamName

_LOG = logging.getLogger(__name__)

_MOST_WAITING = 8192


class Notices:
    """Plain notices on their way to the bus; when it does not take them, the newest are dropped and counted."""

    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        self.states: dict[tuple[str, StreamName], CameraEvent] = {}
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._send(), name="notices")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await end_task(self._task)

    def state_changed(self, event: CameraEvent) -> None:
        """A stream's new state."""
        self.states[event.camera, event.stream] = event
        self._put(subjects.state(self._node, event.camera), event.model_dump_json().encode())

    def alarms_changed(self, alarms: tuple[Alarm, ...]) -> None:
        """These are the alarms that stand now."""
        self._put(subjects.alarms(self._node), StandingAlarms(alarms=alarms).model_dump_json().encode())

    def forget(self, cameras: set[str]) -> None:
        """These are the cameras there are; states of others are of no interest any more."""
        for key in [key for key in self.states if key[0] not in cameras]:
            del self.states[key]

    def fragment_written(self, camera: str, stream: StreamName, notice: FragmentNotice) -> None:
        """A fragment of a watched stream is in its file."""
        self._put(subjects.fragment(self._node, camera, stream), notice.model_dump_json().encode())

    def _put(self, subject: str, payload: bytes) -> None:
        try:
            self._queue.put_nowait((subject, payload))
        except asyncio.QueueFull:
            self.dropped += 1

    async def _send(self) -> None:
        while True:
            subject, payload = await self._queue.get()
            try:
                await self._client.publish(subject, payload)
            except nats.errors.Error as error:
                self.dropped += 1
                _LOG.debug("a notice was dropped: %s", type(error).__name__)

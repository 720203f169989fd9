"""Keeps the gateway's cameras and alarms true: configuration from the bucket, the rest from the recorder."""

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from xomyen.bus import subjects
from xomyen.bus.configuration import follow
from xomyen.bus.messages import (
    CameraEvent,
    CameraRecord,
    CameraStatus,
    NodeEvent,
    RecorderState,
    StandingAlarms,
)
from xomyen.bus.requests import Empty, ask
from xomyen.node.gateway.alarm_board import AlarmBoard
from xomyen.node.gateway.directory import CameraDirectory
from xomyen.terms.errors import XomyenError
from xomyen.terms.ids import new_id
from xomyen.terms.tasks import end_task
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import CameraState, GapReason, StreamName

_LOG = logging.getLogger(__name__)

_LOOK_AGAIN_S = 15.0
"""States come as they change; asking now and then heals what a broken connection swallowed."""
_RETRY_S = 0.5
_LONGEST_SILENCE_NS = 30 * NS_PER_SECOND
"""A recorder that starts on large disks, or a busy one, may take its time; then somebody must look."""


class StateFeed:
    """Fills a directory and a board of alarms while it is entered."""

    def __init__(self, client: Client, node: str, directory: CameraDirectory, alarms: AlarmBoard, clock: Clock) -> None:
        self._client = client
        self._node = node
        self._directory = directory
        self._alarms = alarms
        self._clock = clock
        self._states: dict[tuple[str, StreamName], CameraEvent] = {}
        self._configured: dict[str, CameraRecord] = {}
        self._heard: set[tuple[str, StreamName]] = set()
        self._heard_alarms = False
        self._look = asyncio.Event()
        self.configured = asyncio.Event()  # set once the directory has the cameras that there are
        self._exit = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        client, node = self._client, self._node
        for subject, heard in (
            (subjects.state(node, "*"), self._state_changed),
            (subjects.alarms(node), self._alarms_changed),
            (subjects.event(node, "node"), self._node_changed),
        ):
            subscription = await client.subscribe(subject, cb=heard)
            self._exit.push_async_callback(subscription.unsubscribe)
        self._tasks = [
            asyncio.create_task(self._follow_configuration(), name="follow configuration"),
            asyncio.create_task(self._look_now_and_then(), name="look at states"),
        ]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            await end_task(task)
        if self._client.is_connected:
            await self._exit.aclose()

    async def _follow_configuration(self) -> None:
        async for cameras in follow(self._client, self._node):
            gone = self._configured.keys() - cameras.keys()
            for camera in gone:
                self._directory.remove(camera)
            for key in [key for key in self._states if key[0] in gone]:
                del self._states[key]
            self._configured = cameras
            for camera in cameras:
                self._put(camera)
            self.configured.set()

    def _put(self, camera: str) -> None:
        record = self._configured.get(camera)
        if record is None:
            return
        streams = {stream: event for (owner, stream), event in self._states.items() if owner == camera}
        self._directory.put(CameraStatus(config=record.config, streams=streams))

    async def _state_changed(self, message: Msg) -> None:
        try:
            event = CameraEvent.model_validate_json(message.data)
        except ValidationError as error:
            _LOG.error("a state cannot be read: %s", error.errors(include_input=False))
            return
        self._heard.add((event.camera, event.stream))
        self._take(event)

    def _take(self, event: CameraEvent) -> None:
        self._states[event.camera, event.stream] = event
        self._put(event.camera)

    async def _alarms_changed(self, message: Msg) -> None:
        try:
            standing = StandingAlarms.model_validate_json(message.data)
        except ValidationError as error:
            _LOG.error("alarms cannot be read: %s", error.errors(include_input=False))
            return
        self._heard_alarms = True
        self._alarms.recorder_says(standing.alarms)

    async def _node_changed(self, message: Msg) -> None:
        try:
            event = NodeEvent.model_validate_json(message.data)
        except ValidationError as error:
            _LOG.error("a node event cannot be read: %s", error.errors(include_input=False))
            return
        if event.part != "recorder":
            return
        self._look.set()
        if event.what != "started":
            self._nothing_is_recorded(f"the recorder {event.detail}")
            self._alarms.recorder_is_away(event.at_ns, f"Nothing is recorded (recorder {event.detail.rstrip('.')}).")

    def _nothing_is_recorded(self, detail: str) -> None:
        """No state may go on looking as if pictures were kept."""
        for (camera, stream), event in list(self._states.items()):
            if event.state is CameraState.DISABLED:
                continue
            self._take(
                event.model_copy(
                    update={
                        "id": new_id(self._clock),
                        "camera": camera,
                        "stream": stream,
                        "state": CameraState.LOST,
                        "since_ns": self._clock.wall_ns(),
                        "reason": GapReason.NODE_STOPPED,
                        "detail": detail,
                    }
                )
            )

    async def _look_now_and_then(self) -> None:
        subject = subjects.service(self._node, "recorder", "state")
        answered_ns = self._clock.monotonic_ns()
        while True:
            self._look.clear()
            self._heard.clear()
            self._heard_alarms = False
            try:
                state = await ask(self._client, subject, Empty(), RecorderState, seconds=5)
            except XomyenError as error:
                _LOG.debug("no states yet: %s", error.message)
                silent_ns = self._clock.monotonic_ns() - answered_ns
                if silent_ns > _LONGEST_SILENCE_NS:
                    self._alarms.recorder_is_silent(self._clock.wall_ns() - silent_ns)
                await asyncio.sleep(_RETRY_S)
                continue
            answered_ns = self._clock.monotonic_ns()
            self._alarms.recorder_is_back()
            if not self._heard_alarms:
                self._alarms.recorder_says(state.alarms)
            for event in state.streams:
                # What was told while the answer was on its way is newer than the answer.
                if (event.camera, event.stream) not in self._heard:
                    self._take(event)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), _LOOK_AGAIN_S)

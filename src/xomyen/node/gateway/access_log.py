"""Who used which ticket for what, told to the bus: one event per use, not one per request of a player."""

import asyncio
from collections import OrderedDict
from types import TracebackType
from typing import Protocol, Self

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from xomyen.bus import subjects
from xomyen.bus.messages import AccessEvent
from xomyen.terms.tasks import end_task

log = structlog.get_logger(__name__)

_SAME_USE_NS = 60_000_000_000
_QUEUE = 10_000
_RETRY_S = 2.0
_REMEMBERED = 5_000

_Key = tuple[str, str, tuple[str, ...], str]


class AccessSink(Protocol):
    """Where uses are told."""

    def tell(self, event: AccessEvent) -> None: ...


class AccessLog:
    """Publishes access events in order, each until the stream has acknowledged it.

    A use that repeats within a minute (same ticket, action, cameras, detail, and a time range already told) is the
    same use: a player asks for a playlist every few seconds.
    """

    def __init__(self, bus: Client, node: str) -> None:
        self._bus = bus
        self._subject = subjects.event(node, "access")
        self._queue: asyncio.Queue[AccessEvent] = asyncio.Queue(_QUEUE)
        self._told: OrderedDict[_Key, AccessEvent] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0  # events the bus did not take while more than the queue holds were waiting

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._publish(), name="access-log")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        try:
            async with asyncio.timeout(_RETRY_S):
                await self._queue.join()
        except TimeoutError:
            log.warning("access_events_lost", count=self._queue.qsize())
        await end_task(self._task)

    def tell(self, event: AccessEvent) -> None:
        """Takes note of a use; never waits."""
        key = (event.ticket, event.action, event.cameras, event.detail)
        before = self._told.get(key)
        if before is not None and _covers(before, event):
            return
        self._told[key] = event
        self._told.move_to_end(key)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1
            log.error("access_event_dropped", ticket=event.ticket, action=event.action)

    async def _publish(self) -> None:
        stream = self._bus.jetstream()
        while True:
            event = await self._queue.get()
            payload = event.model_dump_json().encode()
            while True:
                try:
                    await stream.publish(self._subject, payload, headers={"Nats-Msg-Id": event.id})
                    break
                except (NatsError, TimeoutError, ConnectionError) as error:
                    log.warning("access_event_waits", error=type(error).__name__)
                    await asyncio.sleep(_RETRY_S)
            self._queue.task_done()


def _covers(before: AccessEvent, event: AccessEvent) -> bool:
    """Whether the use was told already: not long ago, and with a range that holds this one."""
    if event.at_ns - before.at_ns > _SAME_USE_NS:
        return False
    if event.start_ns is None or event.end_ns is None:
        return before.start_ns is None
    if before.start_ns is None or before.end_ns is None:
        return False
    return before.start_ns <= event.start_ns and event.end_ns <= before.end_ns

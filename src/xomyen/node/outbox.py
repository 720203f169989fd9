"""Carries the recorder's events from the index to the event stream: in order, until each is acknowledged."""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, Self

from nats.aio.client import Client

from xomyen.bus.events import publish_event
from xomyen.bus.subjects import EVENT_KINDS
from xomyen.recording.statistics import OutboxEvent
from xomyen.terms.errors import NotRunning
from xomyen.terms.tasks import end_task

_LOG = logging.getLogger(__name__)

_LOOK_S = 5.0
"""The recorder tells of new events; looking now and then heals what was missed."""
_RETRY_S = 0.5


class EventStore(Protocol):
    """Where events wait."""

    async def take_events(self, limit: int = 256) -> list[OutboxEvent]: ...

    async def acknowledge(self, numbers: Sequence[int]) -> None: ...


class Outbox:
    """Runs while it is entered; `wake` tells that there is something to carry."""

    def __init__(self, client: Client, node: str, store: EventStore) -> None:
        self._client = client
        self._node = node
        self._store = store
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.sent = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="outbox")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await end_task(self._task)

    def wake(self) -> None:
        self._wake.set()

    async def drained(self, quiet_s: float, longest_s: float) -> None:
        """Waits until nothing has come and gone for `quiet_s` seconds, at most `longest_s`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + longest_s
        sent, since = self.sent, loop.time()
        while loop.time() < end and loop.time() - since < quiet_s:
            await asyncio.sleep(0.02)
            if self.sent != sent or self._wake.is_set():
                sent, since = self.sent, loop.time()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while events := await self._store.take_events():
                    if not await self._carry(events):
                        await asyncio.sleep(_RETRY_S)
            except sqlite3.Error as error:  # the index's disk fails: they wait in it
                _LOG.error("events cannot be taken from the index: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)

    async def _carry(self, events: list[OutboxEvent]) -> bool:
        """Sends in order as far as the stream takes them; what it took leaves the index."""
        done: list[int] = []
        try:
            for event in events:
                if event.kind in EVENT_KINDS:
                    await publish_event(self._client, self._node, event.kind, event.id, event.payload)
                else:
                    _LOG.error("an event of unknown kind %r is dropped", event.kind)
                done.append(event.number)
        except NotRunning as error:
            _LOG.info("events wait: %s", error.message)
        if done:
            await self._store.acknowledge(done)
            self.sent += len(done)
        return len(done) == len(events)

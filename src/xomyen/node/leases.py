"""Who watches what: leases that viewers renew every 2 s and that end by themselves."""

import asyncio
from collections.abc import Callable
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from xomyen.bus import subjects
from xomyen.terms.ids import is_id
from xomyen.terms.tasks import end_task
from xomyen.terms.words import StreamName

LEASE_S = 5.0
_LOOK_S = 0.5
_MOST = 20_000


class Leases:
    """Calls `watch(key, True)` with the first lease of a stream and `watch(key, False)` when the last has ended."""

    def __init__(self, client: Client, node: str, watch: Callable[[tuple[str, StreamName], bool], None]) -> None:
        self._client = client
        self._node = node
        self._watch = watch
        self._until_s: dict[tuple[str, StreamName], float] = {}
        self._subscription: Subscription | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(subjects.lease(self._node, "*", "*"), cb=self._heard)
        self._task = asyncio.create_task(self._end_leases(), name="leases")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await end_task(self._task)
        if self._subscription is not None and self._client.is_connected:
            await self._subscription.unsubscribe()

    @property
    def count(self) -> int:
        """How many streams are watched."""
        return len(self._until_s)

    async def _heard(self, message: Msg) -> None:
        camera, stream = message.subject.split(".")[-2:]
        if not is_id(camera) or stream not in StreamName.__members__.values():
            return
        key = (camera, StreamName(stream))
        fresh = key not in self._until_s
        if fresh and len(self._until_s) >= _MOST:
            return
        self._until_s[key] = asyncio.get_running_loop().time() + LEASE_S
        if fresh:
            self._watch(key, True)

    async def _end_leases(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_S)
            now_s = loop.time()
            for key in [key for key, until_s in self._until_s.items() if until_s < now_s]:
                del self._until_s[key]
                self._watch(key, False)

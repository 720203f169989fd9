"""What one part of a node answers to the others."""

from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from pydantic import BaseModel

from xomyen.bus import subjects
from xomyen.bus.requests import Request, answer


class Service:
    """The actions that a part answers from their `offer` until `close`."""

    def __init__(self, client: Client, node: str, part: str) -> None:
        """`part` names it in the subjects of its actions, as `recorder` in `recorder.state`."""
        self._client = client
        self._node = node
        self._part = part
        self._subscriptions: list[Subscription] = []

    async def offer(
        self, action: str, request: type[Request], handler: Callable[[Request], Awaitable[BaseModel]], at_once: int = 1
    ) -> None:
        """Every request for the action is handled, `at_once` of them together; see `answer`."""
        subject = subjects.service(self._node, self._part, action)
        self._subscriptions.append(await answer(self._client, subject, request, handler, at_once))

    async def reachable(self) -> None:
        """Returns once the bus knows all that is offered: who asks from then on is answered."""
        await self._client.flush()

    async def close(self) -> None:
        """Nothing of it is answered any more; a connection that is gone has ended it already."""
        while self._subscriptions:
            subscription = self._subscriptions.pop()
            if self._client.is_connected:
                await subscription.unsubscribe()

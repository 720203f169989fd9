"""A part of a node answers what it offers, until it closes."""

import pytest
from nats.aio.client import Client
from tests.bus.test_requests import Number

from xomyen.bus import subjects
from xomyen.bus.requests import Empty, ask
from xomyen.bus.service import Service
from xomyen.terms.errors import NotRunning
from xomyen.terms.ids import new_id


async def test_what_is_offered_is_answered_until_the_service_closes(client: Client) -> None:
    node = new_id()

    async def double(request: Number) -> Number:
        return Number(value=request.value * 2)

    async def nothing(_request: Empty) -> Empty:
        return Empty()

    service = Service(client, node, "sums")
    await service.offer("double", Number, double)
    await service.offer("nothing", Empty, nothing)
    await service.reachable()
    of_double = subjects.service(node, "sums", "double")
    assert (await ask(client, of_double, Number(value=4), Number)).value == 8
    assert await ask(client, subjects.service(node, "sums", "nothing"), None, Empty) == Empty()
    await service.close()
    with pytest.raises(NotRunning):
        await ask(client, of_double, Number(value=4), Number)

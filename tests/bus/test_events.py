"""Events out of the node's stream: all of a kind, in their order, also while the stream drops its oldest."""

import contextlib
import time

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from xomyen.bus import events, subjects
from xomyen.bus.events import oldest_event_ns, publish_event, read_events
from xomyen.terms.ids import new_id


async def publish(client: Client, node: str, kind: str, count: int) -> list[bytes]:
    payloads = [b"%d" % number for number in range(count)]
    for payload in payloads:
        await publish_event(client, node, kind, new_id(), payload)
    return payloads


async def test_events_of_a_kind_are_read_in_their_order_since_a_moment(
    client: Client, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_BATCH", 3)
    early = await publish(client, node, "gap", 7)
    await publish(client, node, "segment", 2)
    moment_ns = time.time_ns()
    late = await publish(client, node, "gap", 5)
    found = [event async for event in read_events(client, node, "gap", 0)]
    assert [payload for payload, _ in found] == early + late
    told = [at_ns for _, at_ns in found]
    assert told == sorted(told)
    assert told[6] < moment_ns <= told[7] <= time.time_ns()
    assert [payload async for payload, _ in read_events(client, node, "gap", moment_ns)] == late
    assert [payload async for payload, _ in read_events(client, node, "access", 0)] == []


async def test_events_that_are_dropped_while_they_are_read_end_the_reading(
    client: Client, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_BATCH", 2)
    payloads = await publish(client, node, "gap", 5)
    found = []
    async with contextlib.aclosing(read_events(client, node, "gap", 0)) as reading:
        async for payload, _ in reading:
            found.append(payload)
            monkeypatch.setattr(events, "_ANSWER_S", 1.0)  # from here on nothing comes, however long one waits
            await client.jetstream().purge_stream(subjects.event_stream(node))
    assert found == payloads[:2]


async def test_that_nothing_comes_any_more_is_understood_in_either_way_the_client_says_it(
    client: Client, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its own kind of error; where the server's word that the time is over came just before, the plain one.
    monkeypatch.setattr(events, "_BATCH", 2)
    payloads = await publish(client, node, "gap", 5)
    found = []

    async def nothing(_subscription: JetStreamContext.PullSubscription, *_asked: object, **_more: object) -> list[Msg]:
        raise TimeoutError

    async with contextlib.aclosing(read_events(client, node, "gap", 0)) as reading:
        async for payload, _ in reading:
            found.append(payload)
            monkeypatch.setattr(JetStreamContext.PullSubscription, "fetch", nothing)
            await client.jetstream().purge_stream(subjects.event_stream(node))
    assert found == payloads[:2]


async def test_the_oldest_event_tells_since_when_the_stream_knows_everything(client: Client, node: str) -> None:
    js, stream = client.jetstream(), subjects.event_stream(node)
    assert await oldest_event_ns(client, node) is None
    await publish(client, node, "gap", 4)
    assert await oldest_event_ns(client, node) is None
    told = [at_ns async for _, at_ns in read_events(client, node, "gap", 0)]
    await js.purge_stream(stream, keep=2)
    oldest_ns = await oldest_event_ns(client, node)
    assert oldest_ns is not None
    assert abs(oldest_ns - told[2]) <= 1000  # the client reads it from another text
    await js.purge_stream(stream)
    assert await oldest_event_ns(client, node) is None

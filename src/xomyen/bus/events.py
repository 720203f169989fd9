"""Events into the node's stream, each with its id as the message id, so that sending twice is once; and out of it."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from xomyen.bus import subjects
from xomyen.terms.errors import NotRunning
from xomyen.terms.time import NS_PER_SECOND

_BATCH = 500
_ANSWER_S = 10.0
_FORGET_READER_S = 60.0


async def publish_event(
    client: Client, node: str, kind: str, event_id: str, payload: bytes, seconds: float = 5.0
) -> bool:
    """Stores one event; returns once it is on disk, False when the stream had it already.

    Raises NotRunning when the stream does not acknowledge it: send it again later, with the same id.
    """
    if kind not in subjects.EVENT_KINDS:
        raise ValueError(f"{kind!r} is no kind of event")
    try:
        stored = await client.jetstream(timeout=seconds).publish(
            subjects.event(node, kind),
            payload,
            stream=subjects.event_stream(node),
            headers={"Nats-Msg-Id": event_id},
        )
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise NotRunning(f"The event stream did not take an event ({type(error).__name__}).") from error
    return not stored.duplicate


async def read_events(client: Client, node: str, kind: str, since_ns: int) -> AsyncGenerator[tuple[bytes, int], None]:
    """Events of a kind that the stream got since then, oldest first: payload, and when the stream got it.

    Raises NotRunning when the stream does not answer.
    """
    stream, subject = subjects.event_stream(node), subjects.event(node, kind)
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_TIME,
        opt_start_time=datetime.fromtimestamp(since_ns / NS_PER_SECOND, UTC),
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_FORGET_READER_S,
    )
    try:
        subscription = await client.jetstream().pull_subscribe(subject, stream=stream, config=config)
        try:
            waiting = (await subscription.consumer_info()).num_pending or 0
            while waiting:
                messages = await _next_of(subscription, min(waiting, _BATCH))
                waiting = messages[-1].metadata.num_pending if messages else 0
                for message in messages:
                    yield message.data, _ns(message.metadata.timestamp)
        finally:
            with contextlib.suppress(nats.errors.Error):  # it ended with its connection
                await subscription.unsubscribe()
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise NotRunning(f"The event stream cannot be read ({type(error).__name__}).") from error


async def _next_of(subscription: JetStreamContext.PullSubscription, count: int) -> list[Msg]:
    """Up to `count` messages; none when the stream has dropped all that waited."""
    try:
        return await subscription.fetch(count, timeout=_ANSWER_S)
    except TimeoutError:  # the client's own or, when the server ended the wait just before, the plain one
        if (await subscription.consumer_info()).num_pending:
            raise
        return []


async def oldest_event_ns(client: Client, node: str) -> int | None:
    """When the stream got the oldest event it has, if it has dropped older ones; None: it has them all, or none.

    Raises NotRunning when the stream does not answer.
    """
    stream, subject = subjects.event_stream(node), subjects.event(node, ">")
    js = client.jetstream()
    try:
        state = (await js.stream_info(stream)).state
        if state.first_seq <= 1:
            return None
        # A full stream drops one for each that comes: the first may be another one by now.
        first = await js.get_msg(stream, seq=state.first_seq, subject=subject, next=True)
    except nats.js.errors.NotFoundError:
        return None
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise NotRunning(f"The event stream cannot be read ({type(error).__name__}).") from error
    return _ns(first.time) if first.time is not None else None


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000

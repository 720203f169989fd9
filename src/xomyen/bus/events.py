"""Events into the node's stream: each with its id as the message id, so that sending twice is once."""

import nats.errors
import nats.js.errors
from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.terms.errors import NotRunning


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

"""What a centre sees of a node that is its leaf."""

import nats.errors
import nats.js.errors
from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.bus.server_config import domain


async def leaf_answers(centre: Client, node: str) -> bool:
    """Whether the node's JetStream answers through the leaf."""
    try:
        await centre.jetstream(domain=domain(node)).stream_info(subjects.event_stream(node))
    except (nats.errors.Error, nats.js.errors.Error):
        return False
    return True

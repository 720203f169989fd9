"""What a node's event stream dropped before this centre read it: told in the log, not passed over."""

import time
import uuid

from django.db import transaction
from nats.aio.client import Client
from nats.js.client import JetStreamContext

from xomyen.bus import subjects
from xomyen.bus.server_config import domain
from xomyen.centre.audit.models import NodeReading
from xomyen.centre.audit.off_loop import in_database
from xomyen.centre.audit.services import record
from xomyen.centre.cameras.models import Node


async def look(client: Client, node: str, subscription: JetStreamContext.PullSubscription) -> None:
    """Compares the node's stream with what was read of it. Raises nats errors when the node is away."""
    state = (await client.jetstream(domain=domain(node)).stream_info(subjects.event_stream(node))).state
    # Asked for after the stream: whatever the stream had then and no reader waits for was read.
    told = await subscription.consumer_info()
    caught_up = not told.num_pending and not told.num_ack_pending
    await in_database(compare, node, state.first_seq, state.last_seq, caught_up)


def compare(node: str, first: int, last: int, caught_up: bool) -> None:
    """Notes what is gone, by the numbers of the stream's first and last event (an empty one's first is its next).

    The stream numbers events of all kinds together: `missing` is how many it dropped unread, access events among them.
    """
    known = Node.objects.filter(pk=node).select_related("unit").first()
    if known is None:
        return
    with transaction.atomic():
        # What was dropped before this centre came to know the node was never its to read.
        start = {"read_to": max(first - 1, 0), "at_ns": time.time_ns()}
        reading, _made = NodeReading.objects.select_for_update().get_or_create(node=uuid.UUID(node), defaults=start)
        since = {"from_ns": reading.at_ns, "to_ns": time.time_ns()}
        if last < reading.read_to:
            record("audit.gap", thing=known, unit=known.unit, details={**since, "made_anew": True})
            reading.read_to = max(first - 1, 0)
        elif first - 1 > reading.read_to:
            missing = first - 1 - reading.read_to
            record("audit.gap", thing=known, unit=known.unit, details={**since, "missing": missing})
            reading.read_to = first - 1
        if caught_up:
            reading.read_to, reading.at_ns = max(last, reading.read_to), time.time_ns()
        reading.save()


def read(node: str, sequence: int) -> None:
    """Notes that everything up to here was read."""
    NodeReading.objects.filter(node=uuid.UUID(node), read_to__lt=sequence).update(
        read_to=sequence, at_ns=time.time_ns()
    )

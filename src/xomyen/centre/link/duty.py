"""What the worker does for nodes: tries again what is not in force, and learns what they do."""

import asyncio
import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from django.db.models import Q

from xomyen.bus.messages import CameraEvent
from xomyen.centre.cameras.models import Camera, Node, Removal, Standing
from xomyen.centre.cameras.nodes import add_local
from xomyen.centre.link.apply import bring
from xomyen.centre.link.ask import learn_key, recorder_state
from xomyen.terms.errors import XomyenError
from xomyen.terms.tasks import end_task

_LOG = logging.getLogger(__name__)
_ROUND_S = 2.0
_LOOK_S = 6.0
_AT_ONCE = 8
_said: dict[uuid.UUID, str] = {}
"""What went wrong with a node last; it is logged once."""


async def keep_nodes() -> None:
    """Duty: every two seconds what waits to be brought; every six what all nodes have and do."""
    looked = -_LOOK_S
    looking: asyncio.Task[None] | None = None
    try:
        while True:
            if looking is not None and looking.done():
                looking.result()
                looking = None
            if looking is None and time.monotonic() - looked >= _LOOK_S:
                looked = time.monotonic()
                looking = asyncio.create_task(asyncio.to_thread(one_round, True), name="look at nodes")
            # What waits does not wait for nodes that do not answer.
            await asyncio.to_thread(one_round, False)
            await asyncio.sleep(_ROUND_S)
    finally:
        await end_task(looking)


def one_round(everything: bool) -> None:
    """Visits the nodes that have something to be brought, or all; several at once, since one may be slow."""
    try:
        if everything:
            add_local()
        nodes = list(Node.objects.values_list("pk", flat=True)) if everything else waiting()
    finally:
        connections.close_all()
    with ThreadPoolExecutor(_AT_ONCE, "nodes") as threads:
        list(threads.map(visit if everything else _bring, nodes))


def waiting() -> list[uuid.UUID]:
    """Nodes with something to be brought; first those that answered last, since others may take their time."""
    cameras = Camera.objects.to_bring().exclude(node=None).values("node")
    nodes = Node.objects.filter(Q(pk__in=cameras) | Q(pk__in=Removal.objects.values("node")))
    return list(nodes.order_by("-answers", "pk").values_list("pk", flat=True))


def _bring(node_id: uuid.UUID) -> None:
    try:
        bring(node_id)
    finally:
        connections.close_all()


def visit(node_id: uuid.UUID) -> None:
    """Brings the node what waits and takes in what it has, its key, and how its streams are."""
    try:
        bring(node_id)
        node = Node.objects.get(pk=node_id)
        if node.answers:
            if not node.secrets_key:
                learn_key(node)
            take_streams(node_id)
            if _said.pop(node_id, None):
                _LOG.info("node %s answers all questions again", node_id)
    except XomyenError as error:
        if _said.get(node_id) != error.message:
            _said[node_id] = error.message
            _LOG.info("node %s: %s", node_id, error.message)
    finally:
        connections.close_all()


def take_streams(node_id: uuid.UUID) -> None:
    """Keeps what the node says of its streams; writes the cameras alone that changed."""
    found: dict[str, dict[str, object]] = {}
    for event in recorder_state(node_id).streams:
        found.setdefault(event.camera, {})[event.stream.value] = _kept(event)
    cameras = Camera.objects.filter(node_id=node_id).exclude(standing=Standing.NOWHERE)
    for pk, streams in cameras.values_list("pk", "streams"):
        if streams != (now := found.get(str(pk), {})):
            Camera.objects.filter(pk=pk, node_id=node_id).update(streams=now)


def _kept(event: CameraEvent) -> dict[str, object]:
    return event.model_dump(mode="json", exclude={"version", "id", "camera", "stream", "codec_string"})

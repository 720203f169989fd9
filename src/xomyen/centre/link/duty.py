"""What the worker does for nodes: tries again what is not in force, and learns what they do."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from django.db.models import Q, QuerySet

from xomyen.bus.messages import CameraEvent
from xomyen.centre.cameras.models import Camera, Node, Removal, Standing
from xomyen.centre.cameras.nodes import add_local
from xomyen.centre.link.apply import bring
from xomyen.centre.link.ask import learn_key, recorder_state
from xomyen.terms.errors import XomyenError

_LOG = logging.getLogger(__name__)
_ROUND_S = 2.0
_LOOK_S = 6.0
_REST_S = 1.0  # between two rounds, however long the first took
_AT_ONCE = 8
_said: dict[uuid.UUID, str] = {}
"""What went wrong with a node last; it is logged once."""


async def keep_nodes() -> None:
    """Duty: every two seconds what waits to be brought; every six what all nodes have and do.

    Nodes that did not answer last have rounds of their own: for them nobody else waits.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_every(_LOOK_S, look), name="look at nodes")
        tasks.create_task(_every(_ROUND_S, bring_to_answering), name="bring to nodes")
        tasks.create_task(_every(_ROUND_S, bring_to_silent), name="bring to silent nodes")


async def _every(seconds: float, one_round: Callable[[], None]) -> None:
    while True:
        begun = time.monotonic()
        await asyncio.to_thread(one_round)
        await asyncio.sleep(max(begun + seconds - time.monotonic(), _REST_S))


def look() -> None:
    """Visits all nodes."""
    try:
        add_local()
    finally:
        connections.close_all()
    _at_nodes(visit, Node.objects.all())


def bring_to_answering() -> None:
    """Brings what waits to the nodes that answered last."""
    _at_nodes(_bring, waiting().filter(answers=True))


def bring_to_silent() -> None:
    """Brings what waits to the other nodes, one of which may have come back."""
    _at_nodes(_bring, waiting().filter(answers=False))


def waiting() -> QuerySet[Node]:
    """Nodes with something to be brought."""
    cameras = Camera.objects.to_bring().exclude(node=None).values("node")
    return Node.objects.filter(Q(pk__in=cameras) | Q(pk__in=Removal.objects.values("node")))


def _at_nodes(work: Callable[[uuid.UUID], None], nodes: QuerySet[Node]) -> None:
    """Does it for each of the nodes; several at once, since one may be slow."""
    try:
        found = list(nodes.order_by("pk").values_list("pk", flat=True))
    finally:
        connections.close_all()
    with ThreadPoolExecutor(_AT_ONCE, "nodes") as threads:
        list(threads.map(work, found))


def _bring(node_id: uuid.UUID) -> None:
    try:
        bring(node_id)
    except XomyenError as error:
        _say(node_id, error)
    finally:
        connections.close_all()


def _say(node_id: uuid.UUID, error: XomyenError) -> None:
    """Logs what went wrong with a node, which must not end the rounds of the others."""
    if _said.get(node_id) != error.message:
        _said[node_id] = error.message
        _LOG.info("node %s: %s", node_id, error.message)


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
        _say(node_id, error)
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

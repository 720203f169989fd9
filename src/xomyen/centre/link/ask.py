"""The questions a centre asks its nodes, each answered within seconds or not at all."""

import json
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.conf import settings
from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.bus.configuration import Configuration
from xomyen.bus.messages import NodeHealth, RecorderState
from xomyen.bus.requests import Empty, ask
from xomyen.bus.sealing import read_public, seal
from xomyen.centre.cameras.models import Node
from xomyen.centre.link.bus import bus
from xomyen.terms.errors import NotRunning

PATIENCE_S = 5.0
_LOOK_S = 2.0  # where a page waits

Answer = TypeVar("Answer")


def configuration(
    node_id: uuid.UUID, question: Callable[[Configuration], Awaitable[Answer]], seconds: float = PATIENCE_S
) -> Answer:
    """What the node's configuration service answers. Raises NotRunning, or the refusal."""

    async def asked(client: Client) -> Answer:
        return await question(Configuration(client, str(node_id)))

    return bus.ask(asked, seconds)


def recorder_state(node_id: uuid.UUID) -> RecorderState:
    """The newest state of every stream of the node. Raises NotRunning."""

    async def asked(client: Client) -> RecorderState:
        return await ask(
            client, subjects.service(str(node_id), "recorder", "state"), Empty(), RecorderState, PATIENCE_S
        )

    return bus.ask(asked, PATIENCE_S)


def health(node_id: uuid.UUID) -> NodeHealth:
    """The node's processes as its supervisor sees them. Raises NotRunning."""

    async def asked(client: Client) -> NodeHealth:
        return await ask(client, subjects.service(str(node_id), "node", "health"), Empty(), NodeHealth, _LOOK_S)

    return bus.ask(asked, _LOOK_S)


def learn_key(node: Node) -> None:
    """Keeps the node's public key, so that passwords can be sealed while it is away. Raises NotRunning."""
    public = configuration(node.pk, lambda asked: asked.secrets_key()).public
    read_public(public)
    if node.secrets_key != public:
        node.secrets_key = public
        Node.objects.filter(pk=node.pk).update(secrets_key=public)


def sealed_for(node: Node, password: str) -> str:
    """The password, which only the node can open. Raises NotRunning when its key was never learnt and it is away."""
    if not node.secrets_key:
        learn_key(node)
    return seal(password, read_public(node.secrets_key))


def local_node() -> uuid.UUID | None:
    """The id of the node in the centre's own folder; None when there is none."""
    try:
        return uuid.UUID(json.loads(settings.FOLDER.node.identity.read_text(encoding="utf-8"))["node"])
    except (OSError, ValueError, KeyError):
        return None


def local_address() -> str:
    """Where the gateway of the node in the centre's own folder listens. Raises NotRunning."""
    try:
        file = settings.FOLDER.node.run / "gateway.json"
        return str(json.loads(file.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning("The recorder of this machine is not running.") from error

"""Takes the nodes' access events into the audit log: each once, in order, and later where a node was away."""

import asyncio
import logging
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import nats.errors
import nats.js.errors
from django.conf import settings
from django.db import transaction
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from pydantic import ValidationError

from xomyen.bus import subjects
from xomyen.bus.messages import AccessEvent
from xomyen.bus.server_config import domain
from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.audit import gaps
from xomyen.centre.audit.chain import plain_text
from xomyen.centre.audit.models import Pending, Record
from xomyen.centre.audit.off_loop import in_database
from xomyen.centre.audit.services import Where, where_is
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.operation.issuer import own

_LOG = logging.getLogger(__name__)
_NODES_S = 10.0  # how often new nodes are looked for
_AGAIN_S = 5.0  # after a node did not answer
_WAIT_S = 20.0  # for events, before asking again
_LOOK_S = 300.0  # how often a node's stream is compared with what was read of it
_BATCH = 200
_LAST_NS = 2**63 - 1
_LOST = (nats.errors.Error, nats.js.errors.Error, TimeoutError, ConnectionError)

_ACTIONS = {
    "issued": "ticket.issued",
    "sign_in": "node.sign_in",
    "refused": "ticket.refused",
    "live": "camera.live",
    "past": "camera.past",
    "still": "camera.still",
    "clip": "camera.clip",
    "export": "camera.export",
    "timeline": "camera.timeline",
}


async def take_access_events(client: Client) -> None:
    """Duty: one reader per node, for as long as the centre knows the node."""
    readers: dict[str, asyncio.Task[None]] = {}
    durable = await asyncio.to_thread(_durable)
    try:
        while True:
            wanted = set(await in_database(_nodes))
            for node in wanted - set(readers):
                readers[node] = asyncio.create_task(_follow(client, node, durable), name=f"access events of {node}")
            for node in set(readers) - wanted:
                await _end(readers.pop(node))
            await asyncio.sleep(_NODES_S)
    finally:
        for reader in readers.values():
            await _end(reader)


def _durable() -> str:
    """The reader's name at the nodes. Each centre has its own: a commune's and its province's both read everything.

    It is of the first key the centre had, so that with another one nothing is read again.
    """
    return f"audit-{own(settings.FOLDER)[0].fingerprint[:16]}"


def _nodes() -> list[str]:
    return [str(node) for node in Node.objects.values_list("id", flat=True)]


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _follow(client: Client, node: str, durable: str) -> None:
    """Reads on where the last acknowledged event was; a node that is away is asked again."""
    away = False
    while True:
        try:
            subscription = await subscribe(client, node, durable)
            if away:
                away = False
                _LOG.info("Access events of node %s are read again.", node)
            looked = -_LOOK_S
            while True:
                if time.monotonic() - looked >= _LOOK_S:
                    await gaps.look(client, node, subscription)
                    looked = time.monotonic()
                await take_batch(subscription, node, _WAIT_S)
        except _LOST as error:
            if not away:
                _LOG.info("Access events of node %s cannot be read now (%s).", node, type(error).__name__)
            away = True
        except Exception:  # noqa: BLE001  # the database's fault, or ours: the node keeps the events until they are taken
            _LOG.exception("Access events of node %s could not be taken in; they are read again", node)
        await asyncio.sleep(_AGAIN_S)


async def subscribe(client: Client, node: str, durable: str) -> JetStreamContext.PullSubscription:
    """The place in the node's stream up to which this centre has everything, kept at the node.

    Raises nats errors when the node is away.
    """
    return await client.jetstream(domain=domain(node)).pull_subscribe(
        subjects.event(node, "access"),
        durable=durable,
        stream=subjects.event_stream(node),
        config=ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=60,
            max_ack_pending=_BATCH,
        ),
    )


async def take_batch(subscription: JetStreamContext.PullSubscription, node: str, wait_s: float) -> int:
    """Stores the next events, then acknowledges them; how many there were.

    Between the two anything may end: the node sends them again, and the ids of those that are known are passed over.
    """
    try:
        messages = await subscription.fetch(_BATCH, timeout=wait_s)
    except TimeoutError:  # the client's own or, when the server ended the wait just before, the plain one
        return 0
    await in_database(store, node, [message.data for message in messages])
    for message in messages:
        await message.ack()
    await in_database(gaps.read, node, messages[-1].metadata.sequence.stream)
    return len(messages)


def store(node: str, payloads: Iterable[bytes]) -> None:
    """Takes events of a node into the log, each once, however often they come."""
    events = []
    for payload in payloads:
        try:
            events.append(AccessEvent.model_validate_json(payload))
        except ValidationError as error:
            _LOG.error("An access event of node %s cannot be read and is passed over: %s", node, error)
    if not events:
        return
    with transaction.atomic():
        entries = _Taken(node, events).entries()
        ids = [entry.id for entry in entries]
        known = set(Record.objects.filter(id__in=ids).values_list("id", flat=True))
        # Those that wait already are refused by their key.
        Pending.objects.bulk_create([one for one in entries if one.id not in known], ignore_conflicts=True)


class _Taken:
    """A batch of one node, with the people and cameras that it names looked up at once."""

    def __init__(self, node: str, events: list[AccessEvent]) -> None:
        self._node = node
        self._events = events
        self._own = {key.fingerprint for key in own(settings.FOLDER)}
        self._people = _people({event.subject for event in events if event.issuer in self._own})
        named = {camera for event in events for camera in event.cameras}
        # A node speaks for its own cameras alone, those it had before among them.
        cameras = Camera.objects.filter(id__in=named).select_related("site__unit")
        once = set(Camera.history.filter(id__in=named, node_id=node).values_list("id", flat=True))
        self._cameras = {str(one.pk): one for one in cameras if str(one.node_id) == node or one.pk in once}
        self._where = self._node_place()

    def _node_place(self) -> Where:
        node = Node.objects.select_related("unit").filter(pk=self._node).first()
        return Where() if node is None else where_is(node.unit)

    def entries(self) -> list[Pending]:
        return [
            self._entry(event, number, camera)
            for event in self._events
            for number, camera in enumerate(event.cameras or ("",))
        ]

    def _entry(self, event: AccessEvent, number: int, key: str) -> Pending:
        camera = self._cameras.get(key)
        person, name = self._person(event)
        details: dict[str, Any] = {
            "from_ns": event.start_ns,
            "to_ns": event.end_ns,
            "detail": plain_text(event.detail),
            "ticket": plain_text(event.ticket, 100),
            # A ticket that was not issued here names its bearer as its own issuer likes.
            "issuer": "" if event.issuer in self._own else plain_text(event.issuer, 100),
        }
        where = self._where if camera is None else where_is(camera.site.unit)
        return Pending(
            id=_id_of(event, number),
            at_ns=min(max(event.at_ns, 0), _LAST_NS),  # a node's clock may say anything; the log holds 64 bits
            action=_ACTIONS.get(event.action, f"node.{event.action}"),
            person=person,
            person_name=name,
            thing_type="camera" if key else "node",
            thing=key or self._node,
            thing_label="" if camera is None else plain_text(camera, 300),
            unit=where.id,
            unit_label=plain_text(where.label, 200),
            purpose=plain_text(event.purpose, 500),
            address=plain_text(event.address, 64),
            source=self._node,
            details_json=Pending.encode({name: value for name, value in details.items() if value not in ("", None)}),
        )

    def _person(self, event: AccessEvent) -> tuple[str, str]:
        subject = plain_text(event.subject, 200)
        if event.issuer not in self._own:
            return subject, subject
        return self._people.get(subject, (subject, subject))


def _id_of(event: AccessEvent, number: int) -> uuid.UUID:
    """The event's own id; of an event about several cameras each further one has an id that follows from it."""
    own = uuid.UUID(event.id)
    return own if number == 0 else uuid.uuid5(own, event.cameras[number])


def _people(told: set[str]) -> dict[str, tuple[str, str]]:
    """Subjects of our own tickets (`watch.tickets.subject_of`) to id and name of the user or screen they mean."""
    found: dict[str, tuple[str, str]] = {}
    for kind, model in (("user", User), ("screen", PairedScreen)):
        keys: dict[uuid.UUID, str] = {}
        for subject in told:
            with suppress(ValueError):
                if subject.startswith(f"{kind}:"):
                    keys[uuid.UUID(subject.partition(":")[2])] = subject
        for one in model.objects.filter(pk__in=keys):
            found[keys[one.pk]] = (str(one.pk), plain_text(one, 200))
    return found

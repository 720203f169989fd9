"""Nodes: the one of this machine is added by itself; cameras that a node has already are taken over."""

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from xomyen.bus.messages import CameraRecord, NodeHealth
from xomyen.centre.accounts.models import Appointment
from xomyen.centre.cameras.desired import drawn
from xomyen.centre.cameras.models import AcceptanceStep, Camera, Node, Standing
from xomyen.centre.cameras.services import Stale, version_of
from xomyen.centre.cameras.values import is_origin
from xomyen.centre.dates import in_force, today
from xomyen.centre.link.ask import configuration, health, local_address, local_node
from xomyen.centre.link.soon import soon
from xomyen.centre.organisation.models import Unit, UnitKind
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.roles import roles_with
from xomyen.terms.errors import NotRunning


def add_local() -> Node | None:
    """Adds the node of the centre's own folder, once there is a unit to hang it at; None when nothing was added."""
    found = local_node()
    if found is None or Node.objects.filter(pk=found).exists():
        return None
    unit = own_unit()
    if unit is None:
        return None
    try:
        address = local_address()
    except NotRunning:
        return None  # it is starting: its address is known then
    is_origin(address)
    with override("vi"):
        name = _("Recorder of %(unit)s") % {"unit": unit.full_name}
    node, _made = Node.objects.get_or_create(pk=found, defaults={"unit": unit, "name": name, "address": address})
    return node


def own_unit() -> Unit | None:
    """The unit this centre stands in: the lowest down to the commune whose recorders somebody looks after."""
    rank = Case(
        When(kind=UnitKind.COMMUNE, then=Value(0)),
        When(kind=UnitKind.GROUP, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    keepers = Appointment.objects.filter(in_force(today()), role__in=roles_with(Action.NODE_EDIT))
    at_unit = Unit.objects.filter(appointments__in=keepers)
    at_post = Unit.objects.filter(jurisdictions__post__appointments__in=keepers)
    return (at_unit | at_post).annotate(rank=rank).order_by("rank", "code").distinct().first()


@dataclass(frozen=True, slots=True)
class Found:
    """What a node says of itself when asked now; `problem` says why it does not."""

    health: NodeHealth | None = None
    strangers: tuple[CameraRecord, ...] = ()  # cameras it has and the centre does not
    away: bool = False


def look(node: Node) -> Found:
    """Asks the node for its parts and its cameras."""
    try:
        records = configuration(node.pk, lambda asked: asked.cameras(), 2.0)
        known = set(Camera.objects.filter(pk__in=[record.config.id for record in records]).values_list("pk", flat=True))
        strangers = tuple(record for record in records if uuid.UUID(record.config.id) not in known)
        return Found(_health(node), strangers)
    except NotRunning:
        return Found(away=True)


def _health(node: Node) -> NodeHealth | None:
    try:
        return health(node.pk)
    except NotRunning:
        return None  # its bus runs, its supervisor does not answer


NODE_FIELDS = ("name", "unit", "address")
"""What people change of a recorder."""


def save_node(node: Node, version: str) -> None:
    """Changes to a recorder that was read at a version (`version_of` its NODE_FIELDS). Raises Stale."""
    with transaction.atomic():
        if version_of(Node.objects.select_for_update().get(pk=node.pk), NODE_FIELDS) != version:
            raise Stale
        node.save(update_fields=NODE_FIELDS)  # the rest is written by the link


def take_over(camera: Camera, record: CameraRecord, by: object) -> None:
    """A camera that its node had before the centre knew of it: kept as it is there, with what a person added."""
    config = record.config
    camera.pk = uuid.UUID(config.id)
    camera.main_url = config.main.url
    camera.sub_url = config.sub.url if config.sub else ""
    camera.user = config.user
    camera.sealed_password = config.sealed_password
    camera.order = config.order
    camera.enabled = config.enabled
    camera.masks = drawn(config.masks)
    camera.in_force = config.model_dump(mode="json")
    camera.in_force_revision = record.revision
    camera.standing = Standing.PENDING
    camera.standing_since = timezone.now()
    with transaction.atomic():
        camera.save(force_insert=True)
        AcceptanceStep.objects.create(camera=camera, state=camera.acceptance, at=timezone.now(), by=by)
        soon.after_commit([camera.node_id])

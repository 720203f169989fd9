"""The rules of the register of cameras: what a change means, who may take which step, and what follows for nodes."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from xomyen.centre.cameras.desired import in_force, wanted
from xomyen.centre.cameras.models import Acceptance, AcceptanceStep, Camera, CameraClass, Removal, Site, Standing
from xomyen.centre.link.merge import take_all
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, may_in

NEXT: dict[Any, tuple[Any, ...]] = {
    Acceptance.PLANNED: (Acceptance.SURVEYED, Acceptance.INSTALLED, Acceptance.RETIRED),
    Acceptance.SURVEYED: (Acceptance.INSTALLED, Acceptance.PLANNED, Acceptance.RETIRED),
    Acceptance.INSTALLED: (Acceptance.ACCEPTED, Acceptance.SURVEYED, Acceptance.RETIRED),
    Acceptance.ACCEPTED: (Acceptance.SUSPENDED, Acceptance.RETIRED),
    Acceptance.SUSPENDED: (Acceptance.ACCEPTED, Acceptance.RETIRED),
    Acceptance.RETIRED: (),
}
"""Where a camera can go from each state."""


class Stale(ValidationError):
    """Somebody else saved the same thing after the one who saves now had opened it."""

    def __init__(self, text: str = "") -> None:
        general = _("Somebody else has just changed this. Nothing was saved: open the latest version and try again.")
        super().__init__(text or general, code="stale")


def steps_open_to(person: Any, camera: Camera) -> list[Acceptance]:
    """The states that the person may bring the camera to now."""
    unit = camera.site.unit_id
    accepts, edits = may_in(person, Action.CAMERA_ACCEPT, unit), may_in(person, Action.CAMERA_EDIT, unit)
    return [step for step in NEXT[camera.acceptance] if (accepts if step == Acceptance.ACCEPTED else edits)]


BEGINNINGS: tuple[Any, ...] = (Acceptance.PLANNED, Acceptance.SURVEYED, Acceptance.INSTALLED, Acceptance.ACCEPTED)
"""The states in which a camera can be entered."""


def add_camera(camera: Camera, by: Any) -> None:
    """A new camera in the state it was entered in. Raises PermissionDenied for one entered as accepted by others."""
    if camera.acceptance == Acceptance.ACCEPTED and not may_in(by, Action.CAMERA_ACCEPT, camera.site.unit_id):
        raise PermissionDenied(str(Action.CAMERA_ACCEPT))
    with transaction.atomic():
        _to_be_brought(camera)
        camera.save(force_insert=True)
        AcceptanceStep.objects.create(camera=camera, state=camera.acceptance, at=timezone.now(), by=by)
        soon.after_commit([camera.node_id])


def change_camera(camera: Camera, revision: int) -> None:
    """Saves what was changed in a camera that was read at a revision. Raises Stale when it is not the newest."""
    with transaction.atomic():
        before = Camera.objects.select_for_update().get(pk=camera.pk)
        if before.revision != revision:
            raise Stale
        camera.revision = revision + 1
        # The link may have written these since the form was filled.
        camera.in_force, camera.in_force_revision = before.in_force, before.in_force_revision
        camera.streams = before.streams
        moved = before.node_id != camera.node_id
        if moved:
            _leave(before, camera)
        _to_be_brought(camera)
        camera.save()
        soon.after_commit([camera.node_id, before.node_id if moved else None])


def change_masks(camera: Camera, masks: list[Any], before: list[Any]) -> None:
    """What is hidden of its pictures from now on. Raises Stale when it is no longer what it was `before`."""
    with transaction.atomic():
        row = Camera.objects.select_for_update().select_related("site", "camera_class").get(pk=camera.pk)
        if row.masks != before:
            raise Stale
        row.masks = masks
        row.revision += 1
        if row.standing != Standing.CHANGED:  # who draws masks does not choose between two names; the masks go anyway
            _to_be_brought(row)
        row.save()
        soon.after_commit([row.node_id])


def _leave(before: Camera, camera: Camera) -> None:
    """The camera goes to another node; the one before has to let go of it, whenever it can be reached."""
    if before.node_id is not None and before.standing != Standing.NOWHERE:
        Removal.objects.get_or_create(camera=before, node_id=before.node_id)
    if camera.node_id is not None:
        Removal.objects.filter(camera=before, node_id=camera.node_id).delete()
    camera.in_force, camera.in_force_revision, camera.streams = None, 0, {}


def _to_be_brought(camera: Camera) -> None:
    """Whether something is to be done at its node follows from what is wanted and what is known of it."""
    touches_node = camera.node_id is not None and (wanted(camera) is not None or camera.standing != Standing.NOWHERE)
    settled = camera.standing == Standing.IN_FORCE and wanted(camera) == in_force(camera)
    standing = Standing.IN_FORCE if settled else Standing.PENDING if touches_node else Standing.NOWHERE
    if standing != camera.standing or standing == Standing.PENDING:
        camera.standing, camera.standing_since = standing, timezone.now()
        camera.refused = camera.refused_field = ""


def take_step(camera: Camera, state: str, by: Any, note: str = "") -> None:
    """Brings the camera to another state. Raises PermissionDenied, Stale when it is not in a state before that."""
    if state not in Acceptance.values or Acceptance(state) not in NEXT[camera.acceptance]:
        raise Stale
    if Acceptance(state) not in steps_open_to(by, camera):
        raise PermissionDenied(str(Action.CAMERA_ACCEPT if state == "accepted" else Action.CAMERA_EDIT))
    with transaction.atomic():
        row = Camera.objects.select_for_update().select_related("site", "camera_class").get(pk=camera.pk)
        if row.acceptance != camera.acceptance:
            raise Stale
        row.acceptance = state
        row.revision += 1
        _to_be_brought(row)
        row.save()
        AcceptanceStep.objects.create(camera=row, state=state, at=timezone.now(), by=by, note=note)
        soon.after_commit([row.node_id])


def try_again(camera: Camera) -> None:
    """Brings what is wanted to the node once more: after a refusal, or although something was changed there."""
    rows = Camera.objects.filter(pk=camera.pk).exclude(standing__in=(Standing.NOWHERE, Standing.IN_FORCE))
    with transaction.atomic():
        rows.update(standing=Standing.PENDING, standing_since=timezone.now(), refused="", refused_field="")
        soon.after_commit([camera.node_id])


def take_the_nodes(camera: Camera) -> None:
    """Wants what the node has, where both sides were changed."""
    with transaction.atomic():
        row = Camera.objects.select_for_update().select_related("site", "camera_class").get(pk=camera.pk)
        theirs = in_force(row)
        if row.standing != Standing.CHANGED or theirs is None:
            raise Stale
        take_all(row, theirs)
        row.revision += 1
        _to_be_brought(row)
        row.save()
        soon.after_commit([row.node_id])


def save_site(site: Site, revision: int | None) -> None:
    """A new site (revision None), or changes to one read at a revision. Raises Stale.

    Its name stands above its cameras on their nodes, so that they are brought anew.
    """
    with transaction.atomic():
        if revision is None:
            site.save(force_insert=True)
            return
        if Site.objects.select_for_update().get(pk=site.pk).revision != revision:
            raise Stale
        site.revision = revision + 1
        site.save()
        bring_again(Camera.objects.filter(site=site))


CLASS_FIELDS = ("name", "retention_days", "past_needs_purpose")
"""What is changed of a class."""


def version_of(row: Model, fields: Iterable[str]) -> str:
    """A word that differs as soon as one of the fields does; for rows that do not count their changes."""
    values = [str(row.serializable_value(name)) for name in fields]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def sees_unmasked(person: Any, camera: Camera) -> bool:
    """Who draws masks sees what they are to hide: those who may both change the camera and watch it live."""
    return may(person, Action.VIEW_LIVE, camera) and may(person, Action.CAMERA_EDIT, camera)


def may_turn(person: Any, camera: Camera) -> bool:
    """Whether this person may turn the camera, if it turns: masks stay where they are while the street moves away."""
    if not camera.can_be_steered or not may(person, Action.PTZ, camera):
        return False
    return not camera.masks or sees_unmasked(person, camera)


def save_class(camera_class: CameraClass, version: str | None = None) -> None:
    """A class with the days that footage of its cameras is kept; the cameras follow.

    `version` is that of the class when it was read. Raises Stale when it is another by now.
    """
    with transaction.atomic():
        if version is not None:
            before = CameraClass.objects.select_for_update().get(pk=camera_class.pk)
            if version_of(before, CLASS_FIELDS) != version:
                raise Stale
        camera_class.save()
        bring_again(Camera.objects.filter(camera_class=camera_class))


def bring_again(cameras: Any) -> None:
    """Something that cameras follow was changed: their search text and their nodes are brought up to date."""
    for camera in cameras.select_related("site", "camera_class"):
        if camera.standing != Standing.CHANGED:  # a person has still to choose
            _to_be_brought(camera)
        Camera.objects.filter(pk=camera.pk).update(
            folded=camera.searched_text(),
            revision=F("revision") + 1,
            standing=camera.standing,
            standing_since=camera.standing_since,
            refused=camera.refused,
            refused_field=camera.refused_field,
        )
    nodes = cameras.exclude(node=None).values_list("node_id", flat=True).distinct()
    soon.after_commit(list(nodes))

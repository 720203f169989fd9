"""Brings a node to what is wanted of its cameras, and takes over what was changed on the node itself.

The node's own configuration is the truth in force and every write names the revision it is based on, so that two
who apply at once, or a person at the node, never overwrite each other.
"""

import logging
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from xomyen.bus.messages import CameraRecord
from xomyen.centre.cameras.desired import in_force, wanted
from xomyen.centre.cameras.models import Camera, Node, Removal, Standing
from xomyen.centre.link.ask import configuration
from xomyen.centre.link.merge import adopt, merge
from xomyen.terms.errors import Conflict, NotRunning, UnknownCamera, XomyenError

_LOG = logging.getLogger(__name__)


def bring(node_id: uuid.UUID) -> None:
    """Brings the node to what is wanted of its cameras, and what was changed there to the centre.

    Never inside a transaction. What came of it stands in the cameras' `standing` and in the node's `answers`.
    """
    try:
        records = configuration(node_id, lambda asked: asked.cameras())
        heard_of(node_id, answers=True)
        on_node = {uuid.UUID(record.config.id): record for record in records}
        _let_go(node_id, on_node)
        for pk in _to_look_at(node_id, on_node):
            try:
                _bring_one(pk, node_id, on_node.get(pk))
            except Conflict as conflict:
                # Changed between reading and writing: the next round reads it anew.
                _LOG.info("camera %s: %s", pk, conflict.message)
    except NotRunning:
        heard_of(node_id, answers=False)
        waiting = Camera.objects.filter(node_id=node_id, standing=Standing.PENDING)
        waiting.update(standing=Standing.AWAY, standing_since=timezone.now())


def heard_of(node_id: uuid.UUID, answers: bool) -> None:
    """Keeps whether the node answers, and since when."""
    Node.objects.filter(pk=node_id).exclude(answers=answers, since__isnull=False).update(
        answers=answers, since=timezone.now()
    )


def _let_go(node_id: uuid.UUID, on_node: dict[uuid.UUID, CameraRecord]) -> None:
    """Takes out the cameras that were given to another node."""
    for removal in Removal.objects.filter(node_id=node_id):
        _remove(node_id, on_node.pop(removal.camera_id, None))
        removal.delete()


def _remove(node_id: uuid.UUID, record: CameraRecord | None) -> None:
    if record is None:
        return
    try:
        configuration(node_id, lambda asked: asked.remove(record.config.id, record.revision))
    except UnknownCamera:
        _LOG.info("camera %s has left node %s already", record.config.id, node_id)


def _to_look_at(node_id: uuid.UUID, on_node: dict[uuid.UUID, CameraRecord]) -> list[uuid.UUID]:
    """The node's cameras with something to bring, or whose last known revision is not the one the node has."""
    rows = Camera.objects.filter(node_id=node_id).values_list("pk", "standing", "in_force_revision", "masks")
    return [
        pk
        for pk, standing, known, masks in rows
        if standing in (Standing.PENDING, Standing.AWAY)
        or known != (on_node[pk].revision if pk in on_node else 0)
        # Drawn before nodes took masks.
        or (standing == Standing.IN_FORCE and masks and pk in on_node and not on_node[pk].config.masks)
    ]


def _read(pk: uuid.UUID) -> Camera:
    return Camera.objects.select_related("site", "camera_class").get(pk=pk)


def _bring_one(pk: uuid.UUID, node_id: uuid.UUID, record: CameraRecord | None) -> None:
    camera = _read(pk)
    if camera.in_force_revision != (record.revision if record else 0) and camera.in_force is not None:
        if not _take_over(camera, record):
            return
        camera = _read(pk)
    if camera.node_id != node_id:
        return  # it was given to another node just now
    mine = wanted(camera)
    if mine is None:
        _remove(node_id, record)
        _note(camera, Standing.NOWHERE, in_force=None, in_force_revision=0, streams={})
        return
    if record is None or record.config != mine:
        revision = record.revision if record else 0
        try:
            record = configuration(node_id, lambda asked: asked.put(mine, revision))
        except (NotRunning, Conflict):
            raise
        except XomyenError as refusal:
            field = str(refusal.details.get("field") or "")
            _note(camera, Standing.REFUSED, refused=refusal.message[:500], refused_field=field[:60])
            return
    _note(camera, Standing.IN_FORCE, **_known(record))


def _known(record: CameraRecord) -> dict[str, Any]:
    return {"in_force": record.config.model_dump(mode="json"), "in_force_revision": record.revision}


def _note(camera: Camera, standing: Any, refused: str = "", refused_field: str = "", **known: Any) -> None:
    """Writes what came of it; a camera that was saved meanwhile has still to be brought.

    Only while the camera is on the same node: what another one has says nothing of this.
    """
    row = Camera.objects.filter(pk=camera.pk, node_id=camera.node_id)
    if known:
        row.update(**known)
    words = {"refused": refused, "refused_field": refused_field}
    same = row.filter(revision=camera.revision)
    if not same.filter(standing=standing).update(**words):
        same.update(standing=standing, standing_since=timezone.now(), **words)


def _take_over(camera: Camera, record: CameraRecord | None) -> bool:
    """What somebody did at the node becomes what is wanted; True when nothing stands against going on.

    Where the same part was changed here as well, nothing is written on either side until a person has chosen.
    """
    mine = wanted(camera)
    if mine is None:
        return True  # it is to leave the node anyway
    if record is None:
        _note(camera, Standing.CHANGED, in_force=None, in_force_revision=0, streams={})
        return False
    merged = merge(in_force(camera) or record.config, record.config, mine)
    with transaction.atomic():
        row = Camera.objects.select_for_update().get(pk=camera.pk)
        if row.revision != camera.revision:
            return False  # somebody has just saved it: the next round sees the whole
        if merged.changes:
            adopt(row, merged.changes)
            row.revision += 1
            row._change_reason = "changed on the recorder"  # how simple_history is told
            row.save()
        if merged.clashes:
            _note(row, Standing.CHANGED, refused_field=",".join(merged.clashes), **_known(record))
        else:
            Camera.objects.filter(pk=row.pk).update(**_known(record))
    return not merged.clashes

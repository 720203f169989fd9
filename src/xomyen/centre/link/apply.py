"""Brings a node to what is wanted of its cameras, and takes over what was changed on the node itself.

The node's own configuration is the truth in force and every write names the revision it is based on, so that two
who apply at once, or a person at the node, never overwrite each other.
"""

import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from xomyen.bus.messages import CameraRecord
from xomyen.centre.cameras.desired import in_force, mask_units, masks_of, wanted
from xomyen.centre.cameras.models import Camera, Node, Removal, Standing
from xomyen.centre.link.ask import configuration
from xomyen.centre.link.merge import adopt, merge
from xomyen.terms.errors import Conflict, NotRunning, UnknownCamera, XomyenError

_LOG = logging.getLogger(__name__)
_AGAIN_S = 300.0  # a refusal is asked about again after so long even if nothing seems to have changed

_Met = tuple[object, ...]
_refusals: dict[uuid.UUID, tuple[_Met, float]] = {}
"""Under which circumstances, and when, a camera was refused to this process last."""


def bring(node_id: uuid.UUID) -> None:
    """Brings the node to what is wanted of its cameras, and what was changed there to the centre.

    Never inside a transaction. What came of it stands in the cameras' `standing` and in the node's `answers`.
    """
    try:
        records = configuration(node_id, lambda asked: asked.cameras())
        heard_of(node_id, answers=True)
        on_node = {uuid.UUID(record.config.id): record for record in records}
        _let_go(node_id, on_node)
        met = _circumstances(node_id, on_node)
        for pk in _to_look_at(node_id, on_node, met):
            try:
                if _bring_one(pk, node_id, on_node.get(pk)):
                    _refusals.pop(pk, None)
                else:
                    _refusals[pk] = met, time.monotonic()
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


def _circumstances(node_id: uuid.UUID, on_node: Mapping[uuid.UUID, CameraRecord]) -> _Met:
    """What a refusal may be due to: the node's other cameras, and the program it has run since it came back last."""
    since = Node.objects.values_list("since", flat=True).filter(pk=node_id).first()
    return since, frozenset((pk, record.revision) for pk, record in on_node.items())


def _to_look_at(node_id: uuid.UUID, on_node: Mapping[uuid.UUID, CameraRecord], met: _Met) -> list[uuid.UUID]:
    """The node's cameras with something to bring, or whose last known revision is not the one the node has."""
    rows = Camera.objects.filter(node_id=node_id).values_list("pk", "standing", "in_force_revision", "masks")
    return [
        pk
        for pk, standing, known, masks in rows
        if standing in (Standing.PENDING, Standing.AWAY)
        or known != (on_node[pk].revision if pk in on_node else 0)
        # Drawn before nodes took masks, or while a person has still to choose about something else.
        or (
            standing in (Standing.IN_FORCE, Standing.CHANGED)
            and pk in on_node
            and on_node[pk].config.masks != mask_units(masks)
        )
        or (standing == Standing.REFUSED and _may_have_changed(pk, met))
    ]


def _may_have_changed(pk: uuid.UUID, met: _Met) -> bool:
    """Whether what was refused may be taken by now."""
    then, at = _refusals.get(pk, (None, 0.0))
    return then != met or time.monotonic() - at >= _AGAIN_S


def _read(pk: uuid.UUID) -> Camera:
    return Camera.objects.select_related("site", "camera_class").get(pk=pk)


def _bring_one(pk: uuid.UUID, node_id: uuid.UUID, record: CameraRecord | None) -> bool:
    """False when the node refused."""
    camera = _read(pk)
    if camera.in_force_revision != (record.revision if record else 0) and camera.in_force is not None:
        goes_on = _take_over(camera, record)
        camera = _read(pk)
    else:
        goes_on = camera.standing != Standing.CHANGED or (camera.in_force is None and record is not None)
    if camera.node_id != node_id:
        return True  # it was given to another node just now
    mine = wanted(camera)
    if mine is None:
        _remove(node_id, record)
        _note(camera, Standing.NOWHERE, in_force=None, in_force_revision=0, streams={})
        return True
    if not goes_on:
        return _bring_masks(camera, record)
    if record is None or record.config != mine:
        revision = record.revision if record else 0
        try:
            record = configuration(node_id, lambda asked: asked.put(mine, revision))
        except (NotRunning, Conflict):
            raise
        except XomyenError as refusal:
            field = str(refusal.details.get("field") or "")
            _note(camera, Standing.REFUSED, refused=refusal.message[:500], refused_field=field[:60])
            _bring_masks(camera, record)
            return False
    _note(camera, Standing.IN_FORCE, **_known(record))
    return True


def _bring_masks(camera: Camera, record: CameraRecord | None) -> bool:
    """Masks alone: what they hide must not be seen while something else is not settled. False when they are refused."""
    if record is None or record.config.masks == masks_of(camera):
        return True
    if camera.in_force is not None and camera.in_force_revision != record.revision:
        return True  # saved just now: the next round sees the whole
    masked = record.config.model_copy(update={"masks": masks_of(camera)})
    revision = record.revision
    try:
        there = configuration(camera.node_id, lambda asked: asked.put(masked, revision))
    except (NotRunning, Conflict):
        raise
    except XomyenError as refusal:
        if camera.pk not in _refusals:
            _LOG.warning("camera %s: its masks were refused: %s", camera.pk, refusal.message)
        return False
    Camera.objects.filter(pk=camera.pk, node_id=camera.node_id).update(**_known(there))
    return True


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

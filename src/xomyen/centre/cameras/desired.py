"""What a node is to have of a camera, and in what the node's configuration differs from it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from xomyen.bus.messages import MASK_UNITS, CameraConfig, Mask, StreamConfig
from xomyen.centre.cameras.models import Acceptance, Camera
from xomyen.centre.cameras.values import without_secrets

LABELS = {
    "name": gettext_lazy("Name"),
    "enabled": gettext_lazy("Records"),
    "site": gettext_lazy("Site"),
    "main": gettext_lazy("Main stream"),
    "sub": gettext_lazy("Sub-stream"),
    "user": gettext_lazy("User name"),
    "sealed_password": gettext_lazy("Password"),
    "retention_days": gettext_lazy("Days kept"),
    "order": gettext_lazy("Place on the wall"),
    "masks": gettext_lazy("Privacy masks"),
}
"""The parts of a configuration that the centre decides. The rest (volume, most bytes) stays as the node has it."""

_LONGEST_NAME = 100  # characters, on a node


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a camera's configuration, wanted otherwise than it is."""

    label: str
    wanted: str
    in_force: str


def records(camera: Camera) -> bool:
    """Whether the camera is to record: only one that was accepted does."""
    return camera.enabled and camera.acceptance == Acceptance.ACCEPTED


def in_force(camera: Camera) -> CameraConfig | None:
    """What the node said last that it has."""
    try:
        return CameraConfig.model_validate(camera.in_force) if camera.in_force else None
    except ValidationError:
        return None  # written by a newer version; it is asked for anew


def wanted(camera: Camera) -> CameraConfig | None:
    """What the camera's node is to have; None: the camera belongs on no node.

    What the centre does not decide is taken from what is in force.
    """
    if camera.node_id is None or camera.acceptance == Acceptance.RETIRED or not camera.main_url:
        return None
    known = in_force(camera)
    sub = None
    if camera.sub_url:
        sub = StreamConfig(url=camera.sub_url, record=bool(known and known.sub and known.sub.record))
    return CameraConfig(
        id=str(camera.pk),
        # Two sites may each have a "Gate": with its code a name is the node's alone, as the node wants it.
        name=str(camera)[:_LONGEST_NAME],
        enabled=records(camera),
        site=camera.site.name,
        main=StreamConfig(url=camera.main_url, record=known.main.record if known else True),
        sub=sub,
        user=camera.user,
        sealed_password=camera.sealed_password,
        retention_days=camera.camera_class.retention_days,
        retention_bytes=known.retention_bytes if known else None,
        volume=known.volume if known else None,
        order=camera.order,
        masks=masks_of(camera),
    )


def masks_of(camera: Camera) -> tuple[Mask, ...]:
    """A camera's masks as its node has them."""
    return mask_units(camera.masks)


def mask_units(masks: list[list[list[float]]]) -> tuple[Mask, ...]:
    """Masks as cameras hold them, as nodes have them."""
    return tuple(tuple((round(x * MASK_UNITS), round(y * MASK_UNITS)) for x, y in polygon) for polygon in masks)


def lacks_masks(camera: Camera) -> bool:
    """Whether masks are drawn and the node, when it told last, had others: what it does not cover would be seen."""
    known = in_force(camera)
    return bool(camera.masks) and known is not None and known.masks != masks_of(camera)


def drawn(masks: tuple[Mask, ...]) -> list[list[list[float]]]:
    """A node's masks as a camera holds them."""
    return [[[x / MASK_UNITS, y / MASK_UNITS] for x, y in polygon] for polygon in masks]


def differences(camera: Camera) -> list[Difference]:
    """In what the two differ, in words; never a password."""
    mine, theirs = wanted(camera), in_force(camera)
    if mine == theirs:
        return []
    found = []
    for part, label in LABELS.items():
        one, other = getattr(mine, part, None), getattr(theirs, part, None)
        if one != other:
            found.append(Difference(str(label), *_shown(part, one, other)))
    return found


def _shown(part: str, mine: Any, theirs: Any) -> tuple[str, str]:
    if part not in ("sealed_password", "masks"):
        return _plain(mine), _plain(theirs)
    if mine and theirs:
        both = (_("new masks"), _("earlier masks")), (_("new password"), _("earlier password"))
        return both[part == "sealed_password"]
    return (_("set") if mine else _("none")), (_("set") if theirs else _("none"))


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return without_secrets(value.url) if isinstance(value, StreamConfig) else str(value)

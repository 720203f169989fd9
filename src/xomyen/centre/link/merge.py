"""What to make of a camera that was changed on its node, while something else may be wanted of it here."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from xomyen.bus.messages import MOST_MASKS, CameraConfig
from xomyen.centre.cameras.desired import drawn
from xomyen.centre.cameras.models import Camera
from xomyen.centre.cameras.values import are_masks

_FIELDS = {"name": "name", "order": "order", "user": "user", "sealed_password": "sealed_password"}
"""Parts of a configuration and the fields of a camera that hold the same value."""
_STREAMS = {"main": "main_url", "sub": "sub_url"}


@dataclass(slots=True)
class Merged:
    """The changes of the node to take over, and the parts that were changed on both sides."""

    changes: dict[str, Any] = field(default_factory=dict)  # by field of the camera
    clashes: list[str] = field(default_factory=list)  # parts of the configuration


def values(config: CameraConfig) -> dict[str, Any]:
    """The parts that people may change on either side."""
    streams = {part: stream.url if (stream := getattr(config, part)) else "" for part in _STREAMS}
    return {**{part: getattr(config, part) for part in _FIELDS}, **streams, "enabled": config.enabled}


def merge(base: CameraConfig, theirs: CameraConfig, mine: CameraConfig) -> Merged:
    """Compares both with what was in force on either side before; a part changed on one side follows that side.

    Masks never clash: those that were added there are added here, those that were taken away there are put back.
    """
    before, there, here = values(base), values(theirs), values(mine)
    merged = Merged()
    for part, value in there.items():
        if value in (before[part], here[part]):
            continue
        if here[part] != before[part]:
            merged.clashes.append(part)
        else:
            merged.changes[field_of(part)] = value
    if added := _added(base, theirs, mine):
        merged.changes["masks"] = added
    return merged


def _added(base: CameraConfig, theirs: CameraConfig, mine: CameraConfig) -> list[Any]:
    """Masks that the node has by itself, as many as a camera can still have."""
    new = [mask for mask in theirs.masks if mask not in base.masks and mask not in mine.masks]
    return [mask for mask in drawn(tuple(new)) if _covers(mask)][: MOST_MASKS - len(mine.masks)]


def _covers(mask: list[list[float]]) -> bool:
    try:
        are_masks([mask])
    except ValidationError:
        return False
    return True


def field_of(part: str) -> str:
    """The camera's field that holds a part of its configuration."""
    return _STREAMS.get(part) or _FIELDS.get(part) or part


def adopt(camera: Camera, changes: dict[str, Any]) -> None:
    """Wants these values, by field of the camera: masks besides those it has.

    A name comes without the code that stands before it on nodes. Nobody here knows a password that was set there.
    """
    if changes.get("sealed_password", camera.sealed_password) != camera.sealed_password:
        camera.factory_password = False
    for name, value in changes.items():
        if name == "name":
            value = value.removeprefix(f"{camera.code} ")
        elif name == "masks":
            value = [*camera.masks, *value]
        setattr(camera, name, value)


def take_all(camera: Camera, theirs: CameraConfig) -> None:
    """Wants what the node has, in everything that people may change there."""
    there = {field_of(part): value for part, value in values(theirs).items()}
    if camera.acceptance != "accepted":
        del there["enabled"]  # it is off for another reason than somebody's switch
    adopt(camera, there)

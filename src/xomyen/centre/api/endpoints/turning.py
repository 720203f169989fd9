"""Turning cameras: one person at a time, whose name the others are told."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema

from xomyen.bus.device_messages import PtzCommand, PtzPresets, PtzState
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.cameras import camera_seen
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed
from xomyen.centre.audit.services import record
from xomyen.centre.cameras import services
from xomyen.centre.cameras.models import Camera
from xomyen.centre.cameras.ptz_views import NOT_NOTED, steerer
from xomyen.centre.link import devices
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

router = Router(auth=bearer(Scope.CAMERAS_TURN), tags=["devices"])


class PresetOut(Schema):
    token: str
    name: str


class HolderOut(Schema):
    """Who turns the camera, until when unless they go on."""

    name: str
    oneself: bool
    until_ns: int


class TurningOut(Schema):
    holder: HolderOut | None
    presets: list[PresetOut]


class Turning(Closed):
    """`do` is hold, release, move, stop, goto, set_preset, remove_preset, look or presets; speeds are -1 to 1."""

    command: PtzCommand


@router.get("/cameras/{camera}/turning", response=TurningOut)
def get_turning(request: HttpRequest, camera: uuid.UUID) -> Any:
    """Who turns a camera now, and its presets. Scope `cameras:turn`."""
    return _told(request, _turnable(request, camera))


@router.post("/cameras/{camera}/turning", response=TurningOut)
def turn_camera(request: HttpRequest, camera: uuid.UUID, body: Turning) -> Any:
    """Turns a camera, or keeps or forgets a preset; 409 while somebody else turns it. Scope `cameras:turn`."""
    found = _turnable(request, camera)
    devices.steer(found, steerer(request.user, found), body.command)
    if body.command.do not in NOT_NOTED:
        record("camera.ptz", request.user, found, request=request, details=body.command.model_dump(mode="json"))
    return _told(request, found)


def _turnable(request: HttpRequest, key: uuid.UUID) -> Camera:
    found = camera_seen(request, key)
    require(request.user, Action.PTZ, found)
    if not services.may_turn(request.user, found):
        raise Http404
    return found


def _told(request: HttpRequest, camera: Camera) -> dict[str, Any]:
    state: PtzState = devices.steer(camera, steerer(request.user, camera), PtzPresets())
    lock = state.lock
    holder = lock and {"name": lock.name, "oneself": lock.holder == str(request.user.pk), "until_ns": lock.until_ns}
    presets = [{"token": one.token, "name": one.name} for one in state.presets or ()]
    return {"holder": holder, "presets": presets}

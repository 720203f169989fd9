"""Steering a camera from its page: one person at a time, whose name the others see."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from pydantic import TypeAdapter
from pydantic import ValidationError as Unreadable

from xomyen.bus.device_messages import PtzCommand, PtzPresets, Steerer
from xomyen.bus.devices import PtzHeld
from xomyen.centre.audit.services import record
from xomyen.centre.cameras import services
from xomyen.centre.cameras.models import Camera
from xomyen.centre.cameras.views import seen
from xomyen.centre.cameras.words import device_trouble
from xomyen.centre.link import devices
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import turning_rank
from xomyen.terms.errors import XomyenError

NOT_NOTED = ("look", "presets", "stop", "release")
"""Commands that the audit log does without."""
_COMMAND: TypeAdapter[Any] = TypeAdapter(PtzCommand)


def steerer(person: Any, camera: Camera) -> Steerer:
    """The person as the node and the others are told of them."""
    return Steerer(id=str(person.pk), name=str(person)[:200], priority=turning_rank(person, camera))


def _command(query: QueryDict) -> Any:
    try:
        return _COMMAND.validate_python({name: value for name, value in query.items() if name != "csrfmiddlewaretoken"})
    except Unreadable as error:
        raise ValidationError(_("Not a valid camera command.")) from error


@require_http_methods(["GET", "POST"])
def steer(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """The controls; a command is one POST, answered with who steers now and the presets."""
    found = seen(request, camera, Action.PTZ)
    if not services.may_turn(request.user, found):
        raise Http404
    content: dict[str, Any] = {"camera": found, "me": str(request.user.pk)}
    who = steerer(request.user, found)
    try:
        if request.method == "POST":
            try:
                _do(request, found, who)
            except PtzHeld as held:
                content["trouble"] = device_trouble(held.code, held.message)  # by whom, the state says
        content["state"] = devices.steer(found, who, PtzPresets())
    except ValidationError as error:
        content["trouble"] = " ".join(error.messages)
    except XomyenError as error:
        content["trouble"] = device_trouble(error.code, error.message)
    return render(request, "cameras/_steer.html", content)


def _do(request: HttpRequest, camera: Camera, who: Steerer) -> None:
    command = _command(request.POST)
    devices.steer(camera, who, command)
    if command.do not in NOT_NOTED:
        record("camera.ptz", request.user, camera, request=request, details=command.model_dump(mode="json"))

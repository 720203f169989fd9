"""The page on which the parts of a camera's picture are drawn that others do not get to see."""

import json
import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xomyen.bus.device_messages import JobState
from xomyen.bus.devices import Guarded
from xomyen.centre.accounts.entry import shows_pictures
from xomyen.centre.audit.services import record
from xomyen.centre.cameras import services
from xomyen.centre.cameras.forms import MasksForm
from xomyen.centre.cameras.models import Camera
from xomyen.centre.cameras.values import MOST_CORNERS, MOST_MASKS
from xomyen.centre.cameras.views import PLACE, seen
from xomyen.centre.cameras.words import device_trouble
from xomyen.centre.link import devices
from xomyen.centre.permissions.actions import Action
from xomyen.terms.errors import XomyenError

_STILL_WIDTH = 960  # pixels
_SESSION = "masks"


@shows_pictures
@require_http_methods(["GET", "POST"])
def masks(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """Draws masks; they hold at once for all who see masked pictures alone."""
    found = seen(request, camera, Action.CAMERA_EDIT)
    kept = {"masks": found.masks, "before": found.masks}
    form = MasksForm(request.POST if request.method == "POST" else None, initial=kept)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.change_masks(found, form.cleaned_data["masks"], form.cleaned_data["before"])
        except services.Stale:
            # What was drawn stays; who saves once more has been told what that replaces.
            form = MasksForm({"masks": request.POST["masks"], "before": json.dumps(found.masks)})
            text = _(
                "Somebody else has changed the masks meanwhile and there are %(number)s now. Nothing was saved yet: "
                "below is what you drew. Saving once more replaces theirs."
            )
            form.add_error(None, text % {"number": len(found.masks)})
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("cameras:camera", camera)
    looks = found.node_id is not None and services.sees_unmasked(request.user, found)
    content = {
        "active_place": PLACE,
        "camera": found,
        "form": form,
        "most_masks": MOST_MASKS,
        "most_corners": MOST_CORNERS,
        "look": reverse("cameras:mask-look", args=[camera]) if looks else "",
    }
    return render(request, "cameras/masks.html", content, status=status)


def _shown(request: HttpRequest, camera: uuid.UUID) -> Camera:
    found = seen(request, camera, Action.CAMERA_EDIT)
    if not services.sees_unmasked(request.user, found):
        raise PermissionDenied(str(Action.VIEW_LIVE))
    return found


@shows_pictures
@require_POST
def look(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """Lets the recorder open the camera's stream for one picture as the camera sends it."""
    found = _shown(request, camera)
    if found.node is None:
        raise Http404
    main = ((found.in_force or {}).get("main") or {}).get("url") or found.main_url
    if not main:
        return JsonResponse({"trouble": _("No stream of this camera is known yet.")})
    try:
        known = devices.credentials(found.node, "", "", found)
        begun = devices.begin_probe(found.node, main, known, Guarded(), _STILL_WIDTH)
    except XomyenError as error:
        return JsonResponse({"trouble": device_trouble(error.code, error.message)})
    record("camera.unmasked", thing=found, details={"masks": len(found.masks)})
    request.session[_SESSION] = {"job": begun.job, "camera": str(camera)}
    return _told(begun)


@shows_pictures
@require_GET
def look_state(request: HttpRequest, camera: uuid.UUID, job: uuid.UUID) -> HttpResponse:
    """The picture as soon as it is there, to the one who asked for it."""
    found = _shown(request, camera)
    if found.node is None or request.session.get(_SESSION) != {"job": str(job), "camera": str(camera)}:
        raise Http404
    try:
        return _told(devices.job(found.node, job))
    except XomyenError as error:
        return JsonResponse({"trouble": device_trouble(error.code, error.message)})


def _told(state: JobState) -> JsonResponse:
    told = {"job": state.job, "phase": state.phase, "still": state.still}
    if state.fault:
        told["trouble"] = device_trouble(state.fault, state.message)
    answer = JsonResponse(told)
    answer["Cache-Control"] = "no-store"
    return answer

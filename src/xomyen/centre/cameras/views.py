"""Pages about cameras: the list, one camera, entering and changing one, its steps."""

import hashlib
import uuid
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xomyen.centre.accounts.regulations import outstanding
from xomyen.centre.cameras import lists, services
from xomyen.centre.cameras.desired import differences, records
from xomyen.centre.cameras.forms import CameraForm, named_unit
from xomyen.centre.cameras.history import changes_of
from xomyen.centre.cameras.models import Acceptance, Camera, Owner, Site, Standing
from xomyen.centre.cameras.stale import STATUS, is_stale, shown_again
from xomyen.centre.cameras.values import without_secrets
from xomyen.centre.cameras.widgets import pick
from xomyen.centre.cameras.words import clashes, refusal, stream_states
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require, visible
from xomyen.centre.watch.services import origin_of

PLACE = "cameras:list"


@require_GET
def camera_list(request: HttpRequest) -> HttpResponse:
    """All cameras one may see, site by site."""
    require(request.user, Action.CAMERA_SEE)
    asked = lists.Asked.read(request.GET)
    counts = lists.counts(request.user)
    return render(
        request,
        "cameras/list.html",
        {
            "active_place": PLACE,
            "page": lists.page_of_cameras(request.user, asked, request.GET.get("page"), counts["all"]),
            "asked": asked,
            "counts": counts,
            "factory_passwords": lists.factory_passwords(request.user),
            "unit_choice": _unit_choice(request, asked),
            "states": Acceptance.choices,
            "owners": Owner.choices,
            "standings": Standing.choices,
        },
    )


def _unit_choice(request: HttpRequest, asked: lists.Asked) -> str:
    attributes = {"id": "unit", "name": "unit", "class": "form-select"}
    rows = lists.units_with_sites(request.user)
    return pick("unit-with-sites", rows, asked.unit, attributes, named_unit, _("All"))


def seen(request: HttpRequest, camera: uuid.UUID, action: Action = Action.CAMERA_SEE) -> Camera:
    """The camera, for one who may do this to it: 404 where it may not be seen, 403 where it may only be seen."""
    rows = Camera.objects.select_related("site__unit", "camera_class", "node", "document")
    found: Camera = get_object_or_404(visible(request.user, Action.CAMERA_SEE, rows), pk=camera)
    if action != Action.CAMERA_SEE:
        require(request.user, action, found)
    return found


@require_GET
def camera_page(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """One camera: facts, what is wanted and what is in force, streams, steps, history."""
    return _page(request, seen(request, camera))


def _page(request: HttpRequest, found: Camera, status: int = 200) -> HttpResponse:
    inside = may(request.user, Action.NODE_SEE, found) or may(request.user, Action.CAMERA_EDIT, found)
    can_watch = found.in_force is not None and may(request.user, Action.VIEW_LIVE, found)
    can_steer = services.may_turn(request.user, found)
    # Who turns a camera sees what comes of it; without tickets the picture would lead away from the page.
    beside = can_watch and can_steer and not outstanding(request.user).exists()
    content = {
        **_state(request, found),
        "active_place": PLACE,
        "inside": inside,
        "can_steer": can_steer,
        "can_watch": can_watch,
        "sees_document": found.document is not None and may(request.user, Action.UNIT_SEE, found.document),
        "steps": found.steps.select_related("by").order_by("-at"),
        "open_steps": services.steps_open_to(request.user, found),
        "changes": changes_of(found) if inside else (),
        "start": beside and {"tickets": reverse("watch:tickets"), "viewer": str(request.user)},
    }
    response = render(request, "cameras/camera.html", content, status=status)
    if content["start"] and found.node is not None:
        response.node_origins = [origin_of(found.node.address, request.get_host())]
    return response


def _state(request: HttpRequest, found: Camera) -> dict[str, Any]:
    return {
        "camera": found,
        "addresses": {name: without_secrets(getattr(found, name)) for name in ("main_url", "sub_url")},
        "records": records(found),
        "mark": _mark(found),
        "differences": differences(found),
        "refusal": refusal(found),
        "clashes": clashes(found),
        "streams": stream_states(found),
        "can_edit": may(request.user, Action.CAMERA_EDIT, found),
    }


@require_GET
def camera_state(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """The part of the page that changes by itself; nothing (204) while it is as the page has it."""
    found = seen(request, camera)
    if request.GET.get("seen") == _mark(found):
        return HttpResponse(status=204)
    return render(request, "cameras/_state.html", _state(request, found))


def _mark(camera: Camera) -> str:
    """Changes whenever the state that is shown does."""
    node = camera.node
    shown = [camera.revision, camera.standing, camera.standing_since, camera.in_force_revision, camera.refused]
    shown += [camera.streams, *((node.answers, node.since) if node else ())]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


@require_http_methods(["GET", "POST"])
def add_camera(request: HttpRequest) -> HttpResponse:
    """Enters a camera by typing."""
    require(request.user, Action.CAMERA_EDIT)
    form = CameraForm(
        request.POST or None,
        instance=Camera(),
        person=request.user,
        initial=_filled_in(request),
        scanned=request.session.get("scan"),
    )
    if request.method == "POST" and form.is_valid():
        camera = form.save()
        services.add_camera(camera, request.user)
        messages.success(request, _("%(camera)s was added.") % {"camera": camera})
        _warn(request, form)
        if "another" in request.POST:
            return redirect(f"{request.path}?site={camera.site_id}")
        return redirect("cameras:camera", camera.pk)
    return render(
        request,
        "cameras/edit.html",
        {
            "active_place": PLACE,
            "form": form,
            "no_site": not visible(request.user, Action.CAMERA_EDIT, Site.objects.all()).exists(),
            "can_probe": may(request.user, Action.CAMERA_DISCOVER),
        },
    )


def _filled_in(request: HttpRequest) -> dict[str, str]:
    """What a search for cameras, or the page of a site, knows already."""
    names = ("site", "node", "main_url", "sub_url", "onvif_address", "ptz_profile", "manufacturer", "model")
    found = {name: request.GET[name] for name in (*names, "serial_number", "firmware") if request.GET.get(name)}
    scanned = request.session.get("scan") or {}
    if found.get("node") and found["node"] == scanned.get("node"):
        found["user"] = scanned.get("user", "")
    if "ptz_profile" in found:
        found["ptz"] = "on"
    return found


@require_http_methods(["GET", "POST"])
def edit_camera(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """Changes what is wanted of a camera."""
    found = seen(request, camera, Action.CAMERA_EDIT)
    form = CameraForm(request.POST or None, instance=found, person=request.user)
    if request.method == "POST" and form.is_valid():
        changed = form.save()
        try:
            services.change_camera(changed, form.cleaned_data.get("revision") or 0)
        except services.Stale:
            newest = seen(request, camera, Action.CAMERA_EDIT)
            make = partial(CameraForm, instance=newest, person=request.user)
            form = shown_again(form, make, revision=newest.revision)
        else:
            messages.success(request, _("Saved."))
            _warn(request, form)
            return redirect("cameras:camera", camera)
    content = {
        "active_place": PLACE,
        "form": form,
        "camera": found,
        "can_probe": may(request.user, Action.CAMERA_DISCOVER) and may(request.user, Action.VIEW_LIVE, found),
    }
    return render(request, "cameras/edit.html", content, status=STATUS if is_stale(form) else 200)


def _warn(request: HttpRequest, form: CameraForm) -> None:
    """It is kept all the same: recording must not wait for another password."""
    if form.factory_password:
        text = _("The password that was saved for %(camera)s is a manufacturer's default password.")
        messages.warning(request, text % {"camera": form.instance})


@require_POST
def step(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """Brings a camera to its next state."""
    found = seen(request, camera)
    note = request.POST.get("note", "").strip()
    state = request.POST.get("state", "")
    if not note and state in (Acceptance.SUSPENDED, Acceptance.RETIRED):
        messages.error(request, _("Write why: a camera is not taken out of use without a reason."))
        return redirect("cameras:camera", camera)
    return _done(request, found, lambda: services.take_step(found, state, request.user, note[:300]))


@require_POST
def try_again(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """Sends what is wanted to the recorder once more."""
    found = seen(request, camera, Action.CAMERA_EDIT)
    return _done(request, found, lambda: services.try_again(found))


@require_POST
def take_the_recorders(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """Wants what the recorder has."""
    found = seen(request, camera, Action.CAMERA_EDIT)
    return _done(request, found, lambda: services.take_the_nodes(found))


def _done(request: HttpRequest, camera: Camera, doing: Any) -> HttpResponse:
    try:
        doing()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("cameras:camera", camera.pk)

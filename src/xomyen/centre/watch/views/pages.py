"""The wall and the player."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, require
from xomyen.centre.watch import services


def _page(request: HttpRequest) -> HttpResponse:
    start = {
        "tickets": reverse("watch:tickets"),
        "cameras": reverse("watch:cameras"),
        "layouts": reverse("watch:layouts"),
        "grants": reverse("watch:grants") if getattr(request.user, "is_screen", False) else "",
        "bookmarks": reverse("watch:bookmarks") if may(request.user, Action.BOOKMARK) else "",
        "side_by_side": may(request.user, Action.VIEW_PAST),
        "add": reverse("cameras:add") if may(request.user, Action.CAMERA_EDIT) else "",
        "viewer": str(request.user),
    }
    response = render(request, "watch/watch.html", {"active_place": "watch:wall", "start": start})
    response.node_origins = services.origins_for(request.user, request.get_host())
    # A download is a form sent to the node, which wants to see from whose page it comes; of the address no more.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


@require_GET
def wall(request: HttpRequest) -> HttpResponse:
    """The live wall."""
    require(request.user, Action.VIEW_LIVE)
    return _page(request)


@require_GET
def player(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """One camera, live or at a moment of the past."""
    if not services.watched(request.user).filter(pk=camera).exists():
        raise Http404
    return _page(request)


@require_GET
def together(request: HttpRequest) -> HttpResponse:
    """Several cameras side by side at one moment of the past."""
    require(request.user, Action.VIEW_PAST)
    return _page(request)

"""Pages with pictures, and the tickets with which they get them from the nodes."""

import uuid
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch import services
from xomyen.centre.watch.tickets import Given, Use, Wish, give
from xomyen.terms.time import NS_PER_SECOND


def _page(request: HttpRequest, active: str) -> HttpResponse:
    start = {
        "tickets": reverse("watch:tickets"),
        "viewer": str(request.user),
    }
    response = render(request, "watch/watch.html", {"active_place": active, "start": start})
    response.node_origins = services.origins_for(request.user)
    return response


@require_GET
def wall(request: HttpRequest) -> HttpResponse:
    """The live wall."""
    require(request.user, Action.VIEW_LIVE)
    return _page(request, "watch:wall")


@require_GET
def player(request: HttpRequest, camera: uuid.UUID) -> HttpResponse:
    """One camera, live or at a moment of the past."""
    if not services.watched(request.user).filter(pk=camera).exists():
        raise Http404
    return _page(request, "watch:wall")


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    use: Use
    cameras: Annotated[list[uuid.UUID], Field(max_length=services.MOST_ON_A_WALL)] | None = None  # none: the wall's
    purpose: Annotated[str, Field(max_length=500)] = ""
    from_ms: Annotated[int, Field(ge=0, le=2**43)] | None = None
    to_ms: Annotated[int, Field(ge=0, le=2**43)] | None = None


@require_POST
def tickets(request: HttpRequest) -> HttpResponse:
    """Tickets for the cameras of a page, by node and limits."""
    try:
        ask = _Ask.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return JsonResponse({"code": "bad_request", "detail": first["msg"]}, status=422)
    rows = services.watched(request.user, Action.CLIP if ask.use is Use.TAKE else Action.VIEW_LIVE)
    rows = rows[: services.MOST_ON_A_WALL] if ask.cameras is None else rows.filter(pk__in=ask.cameras)
    cameras = list(rows)
    if ask.cameras is not None and not cameras:
        raise Http404
    given = give(request.user, cameras, Wish(ask.use, ask.purpose.strip(), _ns(ask.from_ms), _ns(ask.to_ms)))
    response = JsonResponse(_told(given))
    response.headers["Cache-Control"] = "no-store"
    return response


def _ns(ms: int | None) -> int | None:
    return None if ms is None else ms * (NS_PER_SECOND // 1000)


def _told(given: Given) -> dict[str, Any]:
    return {
        "tickets": [
            {
                "group": one.group,
                "node": str(one.node.pk),
                "address": services.origin_of(one.node.address),
                "ticket": one.token,
                "expires": one.expires_s,
                "cameras": one.cameras,
                "actions": one.actions,
            }
            for one in given.tickets
        ],
        "needs_purpose": given.needs_purpose,
    }

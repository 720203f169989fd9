"""The tickets with which pages get pictures from the nodes."""

import uuid
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from pydantic import BaseModel, ConfigDict, Field

from xomyen.centre.accounts.models import PairedScreen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.watch import services
from xomyen.centre.watch.ending import last_end_s
from xomyen.centre.watch.tickets import Given, Use, Wish, WishRefused, give, record_issued
from xomyen.centre.watch.views.asking import Unreadable, for_scripts, read, told
from xomyen.terms.time import NS_PER_SECOND

_NS_PER_MS = NS_PER_SECOND // 1000
_Ms = Annotated[int, Field(ge=0, le=2**43)]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    use: Use
    cameras: Annotated[list[uuid.UUID], Field(max_length=services.MOST_ON_A_WALL)] | None = None  # none: the wall's
    purpose: Annotated[str, Field(max_length=500)] = ""
    from_ms: _Ms | None = None
    to_ms: _Ms | None = None


@require_POST
@for_scripts
def tickets(request: HttpRequest) -> HttpResponse:
    """Tickets for the cameras of a page, by node and limits; those that take footage are recorded."""
    ask = read(request, _Ask)
    wish = Wish(ask.use, ask.purpose.strip(), _ns(ask.from_ms), _ns(ask.to_ms))
    try:
        wish.check(None if ask.cameras is None else len(set(ask.cameras)))
    except WishRefused as refusal:
        raise Unreadable(refusal.code, "The page asked for what no ticket is made of.") from refusal
    rows = services.watched(request.user, Action.CLIP if ask.use is Use.TAKE else Action.VIEW_LIVE)
    rows = rows[: services.MOST_ON_A_WALL] if ask.cameras is None else rows.filter(pk__in=ask.cameras)
    given = give(request.user, services.for_tickets(rows), wish)
    if ask.cameras and not given.cameras:
        raise Http404
    if ask.use is Use.TAKE:  # to look is told by the node, for each camera and stretch
        record_issued(given, wish)
    answer = document(given, request.get_host())
    if isinstance(request.user, PairedScreen):
        # What it was granted before is worth nothing any more.
        answer["ended"] = last_end_s(request.user)
    return told(answer)


def _ns(ms: int | None) -> int | None:
    return None if ms is None else ms * _NS_PER_MS


def document(given: Given, host: str) -> dict[str, Any]:
    """What a page reads of tickets or grants; `host` is what its browser calls the centre."""
    # A page names the cameras of a node that does not answer by these.
    named = {
        str(camera.pk): {"id": str(camera.pk), "name": str(camera), "site": camera.site.name, "order": camera.order}
        for camera in given.cameras
    }
    return {
        "tickets": [
            {
                "group": one.group,
                "node": str(one.node.pk),
                "address": services.origin_of(one.node.address, host),
                "ticket": one.token,
                "expires": one.expires_s,
                "cameras": one.cameras,
                "named": [named[key] for key in one.cameras],
                "actions": one.actions,
            }
            for one in given.tickets
        ],
        "needs_purpose": given.needs_purpose,
        "issued": given.issued_s,
    }

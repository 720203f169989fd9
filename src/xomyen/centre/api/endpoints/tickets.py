"""Tickets with which a program gets pictures from the recorders themselves."""

import uuid
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from xomyen.centre.accounts.regulations import outstanding
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.scopes import Scope
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch.services import for_tickets, origin_of, watched
from xomyen.centre.watch.tickets import Use, Wish, WishRefused, give, record_issued

router = Router(auth=bearer(Scope.TICKETS_ISSUE), tags=["tickets"])
_Ns = Annotated[int, Field(ge=0, lt=2**63)]
_MOST = 250


class TicketWish(Schema):
    """Which cameras, what for, and of what time. Times in ns since 1970, UTC.

    To take footage (`take`) needs exactly one camera, `from_ns` and `to_ns`, at most 24 hours apart.
    """

    model_config = ConfigDict(extra="forbid")
    cameras: Annotated[list[uuid.UUID], Field(min_length=1, max_length=_MOST)]
    use: Use = Use.LIVE
    purpose: Annotated[str, Field(max_length=500)] = ""
    from_ns: _Ns | None = None
    to_ns: _Ns | None = None


class TicketOut(Schema):
    """Send it to the recorder as `Authorization: Bearer`."""

    node: uuid.UUID
    address: str
    ticket: str
    expires: int  # seconds since 1970, UTC
    cameras: list[uuid.UUID]
    actions: list[str]


class TicketsOut(Schema):
    tickets: list[TicketOut]
    needs_purpose: list[uuid.UUID]  # the past of these is shown only to somebody who says what for


@router.post("/tickets", response={201: TicketsOut})
def issue_tickets(request: HttpRequest, body: TicketWish) -> Any:
    """Tickets for cameras that one may watch. Scope `tickets:issue`."""
    action = Action.CLIP if body.use is Use.TAKE else Action.VIEW_LIVE
    require(request.user, action)
    wish = Wish(body.use, body.purpose.strip(), body.from_ns, body.to_ns)
    try:
        wish.check(len(set(body.cameras)))
    except WishRefused as refusal:
        raise Problem(422, refusal.code) from refusal
    if outstanding(request.user).exists():
        raise Problem(403, "regulation")
    given = give(request.user, for_tickets(watched(request.user, action)).filter(pk__in=body.cameras), wish)
    if not given.cameras:
        raise Http404
    record_issued(given, wish)
    tickets = [
        {
            "node": one.node.pk,
            "address": origin_of(one.node.address, request.get_host()),
            "ticket": one.token,
            "expires": one.expires_s,
            "cameras": one.cameras,
            "actions": one.actions,
        }
        for one in given.tickets
    ]
    return Status(201, {"tickets": tickets, "needs_purpose": given.needs_purpose})

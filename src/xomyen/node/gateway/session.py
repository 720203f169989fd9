"""Signing in with a one-time code, seeing who one is, signing out."""

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xomyen.access.tickets import Ticket, ticket_for
from xomyen.node.gateway.renewal import set_session
from xomyen.node.gateway.services import services_of
from xomyen.node.gateway.tickets import address_of
from xomyen.node.gateway.visit import NO_STORE, Visit
from xomyen.terms.time import NS_PER_SECOND, format_utc


class _SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str = Field(min_length=1, max_length=100)


async def sign_in(request: Request) -> Response:
    """Redeems a one-time code: a ticket of this node in an HttpOnly cookie."""
    services = services_of(request)
    context = services.context
    services.sign_ins.take(address_of(request))
    body = _SignIn.model_validate_json(await request.body())
    grant = await services.lookups.run(context.store.redeem, body.code)
    ticket = ticket_for(
        grant,
        node=context.node,
        issuer=context.issuer,
        clock=context.clock,
        lifetime_s=context.session_lifetime_s,
        renewable_s=context.session_longest_s,
    )
    services.gate.tell(ticket, "sign_in", (), None, address_of(request))
    response = JSONResponse({"subject": ticket.subject, "expires": _expires(ticket)}, headers=NO_STORE)
    set_session(response, context, ticket)
    return response


async def show_session(visit: Visit) -> Response:
    """Who asks and what they may."""
    ticket = visit.ticket
    cameras = "*" if ticket.cameras == "*" else sorted(ticket.cameras)
    return JSONResponse(
        {
            "subject": ticket.subject,
            "expires": _expires(ticket),
            "actions": sorted(ticket.actions),
            "cameras": cameras,
            "streams": sorted(ticket.streams),
            "from": None if ticket.start_ns is None else format_utc(ticket.start_ns),
            "to": None if ticket.end_ns is None else format_utc(ticket.end_ns),
            "width": ticket.greatest_width,
            "node": ticket.node,
        },
        headers=NO_STORE,
    )


async def sign_out(visit: Visit) -> Response:
    """Revokes the ticket, wherever else it is used, and takes the cookie away."""
    context, ticket = visit.services.context, visit.ticket
    # Also those that it was renewed to.
    until_s = ticket.renewable_until_s or ticket.expires_s
    await visit.services.lookups.run(context.store.revoke, ticket.id, until_s)
    response = Response(None, 204, NO_STORE)
    response.delete_cookie(context.cookie, path="/", secure=context.secure, httponly=True, samesite="strict")
    return response


def _expires(ticket: Ticket) -> str:
    return format_utc(ticket.expires_s * NS_PER_SECOND)

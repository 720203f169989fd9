"""Tickets for a device that shows a grant and proves its key, while who granted it is out of reach (RFC 9449)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xomyen.access.device_proof import check_proof
from xomyen.access.errors import NonceWanted, TicketMissing
from xomyen.access.grants import GRANT, ticket_by
from xomyen.access.tickets import issue
from xomyen.node.gateway.problems import problem
from xomyen.node.gateway.services import services_of
from xomyen.node.gateway.tickets import address_of
from xomyen.node.gateway.visit import NO_STORE

LIFETIME_S = 600


async def ticket_by_key(request: Request) -> Response:
    """A short ticket of this node for what the grant allows. Raises Forbidden (401), TooMany."""
    services = services_of(request)
    context = services.context
    services.by_key.take(address_of(request))
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "dpop" or not token:
        raise TicketMissing
    grant = context.checker.read_as(GRANT, token)
    try:
        check_proof(
            request.headers.get("dpop", ""),
            key=grant.confirmation.jkt,
            method=request.method,
            # As the device called it: what it signed for another machine's address counts there alone.
            url=f"{'https' if context.secure else 'http'}://{request.headers.get('host', '')}{request.url.path}",
            token=token,
            nonces=services.nonces,
        )
    except NonceWanted as wanted:
        headers = {"DPoP-Nonce": services.nonces.give(), "WWW-Authenticate": f'DPoP error="{wanted.code}"', **NO_STORE}
        return problem(wanted.http_status, wanted.code, wanted.message, headers)
    ticket = ticket_by(grant, context.issuer, context.clock, LIFETIME_S)
    services.gate.tell(ticket, "issued", (), None, address_of(request), "device key")
    return JSONResponse({"ticket": issue(context.issuer, ticket), "expires": ticket.expires_s}, headers=NO_STORE)

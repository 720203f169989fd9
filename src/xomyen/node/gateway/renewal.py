"""Sessions that are used go on: the ticket in the cookie is renewed, up to a last end."""

from collections import OrderedDict

from starlette.responses import Response

from xomyen.access.tickets import Ticket, issue, renewed
from xomyen.node.gateway.context import GatewayContext
from xomyen.terms.time import NS_PER_SECOND

_REMEMBERED = 10_000
_SHARE = 7  # a session is renewed when this share of its lifetime has passed: one of seven days, each day


class Renewals:
    """Renews tickets, and remembers it for the streams that began with the ticket before."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._until_s: OrderedDict[str, int] = OrderedDict()

    def due(self, ticket: Ticket) -> bool:
        """Whether the ticket is a session's, and has been used for a while."""
        now_s = self._context.clock.wall_ns() // NS_PER_SECOND
        old = now_s - ticket.issued_s >= self._context.session_lifetime_s // _SHARE
        return old and self._renewed(ticket) is not None

    def renew(self, ticket: Ticket) -> Ticket | None:
        """The ticket to go on with, or None when this one will do."""
        following = self._renewed(ticket) if self.due(ticket) else None
        if following is not None:
            self._until_s[ticket.id] = following.expires_s
            self._until_s.move_to_end(ticket.id)
            while len(self._until_s) > _REMEMBERED:
                self._until_s.popitem(last=False)
        return following

    def newest(self, ticket: Ticket) -> Ticket:
        """The ticket with the end that it has by now."""
        until_s = self._until_s.get(ticket.id, 0)
        return ticket if until_s <= ticket.expires_s else ticket.model_copy(update={"expires_s": until_s})

    def _renewed(self, ticket: Ticket) -> Ticket | None:
        if ticket.issuer != self._context.issuer.fingerprint:
            return None
        return renewed(ticket, self._context.clock, self._context.session_lifetime_s)


def set_session(response: Response, context: GatewayContext, ticket: Ticket) -> None:
    """Puts the ticket into the session's cookie, for as long as it lasts."""
    now_s = context.clock.wall_ns() // NS_PER_SECOND
    response.set_cookie(
        context.cookie,
        issue(context.issuer, ticket),
        max_age=ticket.expires_s - now_s,
        path="/",
        secure=context.secure,
        httponly=True,
        samesite="strict",
    )

"""One request of somebody with a ticket, and what makes sure that no end-point forgets to ask the gate."""

from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from xomyen.access.tickets import Ticket
from xomyen.node.gateway.ranges import RangedBody, ranged_response
from xomyen.node.gateway.services import Services, services_of
from xomyen.node.gateway.tickets import Wish, address_of
from xomyen.terms.errors import NoFootage

NO_STORE = {"Cache-Control": "no-store"}
DELETED = "This footage was deleted a moment ago; ask again for what is left."


class Visit:
    """A request with its genuine ticket."""

    def __init__(self, request: Request, services: Services, ticket: Ticket) -> None:
        self.request = request
        self.services = services
        self.ticket = ticket
        self.allowed = False  # whether the gate was asked for a camera

    @property
    def now_ns(self) -> int:
        return self.services.context.clock.wall_ns()

    def allow(self, wish: Wish) -> None:
        """Whether the ticket covers this. Raises Forbidden, UnknownCamera."""
        self.services.gate.allow(self.ticket, wish, address_of(self.request))
        self.allowed = True

    async def send(self, body: RangedBody, media_type: str, headers: dict[str, str] | None = None) -> Response:
        """Serves a body by ranges for as long as the ticket lasts. Raises NoFootage when its file is gone."""
        asked = {**NO_STORE, **(headers or {})}
        try:
            return await ranged_response(self.request, _WhileValid(self, body), media_type, asked)
        except FileNotFoundError as error:
            raise NoFootage(DELETED) from error


class _WhileValid:
    """A body that breaks off when its ticket ends."""

    def __init__(self, visit: Visit, body: RangedBody) -> None:
        self._visit = visit
        self._body = body

    @property
    def size(self) -> int:
        return self._body.size

    @property
    def etag(self) -> str:
        return self._body.etag

    def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        return self._visit.services.gate.while_valid(self._visit.ticket, self._body.chunks(start, end))


Handler = Callable[[Visit], Awaitable[Response]]


def with_ticket(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """The end-point around a handler: nobody without a ticket gets in, no camera's data leaves unchecked."""

    async def endpoint(request: Request) -> Response:
        services = services_of(request)
        visit = Visit(request, services, services.gate.ticket(request))
        response = await handler(visit)
        if "camera" in request.path_params and not visit.allowed:
            raise RuntimeError(f"{request.url.path} answers without asking the gate")
        return response

    return endpoint

"""One request of somebody with a ticket, and what makes sure that no end-point forgets to ask the gate."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xomyen.access.errors import TicketMissing
from xomyen.access.tickets import Ticket
from xomyen.node.gateway.ranges import RangedBody, ranged_response
from xomyen.node.gateway.renewal import set_session
from xomyen.node.gateway.services import Services, services_of
from xomyen.node.gateway.tickets import Wish, address_of
from xomyen.playback.errors import Unreadable
from xomyen.playback.masks import Masks
from xomyen.recording.segment_file import SegmentFileError
from xomyen.terms.errors import NoFootage

log = structlog.get_logger(__name__)

NO_STORE = {"Cache-Control": "no-store"}
DELETED = "This footage was deleted a moment ago; ask again for what is left."


@contextmanager
def reading_footage() -> Iterator[None]:
    """Says what a file that cannot be read means to the one who asked. Raises NoFootage, Unreadable."""
    try:
        yield
    except (FileNotFoundError, SegmentFileError) as error:
        raise NoFootage(DELETED) from error
    except OSError as error:
        log.error("footage_unreadable", file=error.filename, error=error.strerror)
        raise Unreadable("The disk that holds this footage cannot be read; the node's log says why.") from error


class Visit:
    """A request with its genuine ticket."""

    def __init__(self, request: Request, services: Services, ticket: Ticket, held: ExitStack) -> None:
        """`held` is let go once the answer has been sent."""
        self.held = held
        self.request = request
        self.services = services
        self.ticket = ticket
        self.masks: dict[str, Masks] = {}  # what must be black, by camera that the gate was asked for

    @property
    def now_ns(self) -> int:
        return self.services.context.clock.wall_ns()

    def allow(self, wish: Wish) -> Masks:
        """What must be black in what the ticket covers. Raises Forbidden, UnknownCamera."""
        masks = self.services.gate.allow(self.ticket, wish, address_of(self.request))
        self.masks[wish.camera] = masks
        return masks

    def while_valid(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The chunks as long as the ticket lasts and no other masks are set."""
        return self.services.gate.while_valid(self.ticket, chunks, self.masks)

    async def send(self, body: RangedBody, media_type: str, headers: dict[str, str] | None = None) -> Response:
        """Serves a body by ranges for as long as the ticket lasts. Raises NoFootage when its file is gone."""
        asked = {**NO_STORE, **(headers or {})}
        with reading_footage():
            return await ranged_response(self.request, _WhileValid(self, body), media_type, asked)


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

    def chunks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        return self._visit.while_valid(self._body.chunks(start, end))


Handler = Callable[[Visit], Awaitable[Response]]


def _goes_on(request: Request) -> bool:
    return request.method != "DELETE"


Shown = Callable[[Request], Awaitable[str | None]]


async def in_the_header(_request: Request) -> None:
    """The ticket comes as bearer or cookie."""


async def posted_ticket(request: Request) -> str:
    """The ticket in the field `ticket` of a form. Raises TicketMissing: a cookie does not stand in for it."""
    fields = parse_qs((await request.body()).decode("ascii", "replace"))
    if "ticket" not in fields:
        raise TicketMissing
    return fields["ticket"][0]


def with_ticket(handler: Handler, shown: Shown = in_the_header) -> Callable[[Request], Awaitable[ASGIApp]]:
    """The end-point around a handler: nobody without a ticket gets in, no camera's data leaves unchecked."""

    async def endpoint(request: Request) -> ASGIApp:
        services = services_of(request)
        with ExitStack() as held:
            ticket = services.gate.ticket(request, await shown(request))
            # Only what a browser keeps can be renewed; signing out ends all that there are.
            kept = services.gate.by_cookie(request) and _goes_on(request)
            following = services.renewals.renew(ticket) if kept else None
            visit = Visit(request, services, following or ticket, held)
            response = await handler(visit)
            if following is not None:
                set_session(response, services.context, following)
            if "camera" in request.path_params and not visit.masks:
                raise RuntimeError(f"{request.url.path} answers without asking the gate")
            # What was made in line behind others shows what was black when it was asked for.
            services.gate.still_masked(visit.ticket, visit.masks)
            open_still = held.pop_all()

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            with open_still:
                await response(scope, receive, send)

        return answer

    return endpoint

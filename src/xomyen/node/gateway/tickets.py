"""Who asks and whether they may: the one place where every end-point's ticket is checked and its use told."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from xomyen.access.errors import MaskRequired, TicketMissing
from xomyen.access.tickets import MaskRule, Ticket, TicketChecker, allow
from xomyen.bus.messages import AccessEvent
from xomyen.node.gateway.access_log import AccessSink
from xomyen.node.gateway.context import session_cookie
from xomyen.node.gateway.directory import CameraDirectory
from xomyen.playback.masks import NO_MASKS, Masks
from xomyen.terms.errors import Forbidden
from xomyen.terms.ids import new_id
from xomyen.terms.time import Clock
from xomyen.terms.words import StreamName

# Streams end within 10 s of expiry or revocation (docs/api.md).
RECHECK_S = 4.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of one camera. `use` names it in the access event."""

    action: str  # live | past | clip
    use: str
    camera: str
    stream: StreamName
    from_ns: int
    to_ns: int
    width: int  # pixels of the pictures to be sent; 0: no pictures
    burns: bool = False  # whether what is sent has the masks burnt in that `allow` answers


class Gate:
    """Lets a request through or raises; tells every use, and every refusal of a genuine ticket."""

    def __init__(
        self,
        checker: TicketChecker,
        cameras: CameraDirectory,
        told: AccessSink,
        clock: Clock,
        newest: Callable[[Ticket], Ticket] = lambda ticket: ticket,
        cookie: str = session_cookie(secure=False),
    ) -> None:
        """`newest` gives a session's ticket the end that it was renewed to meanwhile; `cookie` is the session's."""
        self._newest = newest
        self._cookie = cookie
        self._checker = checker
        self._cameras = cameras
        self._told = told
        self._clock = clock

    def ticket(self, connection: HTTPConnection, token: str | None = None) -> Ticket:
        """The genuine, unexpired, unrevoked ticket that came along. Raises Forbidden (401)."""
        token = token or _bearer(connection) or connection.cookies.get(self._cookie)
        if token is None:
            raise TicketMissing
        return self._checker.read(token)

    def by_cookie(self, connection: HTTPConnection) -> bool:
        """Whether the ticket is the one of the session's cookie."""
        kept = connection.cookies.get(self._cookie)
        return kept is not None and _bearer(connection) in (None, kept)

    def masks(self, ticket: Ticket, camera: str) -> Masks:
        """What must be black, now, in this camera's pictures for who has the ticket; empty: nothing."""
        if ticket.mask is MaskRule.NONE:
            return NO_MASKS
        status = self._cameras.find(camera)
        return status.config.masks if status else NO_MASKS

    def allow(self, ticket: Ticket, wish: Wish, address: str) -> Masks:
        """Whether the ticket covers the wish and the camera exists; the use is told.

        Answers what must be burnt into the pictures; never anything unless the wish says that they are `burns`.
        Raises Forbidden (403), UnknownCamera. A ticket for other cameras learns nothing of which there are.
        """
        masks = self.masks(ticket, wish.camera)
        try:
            allow(
                ticket,
                wish.action,
                wish.camera,
                wish.stream,
                from_ns=wish.from_ns,
                to_ns=wish.to_ns,
                width=wish.width,
                masked=wish.width == 0 or (wish.burns if masks else ticket.mask is not MaskRule.REQUIRED),
            )
        except Forbidden as refusal:
            self.tell(ticket, "refused", (wish.camera,), wish, address, f"{wish.use}: {refusal.code}")
            raise
        self._cameras.get(wish.camera)
        self.tell(ticket, wish.use, (wish.camera,), wish, address, wish.stream)
        return masks

    def tell(
        self, ticket: Ticket, use: str, cameras: tuple[str, ...], wish: Wish | None, address: str, detail: str = ""
    ) -> None:
        """An access event on the bus."""
        self._told.tell(
            AccessEvent.model_validate(
                {
                    "id": new_id(self._clock),
                    "at_ns": self._clock.wall_ns(),
                    "ticket": ticket.id,
                    "issuer": ticket.granted_by or ticket.issuer,
                    "subject": ticket.subject,
                    "action": use,
                    "cameras": cameras,
                    "start_ns": wish.from_ns if wish else None,
                    "end_ns": wish.to_ns if wish else None,
                    "purpose": ticket.purpose,
                    "address": address,
                    "detail": detail,
                }
            )
        )

    def still_valid(self, ticket: Ticket) -> None:
        """Raises Forbidden once the ticket has ended. Waits for no thread: none may be free when disks hang."""
        self._checker.still_valid(self._newest(ticket))

    def still_masked(self, ticket: Ticket, seen: Mapping[str, Masks]) -> None:
        """Raises MaskRequired when other masks are to be black by now than those that were `seen`, by camera."""
        if any(self.masks(ticket, camera) != masks for camera, masks in seen.items()):
            raise MaskRequired

    async def while_valid(
        self, ticket: Ticket, chunks: AsyncGenerator[bytes, None], seen: Mapping[str, Masks]
    ) -> AsyncGenerator[bytes, None]:
        """The chunks as long as the ticket lasts, and as long as the masks are those that were `seen`, by camera.

        Then the body breaks off, which its length gives away. Raises Forbidden.
        """
        checked_s = time.monotonic()
        async with aclosing(chunks):
            async for chunk in chunks:
                self.still_masked(ticket, seen)
                if time.monotonic() - checked_s > RECHECK_S:
                    self.still_valid(ticket)
                    checked_s = time.monotonic()
                yield chunk


def _bearer(connection: HTTPConnection) -> str | None:
    """The ticket as bearer; an address never carries one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def address_of(connection: HTTPConnection) -> str:
    """The peer's address."""
    return connection.client.host if connection.client else ""

"""One WebSocket for all the live pictures of a page (docs/api.md, Live)."""

import asyncio
import json
from typing import Annotated, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from xomyen.access.errors import ActionNotAllowed
from xomyen.access.tickets import Ticket
from xomyen.bus.messages import CameraStatus, Id
from xomyen.node.gateway.live_limits import TooManyPages
from xomyen.node.gateway.live_outbox import Outbox
from xomyen.node.gateway.live_view import LiveView
from xomyen.node.gateway.services import Services, services_of
from xomyen.node.gateway.shield import same_origin
from xomyen.node.gateway.tickets import RECHECK_S, address_of
from xomyen.terms.errors import Forbidden
from xomyen.terms.time import format_utc
from xomyen.terms.words import StreamName, VideoCodec

log = structlog.get_logger(__name__)

CLOSE_TICKET_ENDED = 4401
CLOSE_WRONG_ORIGIN = 4403
CLOSE_NO_HELLO = 4408
CLOSE_TOO_SLOW = 4409
CLOSE_NOT_UNDERSTOOD = 4400
CLOSE_TOO_MANY = 4429
CLOSE_RESTART = 1012
_HELLO_S = 5.0
_TIME_S = 2.0
_SEND_S = 20.0
_MOST_VIEWS = 64
_LONGEST_MESSAGE = 32_768


class _Word(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Hello(_Word):
    type: Literal["hello"]
    ticket: str | None = None


class _Watch(_Word):
    type: Literal["watch"]
    view: Annotated[int, Field(ge=0, le=65_535)]
    camera: Id
    stream: StreamName = StreamName.MAIN
    codecs: tuple[VideoCodec, ...] = (VideoCodec.H264,)


class _Leave(_Word):
    type: Literal["leave"]
    view: Annotated[int, Field(ge=0, le=65_535)]


class _Renew(_Word):
    type: Literal["ticket"]
    ticket: str


_WORDS: TypeAdapter[_Watch | _Leave | _Renew] = TypeAdapter(
    Annotated[_Watch | _Leave | _Renew, Field(discriminator="type")]
)


class _Closed(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def live_socket(websocket: WebSocket) -> None:
    """Talks with one page until it leaves, its ticket ends, or the gateway stops."""
    services = services_of(websocket)
    try:
        with services.places.stranger(address_of(websocket)):
            await websocket.accept()
            ticket = await _greeted(websocket, services)
        if ticket is not None:
            await _talk(websocket, services, ticket)
    except TooManyPages:
        # Not accepted: nothing that it sends is read.
        await _close(websocket, CLOSE_TOO_MANY, "too many pages connect")
    except WebSocketDisconnect:
        return


async def _greeted(websocket: WebSocket, services: Services) -> Ticket | None:
    """The ticket of a page that may go on; None when it was closed."""
    try:
        if not same_origin(websocket.headers, services.context.origins):
            raise _Closed(CLOSE_WRONG_ORIGIN, "wrong origin")
        return await _hello(websocket, services)
    except _Closed as end:
        await _close(websocket, end.code, end.reason)
        return None


async def _talk(websocket: WebSocket, services: Services, ticket: Ticket) -> None:
    try:
        with services.places.page(ticket.id):
            await LivePage(websocket, services, ticket).talk()
    except TooManyPages:
        await _close(websocket, CLOSE_TOO_MANY, "too many pages watch")
    except _Closed as end:
        await _close(websocket, end.code, end.reason)


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(_HELLO_S):
            await websocket.close(code, reason)
    except (RuntimeError, TimeoutError):
        return  # the page was faster, or takes nothing any more


async def _hello(websocket: WebSocket, services: Services) -> Ticket:
    """The ticket of the first message or of the cookie. Raises _Closed."""
    try:
        async with asyncio.timeout(_HELLO_S):
            text = await websocket.receive_text()
    except KeyError:
        raise _Closed(CLOSE_NOT_UNDERSTOOD, "the first message is hello") from None  # it was binary
    except TimeoutError:
        raise _Closed(CLOSE_NO_HELLO, "no hello came") from None
    try:
        hello = _Hello.model_validate_json(text[:_LONGEST_MESSAGE])
    except ValidationError:
        raise _Closed(CLOSE_NOT_UNDERSTOOD, "the first message is hello") from None
    try:
        ticket = services.gate.ticket(websocket, hello.ticket)
        if "live" not in ticket.actions:
            raise ActionNotAllowed("live")
    except Forbidden as refusal:
        raise _Closed(CLOSE_TICKET_ENDED, refusal.code) from None
    return ticket


def _granted_by(ticket: Ticket) -> str:
    """Who says who it is, whether the node made the ticket from their grant or not."""
    return ticket.granted_by or ticket.issuer


class LivePage:
    """The conversation after the hello."""

    def __init__(self, websocket: WebSocket, services: Services, ticket: Ticket) -> None:
        self._websocket = websocket
        self._services = services
        self._ticket = ticket
        self._address = address_of(websocket)
        self._outbox = Outbox()
        self._lane = self._outbox.lane(0)  # what concerns the page, not a view
        self._views: dict[int, LiveView] = {}

    async def talk(self) -> None:
        """Until one side ends it. Raises _Closed, WebSocketDisconnect."""
        self._say({"type": "ready", "now": self._now()})
        stop_listening = self._services.context.cameras.listen(self._camera_changed)
        tasks = [
            asyncio.create_task(work)
            for work in (self._listen(), self._send(), self._keep_time(), self._guard(), self._wait_for_closing())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stop_listening()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for view in self._views.values():
                view.leave()

    def _now(self) -> str:
        return format_utc(self._services.context.clock.wall_ns())

    def _say(self, message: dict[str, object]) -> None:
        self._lane.text(json.dumps(message))

    async def _listen(self) -> None:
        while True:
            try:
                text = await self._websocket.receive_text()
            except KeyError:
                raise _Closed(CLOSE_NOT_UNDERSTOOD, "messages are text") from None
            try:
                word = _WORDS.validate_json(text[:_LONGEST_MESSAGE])
            except ValidationError:
                raise _Closed(CLOSE_NOT_UNDERSTOOD, "a message was not understood") from None
            if isinstance(word, _Renew):
                self._renew(word.ticket)
                continue
            before = self._views.pop(word.view, None)
            if before is not None:
                before.leave()
            if isinstance(word, _Watch):
                self._watch(word)

    def _watch(self, word: _Watch) -> None:
        if len(self._views) >= _MOST_VIEWS:
            raise _Closed(CLOSE_TOO_MANY, "too many views")
        view = LiveView(
            self._services,
            self._ticket,
            self._address,
            self._outbox.lane(word.view),
            word.camera,
            word.stream,
            frozenset(word.codecs),
        )
        self._views[word.view] = view
        view.watch()

    def _renew(self, token: str) -> None:
        """The page goes on with another ticket of the same person: pictures go on where it covers them."""
        try:
            ticket = self._services.gate.ticket(self._websocket, token)
            if (ticket.subject, _granted_by(ticket)) != (self._ticket.subject, _granted_by(self._ticket)):
                raise ActionNotAllowed("live")
            if "live" not in ticket.actions:
                raise ActionNotAllowed("live")
        except Forbidden as refusal:
            raise _Closed(CLOSE_TICKET_ENDED, refusal.code) from None
        self._ticket = ticket
        for view in self._views.values():
            view.renew(ticket)

    async def _send(self) -> None:
        while True:
            message = await self._outbox.next()
            try:
                # What waits for a page that takes nothing any more, asleep or gone, must not grow for ever.
                async with asyncio.timeout(_SEND_S):
                    if isinstance(message, str):
                        await self._websocket.send_text(message)
                    else:
                        await self._websocket.send_bytes(message)
            except TimeoutError:
                raise _Closed(CLOSE_TOO_SLOW, "the page takes nothing any more") from None

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(_TIME_S)
            self._lane.clear()  # a page that is slow gets the newest time alone
            self._say({"type": "time", "now": self._now()})

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            try:
                self._services.gate.still_valid(self._ticket)
                self._check_span()
            except Forbidden as refusal:
                raise _Closed(CLOSE_TICKET_ENDED, refusal.code) from None

    def _check_span(self) -> None:
        """A ticket for a stretch of time shows live pictures only while it is that time."""
        now_ns = self._services.context.clock.wall_ns()
        if self._ticket.end_ns is not None and now_ns > self._ticket.end_ns:
            raise ActionNotAllowed("live")

    async def _wait_for_closing(self) -> None:
        await self._services.closing.wait()
        raise _Closed(CLOSE_RESTART, "the node restarts")

    def _camera_changed(self, camera: str, status: CameraStatus | None) -> None:
        for view in self._views.values():
            if view.camera == camera:
                view.changed(status)

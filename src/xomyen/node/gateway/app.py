"""The application: every end-point of docs/api.md in one table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from xomyen.node.gateway import cameras, clips, device_key, health, past, playlists, session
from xomyen.node.gateway.context import GatewayContext
from xomyen.node.gateway.live_socket import live_socket
from xomyen.node.gateway.pages import Pages
from xomyen.node.gateway.problems import (
    from_http_exception,
    from_unexpected,
    from_validation_error,
)
from xomyen.node.gateway.services import services
from xomyen.node.gateway.shield import Shield
from xomyen.node.gateway.telling import from_xomyen_error
from xomyen.node.gateway.visit import Handler, posted_ticket, with_ticket
from xomyen.terms.errors import XomyenError

_CAMERA = "/api/v1/cameras/{camera}"
_STREAM = _CAMERA + "/{stream}"
_TAKEN: dict[str, Handler] = {"clip": clips.send_clip, "export": clips.send_export}

# Who has a ticket gets to these; the gate then decides by camera, stream, time and action.
_WITH_TICKET: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/api/v1/session", session.show_session),
    ("DELETE", "/api/v1/session", session.sign_out),
    ("GET", "/api/v1/cameras", cameras.list_cameras),
    ("GET", "/api/v1/changes", cameras.changes),
    ("GET", "/api/v1/timelines", past.show_timelines),
    ("GET", _CAMERA + "/timeline", past.show_timeline),
    ("GET", _CAMERA + "/still", past.send_still),
    *(("GET", f"{_CAMERA}/{name}", handler) for name, handler in _TAKEN.items()),
    ("GET", _STREAM + "/index.m3u8", playlists.show_playlist),
    ("GET", _STREAM + "/segments/{segment}.mp4", past.send_segment),
    ("GET", _STREAM + "/transcoded/{segment}/{name}", playlists.send_transcoded),
)


def routes() -> list[BaseRoute]:
    """All end-points but the web's files."""
    table: list[BaseRoute] = [
        Route("/healthz", health.show_health, methods=["GET"]),
        Route("/metrics", health.show_metrics, methods=["GET"]),
        Route("/api/v1/session", session.sign_in, methods=["POST"]),
        Route("/api/v1/session/by-key", device_key.ticket_by_key, methods=["POST"]),
        WebSocketRoute("/api/v1/live", live_socket),
    ]
    table.extend(Route(path, with_ticket(handler), methods=[method]) for method, path, handler in _WITH_TICKET)
    # The form of another origin's page, for a download that the browser itself keeps.
    table.extend(
        Route(f"{_CAMERA}/{name}", with_ticket(handler, posted_ticket), methods=["POST"])
        for name, handler in _TAKEN.items()
    )
    return table


def create_app(context: GatewayContext) -> Starlette:
    """The gateway over what the context gives; serve it with Granian."""

    closing = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with services(context, closing) as running:
            app.state.services = running
            yield

    app = Starlette(
        routes=[*routes(), Mount("/", Pages(context.static))],
        middleware=[Middleware(Shield, origins=context.origins, hsts=context.hsts, behind_proxy=context.behind_proxy)],
        exception_handlers={
            XomyenError: from_xomyen_error,
            ValidationError: from_validation_error,
            HTTPException: from_http_exception,
            Exception: from_unexpected,
        },
        lifespan=lifespan,
    )
    app.state.closing = closing
    return app

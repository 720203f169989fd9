"""Granian around the application, inside an event loop that is already running."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.applications import Starlette

from xomyen.node.tls import Tls

_POLL_S = 0.02
_MOST_CONNECTIONS = 1000  # a browser has up to 7; 25 people on 3 screens each need half of it
_GOODBYE_S = 0.2  # for closing frames to leave
_START_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens now."""

    host: str
    port: int
    scheme: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def _reserve(host: str, port: int) -> socket.socket:
    """A bound socket that never listens: holds a port the system chose until Granian shares it (SO_REUSEPORT).

    Raises OSError when the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port == 0:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError:
        held.close()
        raise
    return held


@asynccontextmanager
async def serving(
    app: Starlette, host: str, port: int, tls: Tls | None = None, ended: Callable[[], None] = lambda: None
) -> AsyncIterator[Address]:
    """Serves the application while the context lasts; port 0 takes any free one.

    `ended` is called when the server ends, also before it was asked to. Before the server stops it sets
    `app.state.closing`, so that those who watch are told and leave.

    Raises OSError when the address cannot be had.
    """
    held = _reserve(host, port)
    try:
        port = held.getsockname()[1]
        if not held.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT):
            held.close()  # a fixed port must be ours alone, so Granian binds it afresh
        server = Server(
            app,
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            log_enabled=False,
            # Guessing between HTTP/1.1 and HTTP/2 waits for ever for the first byte of an idle connection.
            http=HTTPModes.http1,
            backpressure=_MOST_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=10_000),
            ssl_cert=tls.certificate if tls else None,
            ssl_key=tls.key if tls else None,
        )
        running = asyncio.create_task(server.serve(), name="granian")
        running.add_done_callback(lambda _task: ended())
        try:
            await _until_answering(host, port, running)
            yield Address(host, port, "https" if tls else "http")
        finally:
            app.state.closing.set()
            await asyncio.sleep(_GOODBYE_S)
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait({running})
        running.result()
    finally:
        held.close()


async def _until_answering(host: str, port: int, running: asyncio.Task[None]) -> None:
    """Returns when the server takes connections. Raises what it failed with, or TimeoutError."""
    async with asyncio.timeout(_START_TIMEOUT_S):
        while not running.done():
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(_POLL_S)
                continue
            writer.close()
            return
    running.result()
    raise OSError(f"the server at {host}:{port} ended before it answered")

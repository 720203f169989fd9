"""What stands before every request: security headers, bounds on bodies and time, the origin of changes."""

import asyncio
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xomyen.node.gateway.cors import is_preflight, preflight_headers, readable_headers
from xomyen.node.gateway.problems import problem

MAX_BODY_BYTES = 64 * 1024
MAX_DRAINED_BYTES = 1024 * 1024  # of a body that is refused
BODY_TIMEOUT_S = 10.0

# Scripts and styles come from files alone. Media Source needs blob: for media, hls.js for its worker.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}


def same_origin(headers: Headers, also: Iterable[str] = ()) -> bool:
    """Whether a browser's request comes from our own pages.

    Without an Origin header it is not a browser's cross-site request (Fetch standard §3.2); the host a
    proxy was asked for must be passed on as Host.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    if origin in also:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc == headers.get("host")


def _asked_by(scope: Scope) -> Scope:
    """The request with the address that the proxy on this machine had it from: the last it wrote is its own word."""
    peer = scope.get("client")
    last = Headers(scope=scope).get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        if peer and ipaddress.ip_address(peer[0]).is_loopback:
            return {**scope, "client": (str(ipaddress.ip_address(last)), 0)}
    except ValueError:
        return scope
    return scope


class Shield:
    """ASGI middleware; pure, so that streamed bodies pass through untouched."""

    def __init__(self, app: ASGIApp, origins: Iterable[str] = (), hsts: str = "", behind_proxy: bool = False) -> None:
        """`hsts` is the policy of Strict-Transport-Security (RFC 6797); empty: none."""
        self._app = app
        self._behind_proxy = behind_proxy
        self._origins = frozenset(origins)
        self._headers = {**_HEADERS, **({"Strict-Transport-Security": hsts} if hsts else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._behind_proxy and scope["type"] in ("http", "websocket"):
            scope = _asked_by(scope)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        foreign = origin if origin in self._origins else None

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answer.setdefault(name, value)
                if self._origins:
                    answer.add_vary_header("Origin")
                if foreign is not None:
                    answer.update(readable_headers(foreign))
            await send(message)

        if foreign is not None and is_preflight(scope["method"], headers):
            await Response(None, 204, preflight_headers(foreign))(scope, receive, send_guarded)
            return
        refusal = None
        length = headers.get("content-length", "0")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not same_origin(headers, self._origins):
            refusal = problem(403, "wrong_origin", "This comes from another site's page.")
        elif not length.isdigit() or int(length) > MAX_BODY_BYTES:
            refusal = problem(413, "too_large", f"A request's body may have {MAX_BODY_BYTES} bytes.")
        if refusal is not None:
            if not await _drained(length, receive) and scope["http_version"].startswith("1"):
                # The rest of the body would be taken for the next request.
                refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send_guarded)
            return
        await self._app(scope, _Bounded(receive).receive, send_guarded)


async def _drained(length: str, receive: Receive) -> bool:
    """Whether the refused body was read to its end, so that the connection can be used again.

    A server that closes while its client still sends resets the connection, and the answer may be lost with it.
    """
    if not length.isdigit() or int(length) > MAX_DRAINED_BYTES:
        return False
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            taken = 0
            while taken <= MAX_DRAINED_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return bool(message["type"] == "http.request")
    except TimeoutError:
        pass
    return False


class _Bounded:
    """Lets a body through that is small and comes in time; else the client is gone as far as the application sees."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._taken = 0
        self._whole = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()  # waits for the disconnection
        try:
            message = await asyncio.wait_for(self._receive(), BODY_TIMEOUT_S)
        except TimeoutError:
            return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._taken > MAX_BODY_BYTES:
                return {"type": "http.disconnect"}
        return message

"""The web's files: hashed assets are kept by browsers for a year, pages are asked for each time."""

import hashlib
import mimetypes
import os
import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xomyen.node.gateway.problems import problem

# Vite names an asset NAME-HASH.EXT; a changed file has another name.
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_SECTIONS = re.compile(r"/(?:api|healthz|metrics)(?:/|$)")
_COMPRESSED = {"br": ".br", "gzip": ".gz"}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
}
_LARGEST = 16 << 20


class Pages:
    """Serves what the web build made, from memory after the first time; other addresses get the one page."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[tuple[int, int], bytes, str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await problem(404, "not_found", "There is nothing here.")(scope, receive, send)
            return
        await self._answer(Request(scope, receive))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        if request.method not in ("GET", "HEAD"):
            return problem(405, "method_not_allowed", "This can only be read.", {"Allow": "GET, HEAD"})
        if _SECTIONS.match(path):
            return problem(404, "not_found", "There is nothing at this address.")
        name = path.lstrip("/")
        if not name or not _is_plain(name) or self._read(name) is None:
            if Path(name).suffix and _is_plain(name):
                return problem(404, "not_found", "There is nothing at this address.")
            name = "index.html"  # the page finds its way by its own address
        return self._file(name, request)

    def _file(self, name: str, request: Request) -> Response:
        accepted = _encodings(request.headers)
        found, encoding = None, ""
        for candidate, suffix in _COMPRESSED.items():
            if candidate in accepted and (found := self._read(name + suffix)) is not None:
                encoding = candidate
                break
        found = found or self._read(name)
        if found is None:
            return problem(
                503, "web_missing", "The web pages were not built; `make` builds them. The interface itself works."
            )
        body, etag = found
        headers = {"ETag": etag, "Vary": "Accept-Encoding"}
        kept = _HASHED.search(name) is not None
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        if encoding:
            headers["Content-Encoding"] = encoding
        suffix = Path(name).suffix
        media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        if etag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        headers["Content-Length"] = str(len(body))
        return Response(None if request.method == "HEAD" else body, 200, headers, media_type)

    def _read(self, name: str) -> tuple[bytes, str] | None:
        path = os.path.join(self._folder, name)
        try:
            status = os.stat(path)
            version = (status.st_mtime_ns, status.st_size)
            known = self._files.get(name)
            if known is None or known[0] != version:
                if not os.path.isfile(path) or status.st_size > _LARGEST:
                    return None
                with open(path, "rb") as file:
                    body = file.read()
                known = (version, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
                self._files[name] = known
        except OSError:
            return None
        return known[1], known[2]


def _is_plain(name: str) -> bool:
    """Whether the name stays inside the folder: no empty, hidden or parent parts."""
    return "\0" not in name and "\\" not in name and all(part and part[0] != "." for part in name.split("/"))


def _encodings(headers: Headers) -> set[str]:
    words = (word.strip().partition(";") for word in headers.get("accept-encoding", "").split(","))
    return {name for name, _, quality in words if quality.replace(" ", "") not in ("q=0", "q=0.0")}

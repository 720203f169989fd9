"""Byte ranges over HTTP (RFC 9110 §13, §14): strong ETags, If-Range, 206, 304, 416, HEAD."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from xomyen.node.gateway.problems import problem
from xomyen.node.gateway.streamed import StreamedResponse

_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


class RangedBody(Protocol):
    """Bytes of known length that never change under one entity tag."""

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str:
        """Strong (RFC 9110 §8.8.3), with its quotes."""
        ...

    def chunks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes of [start, end) in pieces; whatever is open is closed when the iteration ends."""
        ...


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """The one range asked for as [start, end), or None where the header is to be ignored.

    Ignored, as RFC 9110 §14.2 allows, are other units, several ranges and nonsense.
    Raises ValueError when the range lies outside the body (416).
    """
    match = _RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = int(match[2])
        if length == 0 or size == 0:
            raise ValueError("an empty suffix")
        return max(0, size - length), size
    start = int(match[1])
    end = int(match[2]) + 1 if match[2] else size
    if end <= start and match[2]:
        return None
    if start >= size:
        raise ValueError("behind the end")
    return start, min(end, size)


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]


async def begun(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same chunks, the first made already: what fails at the start is raised here, before an answer was sent."""
    try:
        first = await anext(chunks, b"")
    except BaseException:  # also when the client left meanwhile
        await chunks.aclose()
        raise
    return _rest(first, chunks)


async def _rest(first: bytes, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        yield first
        async for chunk in chunks:
            yield chunk


async def ranged_response(request: Request, body: RangedBody, media_type: str, headers: dict[str, str]) -> Response:
    """The answer to GET or HEAD for this body, whole or in part. Raises what fails before its first byte."""
    tag = body.etag
    base = {"Accept-Ranges": "bytes", "ETag": tag, **headers}
    asked = request.headers
    if "if-match" in asked and asked["if-match"].strip() != "*" and tag not in _tags(asked["if-match"]):
        return problem(412, "changed", "What was asked for has changed since; begin again.", base)
    if "if-none-match" in asked:
        # Weak comparison (RFC 9110 §13.1.2); ours are strong, so a W/ prefix is all there is to take off.
        given = [tag.removeprefix("W/") for tag in _tags(asked["if-none-match"])]
        if tag in given or given == ["*"]:
            return Response(None, 304, base)
    start, end, status = 0, body.size, 200
    if "range" in asked and ("if-range" not in asked or asked["if-range"].strip() == tag):
        try:
            part = parse_range(asked["range"], body.size)
        except ValueError:
            unsatisfied = {**base, "Content-Range": f"bytes */{body.size}"}
            return problem(416, "range_not_satisfiable", f"The body has {body.size} bytes.", unsatisfied)
        if part is not None:
            start, end = part
            status = 206
            base["Content-Range"] = f"bytes {start}-{end - 1}/{body.size}"
    base["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(None, status, base, media_type)
    return StreamedResponse(await begun(body.chunks(start, end)), status, base, media_type)

"""Errors as `application/problem+json` (RFC 9457): one mapping from what went wrong to what a client reads."""

import json
from http import HTTPStatus
from typing import cast

import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from xomyen.terms.errors import XomyenError

log = structlog.get_logger(__name__)

_CODES = {
    400: "bad_request",
    401: "sign_in_needed",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    416: "range_not_satisfiable",
    429: "too_many_requests",
    431: "too_large",
    503: "busy",
}


class BadRequest(XomyenError):
    """A parameter or body that cannot be read; the message names it."""

    code = "bad_request"
    exit_code = 2
    http_status = 422


class TooMany(XomyenError):
    """Asked more often, or for more at once, than the node gives."""

    code = "too_many_requests"
    http_status = 429

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message, retry_after=retry_after_s)
        self.retry_after_s = retry_after_s


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: object) -> Response:
    """One problem document; `more` are extension members (RFC 9457 §3.2)."""
    document = {
        "type": f"urn:xomyen:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    return Response(
        json.dumps(document, ensure_ascii=False),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        "application/problem+json",
    )


async def from_http_exception(request: HTTPConnection, error: Exception) -> Response:
    """The framework's own refusals: unknown path, wrong method, body too large."""
    refusal = cast("HTTPException", error)
    code = _CODES.get(refusal.status_code, "error")
    return problem(refusal.status_code, code, refusal.detail, dict(refusal.headers or {}))


async def from_validation_error(request: HTTPConnection, error: Exception) -> Response:
    """A JSON body that is not what the end-point takes. Only the place and the rule are told, never the value."""
    first = cast("ValidationError", error).errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "body"
    return problem(422, "bad_request", f"{place}: {first['msg']}.")


async def from_unexpected(request: HTTPConnection, error: Exception) -> Response:
    """A fault of the product: the client learns nothing but that, the log has the rest."""
    log.error("request_broke", path=request.url.path, exc_info=error)
    return problem(500, "error", "The node failed to answer this; its log says why.")

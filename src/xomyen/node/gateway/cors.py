"""What pages of other origins may ask of this node and read of its answers (Fetch standard §3.3)."""

from collections.abc import Mapping

from starlette.datastructures import Headers

_READABLE = (
    "Content-Disposition, Content-Length, Content-Range, ETag, Retry-After, X-Xomyen-Frames, X-Xomyen-From, "
    "X-Xomyen-Note, X-Xomyen-Time, X-Xomyen-To, DPoP-Nonce"
)
_KEPT_S = 600  # how long a browser need not ask again whether it may ask


def is_preflight(method: str, headers: Headers) -> bool:
    """Whether a browser asks if a page may ask."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def preflight_headers(origin: str) -> dict[str, str]:
    """The answer to a page that may ask: with a ticket as bearer or a grant and its proof, never with cookies."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, HEAD, POST",
        "Access-Control-Allow-Headers": "Authorization, DPoP, Range",
        "Access-Control-Max-Age": str(_KEPT_S),
        "Vary": "Origin",
    }


def readable_headers(origin: str) -> Mapping[str, str]:
    """What lets the page of an allowed origin read an answer.

    There is no Access-Control-Allow-Credentials: such a page shows its ticket, the cookie of somebody who is signed
    in at the node itself is not its own.
    """
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _READABLE}

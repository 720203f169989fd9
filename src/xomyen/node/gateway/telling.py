"""What leaves the node in words: errors without the server's files and hosts, details of cameras to those in charge."""

from dataclasses import replace
from http import HTTPStatus
from typing import cast

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import Response

from xomyen.access.tickets import Grant, MaskRule, Ticket
from xomyen.node.gateway.problems import BadRequest, TooMany, problem
from xomyen.playback.clip import SeveralRuns
from xomyen.playback.errors import Busy, NotDecodable, Unreadable
from xomyen.playback.export import DamagedFootage, Export, FootageGone
from xomyen.proof.manifest import TakenRecord
from xomyen.terms.errors import (
    Forbidden,
    InvalidRange,
    InvalidTime,
    NoFootage,
    NotRunning,
    UnknownCamera,
    XomyenError,
)
from xomyen.terms.time import NS_PER_SECOND

log = structlog.get_logger(__name__)

# Their messages are made of what was asked and of ids alone. Everything else is told in fixed words.
_AS_IT_IS: tuple[type[XomyenError], ...] = (
    BadRequest,
    Busy,
    Forbidden,
    InvalidRange,
    InvalidTime,
    NoFootage,
    NotDecodable,
    SeveralRuns,
    TooMany,
    UnknownCamera,
    Unreadable,
)
_IN_OTHER_WORDS: dict[type[XomyenError], str] = {
    FootageGone: "Part of this footage is not there any more; ask again for what is left.",
    DamagedFootage: "Part of this footage is damaged; the node's log says which. Ask for the time before and after it.",
    NotRunning: "A part of the node does not answer; it is started again. Try again in a moment.",
}
_ANYTHING = "The node cannot do this now; its log says why."


def words_for(error: XomyenError) -> str:
    """The error's message as anybody may read it."""
    for kind, words in _IN_OTHER_WORDS.items():
        if isinstance(error, kind):
            return words
    return error.message if isinstance(error, _AS_IT_IS) else _ANYTHING


def facts_for(error: XomyenError) -> dict[str, object]:
    """The error's particulars that may be told, as extension members of the problem."""
    if words_for(error) != error.message:
        return {}
    told: dict[str, object] = {key: value for key, value in error.details.items() if value is not None}
    return {**told, **getattr(error, "extensions", {})}


def in_charge(grant: Grant) -> bool:
    """Whether the grant is for the whole node, without bounds: details may name a camera's host or the node's disk."""
    bounds = (grant.start_ns, grant.end_ns, grant.greatest_width)
    return grant.cameras == "*" and grant.mask is MaskRule.NONE and all(bound is None for bound in bounds)


def detail_for(grant: Grant, detail: str) -> str:
    """What is said beside a state's or a gap's reason; nothing to those whose ticket is narrow."""
    return detail if in_charge(grant) else ""


def taken_with(ticket: Ticket) -> TakenRecord:
    """Whom and what an export says that it was taken by and for: the ticket's words, and when it was issued."""
    issued_s = ticket.issued_s if ticket.granted_s is None else ticket.granted_s
    return TakenRecord(
        subject=ticket.subject,
        purpose=ticket.purpose,
        ticket=ticket.id,
        issuer=ticket.granted_by or ticket.issuer,
        issued_ns=issued_s * NS_PER_SECOND,
    )


def export_for(grant: Grant, export: Export) -> Export:
    """The export whose manifest tells of gaps what the grant's holder may read."""
    return replace(export, gaps=tuple(replace(gap, detail=detail_for(grant, gap.detail)) for gap in export.gaps))


async def from_xomyen_error(request: HTTPConnection, error: Exception) -> Response:
    """Every error of the product carries its own status and code; what else is told is narrowed here."""
    refusal = cast("XomyenError", error)  # registered for this class alone
    headers = {}
    if isinstance(refusal, (TooMany, Busy, Unreadable)):
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.http_status >= 500 or words_for(refusal) != refusal.message:
        log.warning("request_failed", path=request.url.path, code=refusal.code, detail=refusal.message)
    return problem(refusal.http_status, refusal.code, words_for(refusal), headers, **facts_for(refusal))

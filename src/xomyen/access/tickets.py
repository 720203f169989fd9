"""Tickets: signed permissions that a node checks alone (JWT of RFC 7519, EdDSA of RFC 8037)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, Protocol, Self, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xomyen.access.errors import (
    ActionNotAllowed,
    CameraNotAllowed,
    IssuerUnknown,
    MaskRequired,
    SpanNotAllowed,
    StreamNotAllowed,
    TicketExpired,
    TicketForged,
    TicketForOtherNode,
    TicketMalformed,
    TicketNotYetValid,
    TicketRevoked,
    WidthNotAllowed,
)
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import StreamName

_ALGORITHM = "EdDSA"
# Only the signature is left to the library: times are checked against the node's own clock.
SIGNATURE_ALONE: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_jti": False,
}
LARGEST_TOKEN = 16_384  # characters; a browser's cookie holds 4,096, room for about 60 named cameras
LONGEST_LIFE_S = 366 * 86_400

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
_KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Ns = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)]
_Seconds = Annotated[int, Field(ge=0, le=2**40, strict=True)]


class Action(StrEnum):
    """What a ticket can allow. Seeing who one is and signing out needs none."""

    LIVE = "live"
    PAST = "past"  # stills of any time among it
    CLIP = "clip"
    STILL = "still"  # of what is seen live, without the past; a node of before this refuses a ticket that names it


class MaskRule(StrEnum):
    """Whether private zones may be seen."""

    NONE = "none"  # pictures as the camera gives them
    MASKED = "masked"  # the node blackens the zones that the camera has; a camera without any is seen as it is
    REQUIRED = "required"  # the same, and nothing is seen while the node knows of no zones of the camera


class Grant(BaseModel):
    """What somebody may do: a ticket without its signature's particulars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    cameras: Literal["*"] | Annotated[tuple[_Id, ...], Field(max_length=5000)] = "*"
    streams: Annotated[tuple[StreamName, ...], Field(min_length=1)] = (StreamName.MAIN, StreamName.SUB)
    actions: tuple[Action, ...] = ()
    start_ns: _Ns | None = None  # footage before is not theirs; None: no bound
    end_ns: _Ns | None = None  # nor footage from here on
    greatest_width: Annotated[int, Field(ge=16, le=65_535, strict=True)] | None = None  # pixels
    mask: MaskRule = MaskRule.NONE
    purpose: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _span_runs_forward(self) -> Self:
        if self.start_ns is not None and self.end_ns is not None and self.start_ns >= self.end_ns:
            raise ValueError("the span's start lies after its end")
        return self

    def may_see(self, camera: str) -> bool:
        """Whether the camera is one of the ticket's."""
        return self.cameras == "*" or camera in self.cameras


class Ticket(Grant):
    """A checked ticket, or one about to be signed. Times are whole seconds since the Unix epoch."""

    id: _Id
    issuer: _KeyId  # fingerprint of the issuer's key
    node: _Id
    issued_s: _Seconds
    not_before_s: _Seconds
    expires_s: _Seconds
    renewable_until_s: _Seconds | None = None  # a session in use is renewed up to then; None: never
    # Made by the node from a grant (see `grants`): when that was issued, and by whom.
    granted_s: _Seconds | None = None
    granted_by: _KeyId | None = None

    @model_validator(mode="after")
    def _life_is_bounded(self) -> Self:
        if not self.not_before_s < self.expires_s <= self.not_before_s + LONGEST_LIFE_S:
            raise ValueError("the ticket's life is empty or longer than a year")
        return self


class IssuerKey(Protocol):
    """A private key that signs tickets; `xomyen.proof.keys.SigningKey` is one."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def ed25519(self) -> Ed25519PrivateKey: ...


class IssuerPublicKey(Protocol):
    """A public key whose tickets are accepted; `xomyen.proof.keys.PublicKey` is one."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def ed25519(self) -> Ed25519PublicKey: ...


class RevokedTickets(Protocol):
    """Where it is looked up what counts no longer; `xomyen.access.store.AccessStore` is one."""

    def is_revoked(self, ticket_id: str) -> bool:
        """Whether this one ticket was revoked."""

    def is_ended(self, subject: str, issued_s: int) -> bool:
        """Whether the access of the subject was ended in that second or later."""


_CLAIMS = {
    "iss": "issuer",
    "aud": "node",
    "sub": "subject",
    "jti": "id",
    "iat": "issued_s",
    "nbf": "not_before_s",
    "exp": "expires_s",
    "renew": "renewable_until_s",
    "granted": "granted_s",
    "granted_by": "granted_by",
    "cameras": "cameras",
    "streams": "streams",
    "actions": "actions",
    "from_ns": "start_ns",
    "to_ns": "end_ns",
    "width": "greatest_width",
    "mask": "mask",
    "purpose": "purpose",
}

Signed = TypeVar("Signed", bound=Ticket)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Signed]):
    """One kind of token: no other JWT signed with the same key passes for it (RFC 8725 §3.11)."""

    name: str  # `typ` in the header
    claims: Mapping[str, str]  # to fields of the model; others are not understood
    model: type[Signed]


TICKET = Kind("xomyen-ticket+jwt", _CLAIMS, Ticket)


def ticket_for(
    grant: Grant, *, node: str, issuer: IssuerKey, clock: Clock, lifetime_s: int, renewable_s: int | None = None
) -> Ticket:
    """A ticket, not signed yet, that allows what is granted from now on for `lifetime_s` seconds.

    `renewable_s`: `renewed` may make it last longer, but not longer than this from now on.
    """
    now_s = clock.wall_ns() // NS_PER_SECOND
    return Ticket(
        **{name: getattr(grant, name) for name in Grant.model_fields},
        id=new_id(clock),
        issuer=issuer.fingerprint,
        node=node,
        issued_s=now_s,
        not_before_s=now_s,
        expires_s=now_s + lifetime_s,
        renewable_until_s=None if renewable_s is None else now_s + renewable_s,
    )


def renewed(ticket: Ticket, clock: Clock, lifetime_s: int) -> Ticket | None:
    """The same ticket, with its id, lasting `lifetime_s` from now on; None where it does not get longer by that."""
    now_s = clock.wall_ns() // NS_PER_SECOND
    expires_s = min(now_s + lifetime_s, ticket.renewable_until_s or 0)
    if expires_s <= ticket.expires_s:
        return None
    return ticket.model_copy(update={"issued_s": now_s, "expires_s": expires_s})


def issue(key: IssuerKey, ticket: Ticket) -> str:
    """Signs the ticket. Raises ValueError when it names another issuer."""
    return sign(key, ticket, TICKET)


def sign(key: IssuerKey, token: Signed, kind: Kind[Signed]) -> str:
    """Signs a token of its kind. Raises ValueError when it names another issuer."""
    if token.issuer != key.fingerprint:
        raise ValueError("the ticket names another issuer")
    values = token.model_dump(mode="json")
    claims = {claim: values[name] for claim, name in kind.claims.items() if values[name] is not None}
    header = {"typ": kind.name, "kid": key.fingerprint}
    return jwt.encode(claims, key.ed25519, algorithm=_ALGORITHM, headers=header)


class TicketChecker:
    """Checks tickets for one node, without asking anybody."""

    def __init__(self, node: str, issuers: Iterable[IssuerPublicKey], clock: Clock, revoked: RevokedTickets) -> None:
        self._node = node
        self._issuers = {issuer.fingerprint: issuer.ed25519 for issuer in issuers}
        self._clock = clock
        self._revoked = revoked

    def read(self, token: str) -> Ticket:
        """The ticket, when it is genuine, for this node, in force and not revoked.

        Raises a Forbidden of `xomyen.access.errors` that says which of these it is not.
        """
        return self.read_as(TICKET, token)

    def read_as(self, kind: Kind[Signed], token: str) -> Signed:
        """The token of this kind; as `read` otherwise."""
        found = self._decode(kind, token)
        self.still_valid(found)
        return found

    def still_valid(self, ticket: Ticket) -> None:
        """Checks time and revocation again, as long-lived streams do. Raises Forbidden."""
        now_ns = self._clock.wall_ns()
        if now_ns < ticket.not_before_s * NS_PER_SECOND:
            raise TicketNotYetValid
        if now_ns >= ticket.expires_s * NS_PER_SECOND:
            raise TicketExpired
        # Ends bear the time of who issues, and so does a grant: a node's own clock says nothing beside it.
        issued_s = ticket.issued_s if ticket.granted_s is None else ticket.granted_s
        if self._revoked.is_revoked(ticket.id) or self._revoked.is_ended(ticket.subject, issued_s):
            raise TicketRevoked

    def check(
        self,
        token: str,
        action: Action | str,
        camera: str,
        stream: StreamName | str = StreamName.MAIN,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        width: int | None = None,
        masked: bool = False,
    ) -> Ticket:
        """The ticket, when it is valid and allows all of this; raises Forbidden. See `allow`."""
        ticket = self.read(token)
        allow(ticket, action, camera, stream, from_ns=from_ns, to_ns=to_ns, width=width, masked=masked)
        return ticket

    def _decode(self, kind: Kind[Signed], token: str) -> Signed:
        if not token or len(token) > LARGEST_TOKEN or not token.isascii():
            raise TicketMalformed
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TicketMalformed from error
        if set(header) != {"typ", "alg", "kid"} or header["typ"] != kind.name or header["alg"] != _ALGORITHM:
            raise TicketMalformed
        key = self._issuers.get(header["kid"])
        if key is None:
            raise IssuerUnknown
        try:
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options=SIGNATURE_ALONE)
        except jwt.InvalidSignatureError as error:
            raise TicketForged from error
        except jwt.InvalidTokenError as error:
            raise TicketMalformed from error
        return self._ticket(kind, claims, header["kid"])

    def _ticket(self, kind: Kind[Signed], claims: dict[str, Any], issuer: str) -> Signed:
        if not set(claims) <= set(kind.claims):
            raise TicketMalformed  # a claim that is not understood may have been meant to narrow the ticket
        try:
            ticket = kind.model.model_validate({kind.claims[claim]: value for claim, value in claims.items()})
        except ValidationError as error:
            raise TicketMalformed from error
        if ticket.issuer != issuer:
            raise TicketForged
        if ticket.node != self._node:
            raise TicketForOtherNode
        return ticket


def allow(
    grant: Grant,
    action: Action | str,
    camera: str,
    stream: StreamName | str = StreamName.MAIN,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    width: int | None = None,
    masked: bool = False,
) -> None:
    """Raises Forbidden unless the grant covers all that is asked.

    `from_ns` and `to_ns` bound the footage asked for; for live pictures both are now. A missing bound
    means footage without end in that direction. `width` is that of the pictures to be sent, in pixels;
    without it a grant with a greatest width refuses. `masked` says that their private zones are blackened.
    """
    if action not in grant.actions:
        raise ActionNotAllowed(str(action))
    if not grant.may_see(camera):
        raise CameraNotAllowed
    if stream not in grant.streams:
        raise StreamNotAllowed(str(stream))
    if grant.start_ns is not None and (from_ns is None or from_ns < grant.start_ns):
        raise SpanNotAllowed
    if grant.end_ns is not None and (to_ns is None or to_ns > grant.end_ns):
        raise SpanNotAllowed
    if grant.greatest_width is not None and (width is None or width > grant.greatest_width):
        raise WidthNotAllowed(width or 0, grant.greatest_width)
    if grant.mask is not MaskRule.NONE and not masked:
        raise MaskRequired

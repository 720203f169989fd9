"""Grants: with one, a device that holds a key gets short tickets from the node while the issuer is out of reach.

A grant is signed as tickets are, has their claims, and names the device's key by its thumbprint: a confirmation claim
(RFC 7800 §3.1) with the member `jkt` (RFC 9449 §6.1). It is no ticket: it opens nothing without a proof of that key
(see `device_proof`), so it may last for days where a ticket lasts for minutes.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from xomyen.access.tickets import TICKET, IssuerKey, Kind, Ticket, sign
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock

Thumbprint = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Confirmation(BaseModel):
    """By what the holder is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    jkt: Thumbprint


class DeviceGrant(Ticket):
    """What a device with the key may be given tickets for."""

    confirmation: Confirmation


GRANT: Kind[DeviceGrant] = Kind("xomyen-grant+jwt", {**TICKET.claims, "cnf": "confirmation"}, DeviceGrant)


def grant_of(ticket: Ticket, key: str) -> DeviceGrant:
    """What the ticket allows, for as long, to the device with this key alone."""
    values = {name: getattr(ticket, name) for name in Ticket.model_fields}
    return DeviceGrant(**values, confirmation=Confirmation(jkt=key))


def issue_grant(key: IssuerKey, grant: DeviceGrant) -> str:
    """Signs the grant. Raises ValueError when it names another issuer."""
    return sign(key, grant, GRANT)


def ticket_by(grant: DeviceGrant, issuer: IssuerKey, clock: Clock, lifetime_s: int) -> Ticket:
    """A ticket of the node's own that allows what the grant does and lasts no longer."""
    now_s = clock.wall_ns() // NS_PER_SECOND
    values = {name: getattr(grant, name) for name in Ticket.model_fields}
    made = {
        "id": new_id(clock),
        "issuer": issuer.fingerprint,
        "issued_s": now_s,
        "not_before_s": now_s,
        "expires_s": min(now_s + lifetime_s, grant.expires_s),
        "granted_s": grant.issued_s,
        "granted_by": grant.issuer,
    }
    return Ticket(**{**values, **made})

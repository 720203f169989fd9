"""Proofs that a device holds its key: DPoP (RFC 9449), ES256, each with a number that the node has just given.

The number (nonce, RFC 9449 §8) stands in for the device's clock, which on televisions is often wrong, and counts once.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import jwt

from xomyen.access.errors import NonceWanted, ProofInvalid
from xomyen.access.tickets import SIGNATURE_ALONE
from xomyen.terms.time import NS_PER_SECOND, Clock

_TYPE = "dpop+jwt"
_ALGORITHM = "ES256"
_LONGEST = 2048  # characters
_NONCE_LASTS_NS = 60 * NS_PER_SECOND
_REMEMBERED = 10_000
_STAMP, _TAG = 16, 16  # bytes
_COORDINATE = 32  # bytes


def thumbprint(key: Mapping[str, Any]) -> str:
    """The SHA-256 of a public key on the curve P-256 (JWK), as RFC 7638 computes it. Raises ProofInvalid."""
    x, y = _coordinate(key.get("x")), _coordinate(key.get("y"))
    if key.get("kty") != "EC" or key.get("crv") != "P-256" or "d" in key:
        raise ProofInvalid
    # The required members alone, by name, without blanks (RFC 7638 §3).
    text = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"))
    return _base64url(hashlib.sha256(text.encode("ascii")).digest())


def _coordinate(value: object) -> str:
    try:
        if isinstance(value, str) and len(base64.urlsafe_b64decode(value + "=")) == _COORDINATE:
            return value
    except ValueError:
        raise ProofInvalid from None
    raise ProofInvalid


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class Nonces:
    """Numbers that count once, for a minute. Only those that came back under a right signature are remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._used: OrderedDict[bytes, None] = OrderedDict()

    def give(self) -> str:
        """A new one."""
        stamp = self._clock.monotonic_ns().to_bytes(8, "big") + secrets.token_bytes(_STAMP - 8)
        return _base64url(stamp + self._tag(stamp))

    def take(self, nonce: str) -> None:
        """Uses it up. Raises NonceWanted when it is not ours, too old, or was used."""
        try:
            data = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
        except ValueError:
            raise NonceWanted from None
        stamp, tag = data[:_STAMP], data[_STAMP:]
        if not hmac.compare_digest(tag, self._tag(stamp)) or stamp in self._used:
            raise NonceWanted
        if self._clock.monotonic_ns() - int.from_bytes(stamp[:8], "big") > _NONCE_LASTS_NS:
            raise NonceWanted
        self._used[stamp] = None
        while len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)

    def _tag(self, stamp: bytes) -> bytes:
        return hmac.digest(self._secret, stamp, "sha256")[:_TAG]


def check_proof(proof: str, *, key: str, method: str, url: str, token: str, nonces: Nonces) -> None:
    """Whether the holder of the key made this proof just now, for this request and this token (RFC 9449 §4.3).

    `key` is its thumbprint, `url` without query. Raises ProofInvalid, NonceWanted.
    """
    if len(proof) > _LONGEST or not proof.isascii():
        raise ProofInvalid
    try:
        header = jwt.get_unverified_header(proof)
        public = header.get("jwk")
        if header.get("typ") != _TYPE or header.get("alg") != _ALGORITHM or not isinstance(public, dict):
            raise ProofInvalid
        if not hmac.compare_digest(thumbprint(public), key):
            raise ProofInvalid
        opened = jwt.PyJWK({name: public[name] for name in ("kty", "crv", "x", "y")}, algorithm=_ALGORITHM)
        # Times are the device's own: the number says when it was made.
        claims = jwt.decode(proof, opened, algorithms=[_ALGORITHM], options=SIGNATURE_ALONE)
    except (jwt.PyJWTError, ValueError) as error:  # the latter: a point that is not on the curve
        raise ProofInvalid from error
    said = (claims.get("htm"), claims.get("htu"), claims.get("ath"))
    if said != (method, url, _base64url(hashlib.sha256(token.encode("ascii")).digest())):
        raise ProofInvalid
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce.isascii():
        raise NonceWanted
    nonces.take(nonce)

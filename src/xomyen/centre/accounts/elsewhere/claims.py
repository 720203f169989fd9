"""What an ID token says, once it is known to be the provider's, for us, and the answer to our own question."""

import hmac
from typing import Any

import jwt

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key pair alone: whoever knows the client's secret makes no identities."""
_NEEDED = ("iss", "sub", "aud", "exp", "iat", "nonce")
_CLOCKS_DIFFER_S = 60


class WrongIdentity(Exception):
    """The ID token proves nobody."""


def claims_of(token: Any, keys: Any, issuer: str, client: str, nonce: str | None) -> dict[str, Any]:
    """The claims of an ID token, checked as OpenID Connect Core 3.1.3.7 says. Raises WrongIdentity.

    `keys` is the provider's key set (JWKS) as it came; `nonce` what the sign-in that this answers sent along.
    """
    if not isinstance(token, str):
        raise WrongIdentity("The provider sent no ID token.")
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(keys, header),
            algorithms=_ALGORITHMS,
            audience=client,
            issuer=issuer,
            leeway=_CLOCKS_DIFFER_S,
            options={"require": list(_NEEDED)},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:  # a key of another kind than the token says
        raise WrongIdentity(f"The ID token does not count: {error}.") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    # Made for others too, it must say that we asked for it; what it says of that must be so in any case.
    if claims.get("azp", None if several else client) != client:
        raise WrongIdentity("The ID token was made for somebody else too, and not asked for by us.")
    if not nonce or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise WrongIdentity("The ID token answers another sign-in.")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise WrongIdentity("The ID token names nobody.")
    return claims


def _key(keys: Any, header: dict[str, Any]) -> Any:
    """The key that the token names; where it names none, the only one there is."""
    if not isinstance(keys, dict):
        raise jwt.InvalidKeyError("the provider's keys are no key set")
    usable = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
    named = [key for key in usable if key.key_id == header["kid"]] if "kid" in header else usable
    if len(named) != 1 or named[0].key_type == "oct":
        raise jwt.InvalidKeyError("the provider's keys have none that it was signed with")
    return named[0].key

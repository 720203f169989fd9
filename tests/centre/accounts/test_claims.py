"""Which ID tokens count, from keys and tokens made here."""

import datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from xomyen.centre.accounts.elsewhere.claims import WrongIdentity, claims_of

ISSUER, CLIENT, NONCE = "https://id.example.vn", "xomyen", "n-0S6_WzA2Mj"
HOUR = datetime.timedelta(hours=1)
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, name: str | None = "k1", kind: str = "RS256") -> dict[str, Any]:
    """The key as a provider shows it; Microsoft's, for one, say no algorithm."""
    made: dict[str, Any] = jwt.get_algorithm_by_name(kind).to_jwk(key.public_key(), as_dict=True)
    return {**made, "use": "sig", **({"kid": name} if name else {})}


KEYS = {"keys": [public(KEY), public(CURVE, "k2", "ES256")]}


def token(key: Any = KEY, kind: str = "RS256", name: str | None = "k1", **changed: Any) -> str:
    """A token that counts, but for what is changed; None leaves a claim out."""
    now = datetime.datetime.now(datetime.UTC)
    claims = {"iss": ISSUER, "sub": "17", "aud": CLIENT, "iat": now, "exp": now + HOUR, "nonce": NONCE, **changed}
    kept = {claim: value for claim, value in claims.items() if value is not None}
    return jwt.encode(kept, key, kind, headers={"kid": name} if name else {})


def test_what_the_provider_signed_for_this_sign_in_counts() -> None:
    for good in (
        token(), token(CURVE, "ES256", "k2"), token(aud=[CLIENT]), token(azp=CLIENT),
        token(aud=[CLIENT, "another"], azp=CLIENT),
    ):  # fmt: skip
        assert claims_of(good, KEYS, ISSUER, CLIENT, NONCE)["sub"] == "17"
    alone = {"keys": [public(KEY, None)]}
    assert claims_of(token(name=None), alone, ISSUER, CLIENT, NONCE)["sub"] == "17"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://id.example.com"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"exp": datetime.datetime.now(datetime.UTC) - HOUR},
        {"iat": datetime.datetime.now(datetime.UTC) + 24 * HOUR},  # from when the tests were collected
        {"nonce": "of another sign-in"},
        {"sub": ""},
        *({claim: None} for claim in ("iss", "aud", "exp", "iat", "nonce", "sub")),
        {"key": OTHER},
        {"name": "k2"},
        {"name": "k3"},
        {"name": None},
        {"key": "the client's secret, known to many a machine", "kind": "HS256"},
        {"key": None, "kind": "none"},
    ],
)
def test_everything_else_proves_nobody(changed: dict[str, Any]) -> None:
    with pytest.raises(WrongIdentity):
        claims_of(token(**changed), KEYS, ISSUER, CLIENT, NONCE)


def test_answers_that_are_no_tokens_or_keys_prove_nobody() -> None:
    secret = {"keys": [{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "k1"}]}
    for answer in (None, 7, "", "a.b.c", token()[:-4]):
        with pytest.raises(WrongIdentity):
            claims_of(answer, KEYS, ISSUER, CLIENT, NONCE)
    for keys in (None, [], {}, {"keys": []}, {"keys": [{}]}, secret):
        with pytest.raises(WrongIdentity):
            claims_of(token(), keys, ISSUER, CLIENT, NONCE)
    for nonce in (None, ""):
        with pytest.raises(WrongIdentity):
            claims_of(token(nonce=""), KEYS, ISSUER, CLIENT, nonce)

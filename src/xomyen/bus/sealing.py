"""Seals a camera's password to a node's key: who seals it cannot read it back, see `xomyen.node.secrets`."""

import base64
import binascii

from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from xomyen.terms.errors import InvalidConfiguration


def seal(password: str, public: bytes) -> str:
    """The password as base64 that only the owner of the public key (raw, 32 bytes) can open."""
    return base64.b64encode(SealedBox(PublicKey(public)).encrypt(password.encode())).decode()


def read_public(text: str) -> bytes:
    """The public key of a `SecretsKey`, raw. Raises InvalidConfiguration when it is none."""
    try:
        raw = base64.b64decode(text, validate=True)
        PublicKey(raw)
    except (binascii.Error, CryptoError, ValueError, TypeError) as error:
        raise InvalidConfiguration("This is no public key of a node.", field="public") from error
    return raw

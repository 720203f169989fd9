"""Camera passwords, sealed to the node's own key so that nobody else can read them back.

A password is sealed with libsodium's sealed box (X25519, XSalsa20-Poly1305; https://doc.libsodium.org,
"Sealed boxes"): whoever has the node's public key can write it, only the node's private key opens it.
The configuration bucket, its copies at a centre and backups of them therefore hold no usable password.
"""

import base64
import binascii
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from xomyen.terms.errors import InvalidConfiguration

_MOST_BYTES = 512


class Secrets:
    """The node's key to the passwords of its cameras."""

    def __init__(self, private: PrivateKey) -> None:
        self._box = SealedBox(private)
        self.public = bytes(private.public_key)

    @classmethod
    def load_or_create(cls, path: Path) -> "Secrets":
        """Reads the key file (PKCS#8 PEM, mode 0600), or makes one."""
        if not path.exists():
            _create(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, X25519PrivateKey):
            raise InvalidConfiguration(f"{path} holds no X25519 key.")
        return cls(PrivateKey(key.private_bytes_raw()))

    def open(self, sealed: str) -> str:
        """The password. Raises InvalidConfiguration when it was not sealed to this node."""
        if len(sealed) > _MOST_BYTES * 2:
            raise InvalidConfiguration("The sealed password is too long.", field="sealed_password")
        try:
            return self._box.decrypt(base64.b64decode(sealed, validate=True)).decode()
        except (CryptoError, binascii.Error, ValueError) as error:
            raise InvalidConfiguration(
                "The password was not sealed to this node's key; set it again.", field="sealed_password"
            ) from error


def _create(path: Path) -> None:
    pem = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())

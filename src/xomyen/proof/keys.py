"""Ed25519 keys (RFC 8032): the node's signing key on disk and the public keys that check it."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from xomyen.terms.errors import XomyenError

SIGNATURE_BYTES = 64
_LARGEST_KEY_FILE = 16_384


class InvalidKey(XomyenError):
    """A key file that cannot be read, is no Ed25519 key, or is open to other users."""

    code = "invalid_key"
    exit_code = 9


@dataclass(frozen=True)
class PublicKey:
    """The public half of a node's or issuer's key."""

    raw: bytes  # 32 bytes, RFC 8032 §5.1.5

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the 32 raw bytes: how a key is named in seals, manifests and tickets."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def pem(self) -> bytes:
        """SubjectPublicKeyInfo in PEM (RFC 8410)."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def ed25519(self) -> Ed25519PublicKey:
        """The same key as the cryptography library's object."""
        return self._key

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature over the message was made with this key."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def from_pem(cls, pem: bytes, where: str = "the key") -> "PublicKey":
        """Reads a PEM public key. Raises InvalidKey for anything but Ed25519; `where` names it in the error."""
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidKey(f"{where} is not a public key in PEM form.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidKey(f"{where} is not an Ed25519 key.")
        return cls(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def load(cls, path: Path) -> "PublicKey":
        """Reads a PEM public key file. Raises InvalidKey."""
        return cls.from_pem(read_key_file(path), str(path))


class SigningKey:
    """The private key with which a node signs seals and manifests, or an issuer tickets."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint

    @property
    def ed25519(self) -> Ed25519PrivateKey:
        """The same key as the cryptography library's object."""
        return self._private

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of RFC 8032 §5.1.6."""
        return self._private.sign(message)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key that lives in memory alone."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> "SigningKey":
        """The key of this PKCS#8 PEM file; made first, mode 0600, when there is no file.

        Two processes that create it at once end with the same key. Raises InvalidKey for a file that is
        no Ed25519 key or that other users of the machine may read.
        """
        if not path.exists():
            _create_key_file(path)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """The key of this file. Raises InvalidKey."""
        pem = read_key_file(path)
        if path.stat().st_mode & 0o077:
            raise InvalidKey(f"{path} can be read by other users; make it private with: chmod 600 {path}")
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidKey(f"{path} is not a private key in PEM form without a password.") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKey(f"{path} is not an Ed25519 key.")
        return cls(key)


def read_key_file(path: Path) -> bytes:
    """The bytes of a key file. Raises InvalidKey."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_KEY_FILE)
    except OSError as error:
        raise InvalidKey(f"The key file {path} cannot be read: {error.strerror}.") from error


def _create_key_file(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would replace the key that another process made meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

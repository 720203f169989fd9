"""Backups that only the owner of a private key reads: libsodium's sealed box around the key of its secretstream.

A file is MAGIC and a line of JSON, which names the key it is for; the stream's key in a sealed box (X25519); the
stream's header; then blocks of BLOCK bytes, each encrypted and authenticated in its place (XChaCha20-Poly1305), the
last marked as such and never left out. https://doc.libsodium.org, "Sealed boxes", "Encrypted streams and file
encryption".
"""

import base64
import binascii
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import nacl.bindings as sodium
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from xomyen.terms.errors import AlreadyThere, InvalidConfiguration

MAGIC = b"xomyen-backup-sealed-1\n"
BLOCK = 64 << 10
_PUBLIC = "xomyen-backup-key-"
_LONGEST_LINE = 1000
_SEALED_KEY = sodium.crypto_secretstream_xchacha20poly1305_KEYBYTES + sodium.crypto_box_SEALBYTES
_HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_MORE = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
_MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL


def make_key(path: Path) -> str:
    """Makes a private key (PKCS#8 PEM, mode 0600) and tells the public one.

    Raises AlreadyThere, InvalidConfiguration.
    """
    private = X25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise AlreadyThere(f"{path} is there already; a key is never replaced.") from error
    except OSError as error:
        raise InvalidConfiguration(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return _PUBLIC + base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode().rstrip("=")


def read_public(text: str) -> PublicKey:
    """The key that `make_key` told. Raises InvalidConfiguration."""
    try:
        raw = base64.b64decode(text.strip().removeprefix(_PUBLIC) + "=", altchars=b"-_", validate=True)
        if text.strip().startswith(_PUBLIC) and len(raw) == sodium.crypto_box_PUBLICKEYBYTES:
            return PublicKey(raw)
    except (binascii.Error, ValueError):
        pass
    raise InvalidConfiguration(f"--encrypt-to is a key that `xomyen backup-key` tells, {_PUBLIC}…", field="encrypt_to")


def read_private(path: Path) -> PrivateKey:
    """The key in a file of `make_key`. Raises InvalidConfiguration."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidConfiguration(f"{path} holds no key of `xomyen backup-key`.", field="key") from error
    if not isinstance(key, X25519PrivateKey):
        raise InvalidConfiguration(f"{path} holds no key of `xomyen backup-key`.", field="key")
    return PrivateKey(key.private_bytes_raw())


def name_of(public: PublicKey) -> str:
    """By what a key is recognised: sixteen digits."""
    return hashlib.sha256(b"xomyen-backup-key\n" + bytes(public)).hexdigest()[:16]


class SealingFile(io.RawIOBase):
    """What is written here comes out encrypted; `finish` puts the end, without which nobody reads it."""

    def __init__(self, file: BinaryIO, public: PublicKey) -> None:
        self._file, self._waiting = file, bytearray()
        self._about = MAGIC + json.dumps({"to": name_of(public)}).encode() + b"\n"
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        key = sodium.crypto_secretstream_xchacha20poly1305_keygen()
        header = sodium.crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        file.write(self._about + SealedBox(public).encrypt(key) + header)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._waiting += content
        while len(self._waiting) > BLOCK:  # the last block is kept back: it is marked
            self._put(bytes(self._waiting[:BLOCK]), _MESSAGE)
            del self._waiting[:BLOCK]
        return len(content)

    def finish(self) -> None:
        self._put(bytes(self._waiting), _FINAL)
        self._waiting.clear()

    def _put(self, block: bytes, tag: int) -> None:
        self._file.write(sodium.crypto_secretstream_xchacha20poly1305_push(self._state, block, self._about, tag))


class OpenedFile(io.RawIOBase):
    """Reads what `SealingFile` wrote. Raises InvalidConfiguration for another key and for anything changed."""

    def __init__(self, file: BinaryIO, private: PrivateKey, name: str) -> None:
        self._file, self._name, self._rest, self._ended = file, name, b"", False
        self._about = MAGIC + file.readline(_LONGEST_LINE)
        sealed, header = file.read(_SEALED_KEY), file.read(_HEADER)
        try:
            key = SealedBox(private).decrypt(sealed)
        except (CryptoError, ValueError, TypeError) as error:
            raise InvalidConfiguration(f"{name} {self._is_for(private.public_key)}", field="key") from error
        if len(header) != _HEADER:
            raise self._damaged()
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)

    def _is_for(self, public: PublicKey) -> str:
        try:
            to = json.loads(self._about[len(MAGIC) :])["to"]
        except (ValueError, KeyError, TypeError):
            to = None
        if to == name_of(public):
            return "is damaged: what was sealed to this key cannot be opened."
        return f"was encrypted to the key {to!r}; this is {name_of(public)}."

    def _damaged(self) -> InvalidConfiguration:
        return InvalidConfiguration(f"{self._name} is damaged or cut off; nothing was restored.", field="file")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._rest and not self._ended:
            self._rest = self._next()
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _next(self) -> bytes:
        block = self._file.read(BLOCK + _MORE)
        try:
            content, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, block, self._about)
        except (CryptoError, ValueError, TypeError, RuntimeError) as error:
            raise self._damaged() from error
        self._ended = tag == _FINAL
        if self._ended and self._file.read(1):
            raise self._damaged()
        return bytes(content)

    def require_end(self) -> None:
        """Reads what is left, so that a file that was cut off is never taken for a whole one."""
        while not self._ended:
            self._rest = self._next()


def is_sealed(file: BinaryIO) -> bool:
    """Whether the file begins as an encrypted one; it is then read on behind that beginning, else from its start."""
    if file.read(len(MAGIC)) == MAGIC:
        return True
    file.seek(0)
    return False

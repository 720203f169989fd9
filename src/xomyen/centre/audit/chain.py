"""The chain of the audit log: what a row says, its digest, and the hash that binds it to all rows before it.

A row's digest is the SHA-256 over the canonical JSON of its content. Its hash is the SHA-256 over the prefix, the hash
of the row before (32 zero bytes for the first) and the digest. So a row that somebody may not read can be given as its
digest alone, and the chain can be recomputed all the same.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from xomyen.proof.keys import PublicKey, SigningKey
from xomyen.proof.seal import canonical_json

ROW_PREFIX = b"xomyen-audit-row-v1\n"
LINK_PREFIX = b"xomyen-audit-link-v1\n"
HEAD_PREFIX = b"xomyen-audit-head-v1\n"
BEGINNING = "00" * 32
"""The hash before the first row."""


def digest_of(content: dict[str, Any]) -> str:
    """The digest of a row's content, in hex. Raises ValueError for what JSON cannot say."""
    return hashlib.sha256(ROW_PREFIX + canonical_json(content)).hexdigest()


def link(previous: str, digest: str) -> str:
    """The hash of a row, in hex, from the hash of the row before and its own digest, both in hex."""
    return hashlib.sha256(LINK_PREFIX + bytes.fromhex(previous) + bytes.fromhex(digest)).hexdigest()


@dataclass(frozen=True, slots=True)
class SignedHead:
    """Where the chain stands, in the words of the centre's issuer key."""

    sequence: int
    hash: str  # hex
    at_ns: int  # when it was signed
    key: str  # fingerprint
    signature: str  # hex

    @classmethod
    def sign(cls, key: SigningKey, sequence: int, row_hash: str, at_ns: int) -> "SignedHead":
        return cls(sequence, row_hash, at_ns, key.fingerprint, key.sign(_said(sequence, row_hash, at_ns)).hex())

    def signed_by(self, key: PublicKey) -> bool:
        """Whether the signature was made with this key."""
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return key.verify(_said(self.sequence, self.hash, self.at_ns), signature)


def _said(sequence: int, row_hash: str, at_ns: int) -> bytes:
    return HEAD_PREFIX + canonical_json({"sequence": sequence, "hash": row_hash, "at_ns": at_ns})


def plain(value: Any) -> Any:
    """The value as the chain keeps it, the same on every database: text, whole numbers, truth, lists and objects.

    All else, floating-point numbers among it, becomes text; no text holds NUL or halves of characters.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, dict):
        return {plain_text(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    return plain_text(value)


def plain_text(value: Any, longest: int | None = None) -> str:
    """Text that every database and JSON can hold, cut at so many characters."""
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return text if longest is None else text[:longest]

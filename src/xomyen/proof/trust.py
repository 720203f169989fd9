"""Keys that somebody decided to trust, each for the node it belongs to."""

import re
from dataclasses import dataclass
from pathlib import Path

from xomyen.proof.keys import PublicKey, read_key_file
from xomyen.terms.ids import is_id

_NODE_LINE = re.compile(rb"^Node: (\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class TrustedKey(PublicKey):
    """A public key, and the node for which it counts; None: whoever named it did not say."""

    node: str | None = None
    label: str = ""  # how the report calls it: the file it came from

    @classmethod
    def of(cls, key: PublicKey, node: str | None, label: str) -> "TrustedKey":
        return cls(key.raw, node, label)

    @classmethod
    def load(cls, path: Path) -> "TrustedKey":
        """A key file as `key_file` writes it, or a plain PEM, which names no node. Raises InvalidKey."""
        content = read_key_file(path)
        named = _NODE_LINE.search(content.partition(b"-----BEGIN")[0])
        node = named[1].decode("ascii", "replace") if named else None
        return cls.of(PublicKey.from_pem(content, str(path)), node if node and is_id(node) else None, path.name)

    @property
    def title(self) -> str:
        """Whose key it is, in words."""
        return f"the key of node {self.node}" if self.node else f"the key in {self.label}, bound to no node"

    def counts_for(self, node: str) -> bool:
        """Whether a statement in the name of this node may be signed with the key."""
        return self.node in (None, node)


def key_file(key: PublicKey, node: str | None) -> bytes:
    """A PEM file whose text before the key (RFC 7468 §2) names the node and the fingerprint."""
    named = f"Node: {node}\n" if node else ""
    return f"{named}Fingerprint: {key.fingerprint}\n".encode() + key.pem

"""Whom a node trusts besides itself: issuers of tickets, and pages."""

from dataclasses import dataclass

from xomyen.proof.keys import PublicKey
from xomyen.terms.folder import NodeFolder


@dataclass(frozen=True, slots=True)
class Trusted:
    """What lies in a node's folder of others who are trusted; a gateway reads it once, when it starts."""

    issuers: tuple[PublicKey, ...]  # whose tickets count, besides those of the node's own issuer
    pages: tuple[str, ...]  # origins of a centre in the same folder, whose pages may use the node

    @classmethod
    def read(cls, folder: NodeFolder) -> "Trusted":
        """Raises InvalidKey, OSError."""
        files = sorted(folder.issuers.glob("*.pem")) if folder.issuers.is_dir() else []
        pages = folder.centre_pages.read_text(encoding="utf-8").split() if folder.centre_pages.exists() else []
        return cls(tuple(PublicKey.load(file) for file in files), tuple(pages))

    @property
    def names(self) -> frozenset[str]:
        """By which each of them is known again: fingerprints and origins."""
        return frozenset([*(issuer.fingerprint for issuer in self.issuers), *self.pages])

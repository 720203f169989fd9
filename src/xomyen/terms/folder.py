"""Where things lie in a node's folder: one place for every path."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """Everything of a node lives in one folder."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held (flock) by the process that runs the bus."""
        return self.root / "lock"

    @property
    def identity(self) -> Path:
        """{"version":1,"node":"<id>"}."""
        return self.root / "node.json"

    @property
    def settings(self) -> Path:
        """Optional settings of this node (TOML)."""
        return self.root / "settings.toml"

    @property
    def signing_key(self) -> Path:
        """The node's Ed25519 key that signs seals and manifests; PKCS#8 PEM, mode 0600."""
        return self.root / "keys" / "node.pem"

    @property
    def issuer_key(self) -> Path:
        """The Ed25519 key with which this node issues tickets of its own; PKCS#8 PEM, mode 0600."""
        return self.root / "keys" / "issuer.pem"

    @property
    def issuers(self) -> Path:
        """Public keys (PEM) of other issuers whose tickets the node accepts."""
        return self.root / "keys" / "issuers"

    @property
    def centre_pages(self) -> Path:
        """Origins of the pages of a centre in the same folder, a line each, beside its key."""
        return self.issuers / "centre.origins"

    @property
    def access(self) -> Path:
        """Revoked tickets and one-time sign-in codes (SQLite)."""
        return self.root / "access.sqlite"

    @property
    def secrets_key(self) -> Path:
        """The X25519 key to which camera passwords are sealed; mode 0600."""
        return self.root / "keys" / "secrets.pem"

    @property
    def trusted(self) -> Path:
        """Public keys of nodes that `verify` trusts (`xomyen trust`)."""
        return self.root / "trusted"

    @property
    def bus(self) -> Path:
        """Configuration, secret and JetStream store of the embedded bus server."""
        return self.root / "bus"

    @property
    def index(self) -> Path:
        """The recording index (SQLite)."""
        return self.root / "index.sqlite"

    @property
    def default_volume(self) -> Path:
        return self.root / "video"

    @property
    def run(self) -> Path:
        """Addresses of what runs now; valid only while the lock is held."""
        return self.root / "run"

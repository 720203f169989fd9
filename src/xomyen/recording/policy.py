"""What a recorder is told: how a stream is kept, and how the node's disks are used."""

from dataclasses import dataclass, field

from xomyen.terms.errors import InvalidConfiguration

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """How one stream is recorded and kept."""

    record: bool = True  # False: written to a scratch folder for whoever watches, not indexed, not sealed
    retention_days: int = 30
    retention_bytes: int | None = None  # of the whole camera
    volume: str | None = None  # volume id; None: the node chooses

    def __post_init__(self) -> None:
        if not 1 <= self.retention_days <= 3650:
            raise InvalidConfiguration(f"Footage is kept for 1 to 3650 days, not {self.retention_days}.")
        if self.retention_bytes is not None and self.retention_bytes < 1:
            raise InvalidConfiguration(f"A camera's footage has at least 1 byte, not {self.retention_bytes}.")


@dataclass(frozen=True, slots=True)
class VolumeSettings:
    """One folder for segments."""

    path: str  # absolute
    floor_bytes: int | None = None  # kept free by retention; None: 5 % of the disk, at least 1 and at most 20 GiB

    def floor(self, total: int) -> int:
        """Bytes that retention keeps free on a disk of `total` bytes."""
        if self.floor_bytes is not None:
            return self.floor_bytes
        # A disk under 5 GiB (a test's, a stick's) gives a fifth of itself.
        return min(max(GIB, min(total // 20, 20 * GIB)), total // 5)


def floor_files(total: int) -> int:
    """How many files a disk must still take, of `total` (0: it does not count them); retention keeps them free."""
    return min(total // 20, 10_000)


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Everything else. The defaults are those of the documentation."""

    volumes: tuple[VolumeSettings, ...] = ()  # empty: the folder's own `video`
    segment_seconds: float = 30.0
    fragment_seconds: float = 0.5  # longest fragment
    checkpoint_seconds: float = 60.0
    sync_seconds: float = 1.0  # shortest interval between two syncs of a volume
    queue_bytes: int = 128 << 20  # waiting for one volume; beyond it whole fragments are dropped
    lease_bytes: int = 32 << 20  # of these, as much may stay in leased buffers
    retention_seconds: float = 10.0
    chain_seconds: float = 60.0
    default_policy: StreamPolicy = field(default_factory=StreamPolicy)  # for streams never recorded here
    tombstone_days: int = 90

"""What a start, or a volume that came later, found and did."""

from dataclasses import dataclass, field


@dataclass
class RecoveryReport:
    """What a start found and did. Paths of files, ids of segments."""

    recovered: list[str] = field(default_factory=list)  # cut to the last whole fragment and sealed
    adopted: list[str] = field(default_factory=list)  # files without a row that got one
    removed: list[str] = field(default_factory=list)  # files without a single whole fragment
    missing: list[str] = field(default_factory=list)  # rows without a file
    short: list[str] = field(default_factory=list)  # files that lost acknowledged bytes
    deletions: list[str] = field(default_factory=list)  # begun before, finished now
    unsealed: list[str] = field(default_factory=list)  # the disk is full or fails there; left for the next start
    unreadable: list[str] = field(default_factory=list)  # files that the disk does not give; left for the next start
    stuck: list[str] = field(default_factory=list)  # files that should go and cannot be removed; retention tries on
    foreign: list[str] = field(default_factory=list)  # files that are no segments; left alone

    def summary(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(value) for name, value in vars(self).items()}

    def add(self, more: "RecoveryReport") -> None:
        """What another volume's reconciliation found."""
        for name, value in vars(more).items():
            getattr(self, name).extend(value)

    def lost(self) -> str:
        """How many files with acknowledged footage are not as they should be, in words; empty when all are."""
        told = ((self.missing, "gone"), (self.short, "cut short"), (self.unreadable, "unreadable"))
        return ", ".join(f"{len(files)} {what}" for files, what in told if files)

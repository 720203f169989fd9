"""What a verification says: verdict, findings, times, and what it cannot exclude."""

from dataclasses import dataclass, field
from enum import StrEnum

from xomyen.proof.manifest import Manifest


class Verdict(StrEnum):
    """What can be said; the worst finding decides."""

    AUTHENTIC = "AUTHENTIC"
    UNKNOWN_KEY = "UNKNOWN KEY"
    INCOMPLETE = "INCOMPLETE"
    ALTERED = "ALTERED"

    @property
    def exit_code(self) -> int:
        return {"AUTHENTIC": 0, "INCOMPLETE": 10, "ALTERED": 11, "UNKNOWN KEY": 12}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the node sealed it."""

    verdict: Verdict
    text: str
    file: str
    camera: str | None = None
    segment: str | None = None
    start: int | None = None  # byte range [start, end) in the file
    end: int | None = None


@dataclass(frozen=True, slots=True)
class ClipTimes:
    """When a clip's pictures were taken, by the seals."""

    file: str
    first_ns: int
    last_ns: int
    frames: int
    clock: str  # the worst state of the node's clock in its segments
    lost_packets: int


@dataclass(slots=True)
class Report:
    """The outcome of a verification."""

    manifest: Manifest | None = None
    fingerprint: str | None = None
    trusted_as: str | None = None  # whose key it was trusted as
    findings: list[Finding] = field(default_factory=list)
    times: list[ClipTimes] = field(default_factory=list)
    cannot_exclude: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)  # checked
    not_checked: list[str] = field(default_factory=list)  # beside them, and no part of the export

    @property
    def verdict(self) -> Verdict:
        order = list(Verdict)
        return max((finding.verdict for finding in self.findings), key=order.index, default=Verdict.AUTHENTIC)

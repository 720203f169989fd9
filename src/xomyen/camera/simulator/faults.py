"""What can be wrong with a simulated camera, and what that does to its packets."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from xomyen.terms.errors import InvalidConfiguration


class FaultKind(StrEnum):
    """Arguments in brackets, with what they are when left out."""

    DROP = "drop"  # packets are lost (share=0.01)
    STALL = "stall"  # the connection stays, nothing comes
    CLOSE = "close"  # the connections end once; new ones are welcome
    REFUSE = "refuse"  # connections end, and every DESCRIBE is refused (status=503)
    REDIRECT = "redirect"  # DESCRIBE is answered with 302 (url)
    WRONG_CLOCK = "wrong_clock"  # the camera's wall clock is off (offset_s=-3600)
    CLOCK_STEP = "clock_step"  # the same in the other direction, and the RTP time jumps too (offset_s=30)
    FAST_CLOCK = "fast_clock"  # the camera's clock and its RTP time run fast (share=0.01)
    LONG_GOP = "long_gop"  # a keyframe only every so often (seconds=20)
    NEW_PARAMETERS = "new_parameters"  # another picture size from the next picture on (size=1280x720)
    B_FRAMES = "b_frames"  # pictures are sent out of their order of showing (count=2)
    GARBAGE = "garbage"  # what=nal: nonsense in packets; what=rtp: packets without sense; what=stream: neither
    RESTART = "restart"  # connections end, the camera is away (seconds=2), then begins anew


ENCODED = frozenset({FaultKind.LONG_GOP, FaultKind.NEW_PARAMETERS, FaultKind.B_FRAMES})
CLOCKED = frozenset({FaultKind.WRONG_CLOCK, FaultKind.CLOCK_STEP, FaultKind.FAST_CLOCK})


@dataclass(slots=True)
class Trouble:
    """Faults of one camera that act on every connection. All off at first."""

    drop: float = 0.0
    stalled: bool = False
    garbage: str = ""
    refuse_status: int = 0
    redirect_url: str = ""
    packets_dropped: int = 0
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - repeatable on purpose

    @property
    def touches_packets(self) -> bool:
        return bool(self.drop or self.stalled or self.garbage)

    def clear(self) -> None:
        self.drop, self.stalled, self.garbage, self.refuse_status, self.redirect_url = 0.0, False, "", 0, ""

    def spoil(self, block: bytes) -> bytes:
        """One access unit's packets as the faults leave them."""
        if self.stalled:
            return b""
        if self.garbage == "stream":
            return self.random.randbytes(len(block))
        if not self.drop and not self.garbage:
            return block
        kept = []
        at = 0
        while at < len(block):
            end = at + 4 + int.from_bytes(block[at + 2 : at + 4], "big")
            if self.drop and self.random.random() < self.drop:
                self.packets_dropped += 1
            elif self.garbage:
                whole = 4 if self.garbage == "rtp" else 16  # how much of the headers stays
                kept.append(block[at : at + whole] + self.random.randbytes(end - at - whole))
            else:
                kept.append(block[at:end])
            at = end
        return b"".join(kept)


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """``KIND[:camera][@seconds]``, as the command line takes it."""

    kind: FaultKind
    camera: int | None  # None = all
    after_s: float

    @classmethod
    def parse(cls, text: str) -> "FaultOrder":
        """Raises InvalidConfiguration."""
        head, _, after = text.partition("@")
        kind, _, camera = head.partition(":")
        try:
            number = int(camera) if camera else None
            return cls(FaultKind(kind.replace("-", "_")), number, float(after) if after else 0.0)
        except ValueError as error:
            kinds = ", ".join(k.value for k in FaultKind)
            message = f"{text!r} is not a fault: write KIND[:camera][@seconds]; kinds: {kinds}"
            raise InvalidConfiguration(message) from error

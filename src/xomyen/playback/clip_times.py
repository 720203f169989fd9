"""How a segment's media time maps to wall time: by its seal, else by what the index knows of an open one."""

from dataclasses import dataclass
from typing import Self

from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import SegmentFile
from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class SegmentTimes:
    """Presentation time `start_ticks` was shown at `start_ns`; from there on `length_ticks` take `length_ns`."""

    start_ticks: int
    start_ns: int
    length_ticks: int
    length_ns: int

    @classmethod
    def of(cls, segment: Segment, file: SegmentFile, first_pts: int) -> Self:
        """The mapping of the final seal, of the newest checkpoint, or of the index row, in this order."""
        seal = file.seal or file.checkpoint
        if seal is not None:
            said = seal.statement
            ticks, length_ns = said.end_ticks - said.start_ticks, said.end_ns - said.start_ns
            start_ticks, start_ns = said.start_ticks, said.start_ns
        else:
            ticks, length_ns = segment.end_dts - segment.first_dts, segment.end_ns - segment.start_ns
            start_ticks, start_ns = first_pts, segment.start_ns
        if ticks <= 0 or length_ns <= 0:
            ticks, length_ns = TICKS_PER_SECOND, NS_PER_SECOND
        return cls(start_ticks, start_ns, ticks, length_ns)

    def wall_ns(self, ticks: int) -> int:
        """When this presentation time was shown."""
        return self.start_ns + (ticks - self.start_ticks) * self.length_ns // self.length_ticks

    def ticks(self, wall_ns: int) -> int:
        """The first presentation time shown at this instant or later."""
        return self.start_ticks - (self.start_ns - wall_ns) * self.length_ticks // self.length_ns

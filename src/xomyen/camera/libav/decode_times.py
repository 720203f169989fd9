"""Decoding and presentation times that a recording can rely on, whatever a demuxer says."""

from fractions import Fraction
from heapq import heappop, heappush

from xomyen.terms.time import TICKS_PER_SECOND

_DEFAULT_FRAME_TICKS = 3600  # 25 pictures a second


class DecodeTimes:
    """Turns a demuxer's times into 90 kHz ticks with dts ≤ pts and dts strictly increasing, from 0 on.

    `reorder` is None where the container carries decoding times. Where it carries only presentation times
    (RTP, RFC 6184 §5.1), it is the number of pictures by which decoding runs ahead: the decoding time of a
    picture is then the presentation time of the one `reorder` places earlier in presentation order, which is
    never later than its own (the output order of H.264 §C.4.5.3 read backwards).
    """

    def __init__(self, time_base: Fraction, reorder: int | None, frame_ticks: int | None) -> None:
        self._scale = time_base * TICKS_PER_SECOND
        self._reorder = reorder
        self._frame_ticks = frame_ticks or _DEFAULT_FRAME_TICKS
        self._waiting: list[int] = []
        self._seen = 0
        self._first_pts = 0
        self._base = 0  # ticks given out so far, where the times to come begin
        self._shift: int | None = None
        self._last: int | None = None  # before the shift

    def next(self, pts: int | None, dts: int | None) -> tuple[int, int]:
        """(pts, dts) in ticks of the next access unit in decoding order, from its times in the time base."""
        if self._reorder is None:
            wanted = dts if dts is not None else pts
            decode = self._following() if wanted is None else round(wanted * self._scale)
            present = decode if pts is None else round(pts * self._scale)
        else:
            present = self._following() if pts is None else round(pts * self._scale)
            decode = self._from_presentation(present, self._reorder)
        if self._last is not None and decode <= self._last:
            decode = self._last + 1
        present = max(present, decode)
        self._last = decode
        if self._shift is None:
            self._shift = self._base - decode
        return present + self._shift, decode + self._shift

    def join(self) -> None:
        """The times that come start anew (a file played again): they go on where the last ones ended."""
        if self._last is not None and self._shift is not None:
            self._base = self._following() + self._shift
        self._last = self._shift = None
        self._waiting.clear()
        self._seen = 0

    def _following(self) -> int:
        return 0 if self._last is None else self._last + self._frame_ticks

    def _from_presentation(self, present: int, reorder: int) -> int:
        if not self._seen:
            self._first_pts = present
        heappush(self._waiting, present)
        self._seen += 1
        if self._seen <= reorder:
            return self._first_pts - (reorder + 1 - self._seen) * self._frame_ticks
        return heappop(self._waiting)

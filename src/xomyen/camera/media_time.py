"""Media time: 32-bit RTP timestamps unwrapped, and decoding times derived for streams with B-frames."""

from bisect import insort

from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND, ticks_to_ns

_LONGEST_STEP = 10 * TICKS_PER_SECOND
_FARTHEST_BACK = 2 * TICKS_PER_SECOND
_NOMINAL_FRAME = TICKS_PER_SECOND // 25
_DEEPEST = 16  # ITU-T H.264 §A.3.1: no stream reorders more pictures


class MediaTime:
    """Gives each access unit, in decoding order, its presentation and decoding time in ticks.

    The decoding time is the smallest of the last ``depth + 1`` presentation times, as libavformat's
    compute_pkt_fields has it: with a right depth these are the presentation times in ascending order,
    `depth` frames late, and no look-ahead is needed.
    """

    __slots__ = ("_depth", "_frame", "_last_dts", "_last_stamp", "_pts", "_window")

    def __init__(self) -> None:
        self._last_stamp = -1
        self._pts = 0
        self._last_dts: int | None = None
        self._frame = _NOMINAL_FRAME
        self._depth = 0
        self._window: list[int] = []

    @property
    def depth(self) -> int:
        """By how many pictures presentation may lag behind decoding."""
        return self._depth

    def reorder(self, depth: int) -> None:
        """The stream's parameter sets say how deep it reorders."""
        if depth != self._depth:
            self._depth = min(depth, _DEEPEST)
            self._window = []

    def step(self, stamp: int) -> bool:
        """Moves on to the access unit with this RTP timestamp; True when media time jumped.

        A jump (over 10 s forward or 2 s back) is replaced by one frame's length, so that time goes on
        until the caller opens a new run.
        """
        jumped = False
        if self._last_stamp >= 0:
            delta = ((stamp - self._last_stamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
            if not -_FARTHEST_BACK <= delta <= _LONGEST_STEP:
                jumped = True
                delta = self._frame
            elif 0 < delta <= TICKS_PER_SECOND:
                self._frame = delta
            self._pts += delta
        self._last_stamp = stamp
        return jumped

    def at(self, stamp: int) -> int:
        """The presentation time that belongs to an RTP timestamp near the current one."""
        return self._pts + ((stamp - self._last_stamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def times(self) -> tuple[int, int]:
        """Presentation and decoding time of the current access unit: dts ≤ pts, dts strictly increasing.

        A stream that reorders deeper than its parameter sets say has its depth corrected upwards; the
        one picture that showed it is presented as early as it can be decoded.
        """
        pts = dts = self._pts
        depth = self._depth
        if depth:
            window = self._window
            if not window:
                window.extend(pts - i * self._frame for i in range(depth, 0, -1))
            insort(window, pts)
            dts = window.pop(0)
        last = self._last_dts
        if last is not None and dts <= last:
            dts = last + 1
            if pts < dts:
                if depth < _DEEPEST and self._pts < last:
                    self._depth = depth + 1
                    self._window = []
                pts = dts
        self._last_dts = dts
        return pts, dts


class ArrivalAnchor:
    """Which wall time of the node belongs to a media time: by the promptest arrivals of the last seconds.

    Reading on a tick makes bytes look up to a tick late, and networks add more; the minimum is right.
    """

    __slots__ = ("_before", "_now", "_until_ns")

    WINDOW_NS = 10 * NS_PER_SECOND

    def __init__(self) -> None:
        self._now: int | None = None
        self._before: int | None = None
        self._until_ns = 0

    def seen(self, arrived_ns: int, pts_ticks: int) -> None:
        """An access unit with this presentation time was read at this wall time."""
        zero_ns = arrived_ns - ticks_to_ns(pts_ticks)
        if self._now is None or arrived_ns >= self._until_ns:
            self._before, self._now = self._now, zero_ns
            self._until_ns = arrived_ns + self.WINDOW_NS
        elif zero_ns < self._now:
            self._now = zero_ns

    def wall_ns(self, pts_ticks: int) -> int | None:
        """The node's wall time at a presentation time; None before the first access unit."""
        if self._now is None:
            return None
        zero_ns = self._now if self._before is None else min(self._now, self._before)
        return zero_ns + ticks_to_ns(pts_ticks)

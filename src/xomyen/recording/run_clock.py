"""Maps a run's media time to the node's wall time by the earliest arrivals.

A picture cannot arrive before it was taken, so of all differences between arrival and presentation time the
smallest is the truest. A camera whose clock runs fast or slow makes that smallest difference drift along a line.
"""

from collections import deque

from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND, ticks_to_ns

ANCHOR_TICKS = 3 * TICKS_PER_SECOND
WINDOW_TICKS = 5 * TICKS_PER_SECOND
_WINDOWS = 12
_LARGEST_DRIFT = 0.05  # a camera's clock is not more wrong than this; beyond it the fit saw something else


class RunClock:
    """A line from presentation time (ticks) to wall time (ns), refined as pictures arrive.

    `fixed` keeps the first line for ever: footage that came from the camera's own memory.
    """

    __slots__ = ("_fixed", "_offset_ns", "_smallest_at", "_smallest_ns", "_window_end", "_windows", "anchored", "drift")

    def __init__(self, start_ticks: int, start_ns: int, fixed: bool = False) -> None:
        self._fixed = fixed
        self._offset_ns = start_ns - ticks_to_ns(start_ticks)  # wall minus media time, at media time 0
        self.drift = 0.0  # ns of wall time gained per ns of media time
        self.anchored = fixed  # whether the first seconds are over
        self._smallest_ns = self._offset_ns
        self._smallest_at = start_ticks
        self._window_end = start_ticks + ANCHOR_TICKS
        self._windows: deque[tuple[int, int]] = deque(maxlen=_WINDOWS)

    def wall_ns(self, ticks: int) -> int:
        """When the picture with this presentation time was taken, by the node's clock."""
        media_ns = (ticks * 100_000 + 4) // 9
        return media_ns + self._offset_ns + int(media_ns * self.drift) if self.drift else media_ns + self._offset_ns

    def observe(self, ticks: int, arrived_ns: int) -> None:
        """A picture with this presentation time had arrived by then."""
        if self._fixed:
            return
        difference = arrived_ns - (ticks * 100_000 + 4) // 9
        if difference < self._smallest_ns:
            self._smallest_ns = difference
            self._smallest_at = ticks
            if not self.anchored:
                self._offset_ns = difference
        if ticks >= self._window_end:
            self._next_window(ticks, difference)

    def is_early(self, ticks: int, arrived_ns: int) -> bool:
        """Whether the arrival is so much too early that the node's clock may have been set back."""
        return not self._fixed and self.anchored and arrived_ns + 100_000_000 < self.wall_ns(ticks)

    def shift(self, step_ns: int) -> None:
        """The node's clock was set: everything measured so far moves by the step."""
        if self._fixed:
            return
        self._offset_ns += step_ns
        self._smallest_ns += step_ns
        self._windows = deque(((at, value + step_ns) for at, value in self._windows), maxlen=_WINDOWS)

    def _next_window(self, ticks: int, difference: int) -> None:
        self._windows.append((self._smallest_at, self._smallest_ns))
        self.anchored = True
        self._smallest_ns = difference
        self._smallest_at = ticks
        self._window_end = ticks + WINDOW_TICKS
        self._fit()

    def _fit(self) -> None:
        """Least squares through the windows' minima gives the drift; the line then touches them from below."""
        count = len(self._windows)
        drift = 0.0
        if count >= 3:
            first_at, first_ns = self._windows[0]
            times = [ticks_to_ns(at - first_at) for at, _ in self._windows]
            values = [value - first_ns for _, value in self._windows]
            middle_time = sum(times) / count
            middle_value = sum(values) / count
            spread = sum((time - middle_time) ** 2 for time in times)
            if spread > 0:
                product = sum(
                    (time - middle_time) * (value - middle_value) for time, value in zip(times, values, strict=True)
                )
                drift = max(-_LARGEST_DRIFT, min(_LARGEST_DRIFT, product / spread))
            # Below 20 ms over a minute the slope is only the arrivals' jitter.
            if abs(drift) * (times[-1] or 1) < 0.02 * NS_PER_SECOND:
                drift = 0.0
        self.drift = drift
        self._offset_ns = min(value - int(ticks_to_ns(at) * drift) for at, value in self._windows)

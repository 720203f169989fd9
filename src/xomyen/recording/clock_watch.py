"""Whether the node's clock was set or is unsynchronised."""

from collections.abc import Callable

import structlog

from xomyen.recording.alarms import Alarms
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import ClockState

_log = structlog.get_logger(__name__)

_STEP_NS = 200_000_000  # a change of wall against monotonic time beyond this is a step, not slewing
_ALARM_NS = 600 * NS_PER_SECOND


class ClockWatch:
    """`on_step(step_ns)` is told of each setting of the wall clock. Lives on the event loop."""

    def __init__(
        self, clock: Clock, synchronised: Callable[[], bool], alarms: Alarms, on_step: Callable[[int], None]
    ) -> None:
        self._clock = clock
        self._synchronised = synchronised
        self._alarms = alarms
        self._on_step = on_step
        self._wall_minus_monotonic = 0
        self._stepped_at_ns = 0  # monotonic
        self.state = ClockState.SYNCHRONISED

    def start(self) -> None:
        """From now on a step is one."""
        self._wall_minus_monotonic = self._clock.wall_ns() - self._clock.monotonic_ns()
        self.look_at_synchronisation()

    def look(self) -> None:
        """Was the clock set since the last look?"""
        now = self._clock.wall_ns() - self._clock.monotonic_ns()
        step_ns = now - self._wall_minus_monotonic
        self._wall_minus_monotonic = now
        if abs(step_ns) < _STEP_NS:
            return
        self._stepped_at_ns = self._clock.monotonic_ns()
        _log.warning("clock.stepped", step_ms=step_ns // 1_000_000)
        self._alarms.say("clock", f"The machine's clock was set by {step_ns / NS_PER_SECOND:+.3f} s.")
        self._on_step(step_ns)

    def look_at_synchronisation(self) -> None:
        """What the kernel says of the clock."""
        self.state = ClockState.SYNCHRONISED if self._synchronised() else ClockState.UNSYNCHRONISED
        if self._clock.monotonic_ns() - self._stepped_at_ns > _ALARM_NS:
            self._alarms.over("clock")

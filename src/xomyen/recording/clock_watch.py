"""Whether the node's clock was set or is unsynchronised."""

from collections.abc import Callable

import structlog

from xomyen.recording.alarms import Alarms
from xomyen.recording.index import Index
from xomyen.recording.index_thread import Work
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import ClockState

_log = structlog.get_logger(__name__)

_STEP_NS = 200_000_000  # a change of wall against monotonic time beyond this is a step, not slewing
_ALARM_NS = 600 * NS_PER_SECOND
_DAY_NS = 86_400 * NS_PER_SECOND
_DOUBTED = "doubted_ns"  # in `meta`


class ClockWatch:
    """`on_step(step_ns)` is told of each setting of the wall clock. Lives on the event loop."""

    def __init__(
        self,
        clock: Clock,
        synchronised: Callable[[], bool],
        alarms: Alarms,
        on_step: Callable[[int], None],
        post: Callable[[Work], object],
    ) -> None:
        self._clock = clock
        self._synchronised = synchronised
        self._alarms = alarms
        self._on_step = on_step
        self._post = post
        self._alive_ns: int | None = None  # wall time when an earlier process last committed, and
        self._doubted_ns: int | None = None  # when one saw the clock leap
        self._wall_minus_monotonic = 0
        self._stepped_at_ns = 0  # monotonic
        self._leapt_at_ns: int | None = None  # monotonic; days ahead, which nobody confirmed yet
        self.state = ClockState.SYNCHRONISED

    def load(self, index: Index) -> None:
        """What earlier processes knew of the clock."""
        alive, doubted = index.meta("alive_ns"), index.meta(_DOUBTED)
        self._alive_ns = int(alive) if alive else None
        self._doubted_ns = int(doubted) if doubted else None

    def start(self) -> None:
        """From now on a step is one."""
        wall_ns, monotonic_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        self._wall_minus_monotonic = wall_ns - monotonic_ns
        self.look_at_synchronisation()
        if self._doubted_ns is not None and 0 <= wall_ns - self._doubted_ns <= _DAY_NS:
            self._doubt(self._doubted_ns)
        elif self._alive_ns is not None:
            self._leap(wall_ns - self._alive_ns)

    @property
    def is_plausible(self) -> bool:
        """Whether footage may be deleted for its age by this clock.

        A clock that leapt ahead by days may be wrong (a worn battery, a slip of the hand) and would cost everything;
        it counts once it is synchronised, or has gone on for a day.
        """
        if self._leapt_at_ns is None or self.state is ClockState.SYNCHRONISED:
            return True
        return self._clock.monotonic_ns() - self._leapt_at_ns > _DAY_NS

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
        self._leap(step_ns)
        self._on_step(step_ns)

    def _leap(self, by_ns: int) -> None:
        if by_ns < -_DAY_NS:
            self._leapt_at_ns = None  # somebody put it right
        elif by_ns > _DAY_NS:
            self._doubt(self._clock.wall_ns())

    def _doubt(self, since_ns: int) -> None:
        if self.state is ClockState.SYNCHRONISED:
            return
        self._stepped_at_ns = self._clock.monotonic_ns()
        self._leapt_at_ns = self._stepped_at_ns - (self._clock.wall_ns() - since_ns)
        self._post(lambda index: index.set_meta(_DOUBTED, str(since_ns)))
        text = (
            "The machine's clock leapt days ahead and is not synchronised: for a day no footage is deleted for its age."
        )
        self._alarms.say("clock", f"{text} Is the clock right?")

    def look_at_synchronisation(self) -> None:
        """What the kernel says of the clock."""
        self.state = ClockState.SYNCHRONISED if self._synchronised() else ClockState.UNSYNCHRONISED
        if self._clock.monotonic_ns() - self._stepped_at_ns > _ALARM_NS:
            self._alarms.over("clock")

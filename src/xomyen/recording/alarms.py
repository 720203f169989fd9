"""What somebody must look at: told once when it comes, kept until it is over, and left for the bus."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from xomyen.bus.messages import Alarm, AlarmEvent
from xomyen.recording.index_thread import Work
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock

_log = structlog.get_logger(__name__)

_INCIDENTS = ("file", "lost", "index")
_INCIDENT_NS = 86_400 * NS_PER_SECOND
"""What happened once and has no end of its own stands for a day; so does a row that the index refused."""


class Alarms:
    """Lives on the event loop; `say_soon` and `over_soon` may be called from any thread.

    A code is a word, or a word and the path it is about: `almost_full:/srv/video`. `post` hands work to the index;
    `on_alarm(code, text)` is told what comes or changes, `on_over(code)` what is over.
    """

    def __init__(
        self,
        clock: Clock,
        post: Callable[[Work], object],
        on_alarm: Callable[[str, str], None],
        on_over: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._post = post
        self._on_alarm = on_alarm
        self._on_over = on_over
        self._loop: asyncio.AbstractEventLoop | None = None
        self._standing: dict[str, Alarm] = {}
        self._said_ns: dict[str, int] = {}  # monotonic; when each was said last

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """What is not over, the oldest first."""
        return tuple(self._standing.values())

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on threads may speak."""
        self._loop = loop

    def say_soon(self, code: str, text: str) -> None:
        """From any thread; a loop that has ended needs no telling."""
        self._soon(self.say, code, text)

    def over_soon(self, code: str) -> None:
        """From any thread."""
        self._soon(self.over, code)

    def _soon(self, do: Callable[..., None], *arguments: str) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(do, *arguments)

    def say(self, code: str, text: str) -> None:
        """Says it in the log, to whoever listens and on the bus; nothing when it stands already."""
        self._said_ns[code] = self._clock.monotonic_ns()
        stood = self._standing.get(code)
        if stood is not None and stood.text == text:
            return
        word, _, path = code.partition(":")
        since_ns = stood.since_ns if stood is not None else self._clock.wall_ns()
        self._standing[code] = alarm = Alarm(code=word, path=path, since_ns=since_ns, text=text)
        _log.error("recorder.alarm", code=code, text=text)
        self._post_event(alarm, over=False)
        self._on_alarm(code, text)

    def over(self, code: str) -> None:
        """It is not so any more."""
        alarm = self._standing.pop(code, None)
        self._said_ns.pop(code, None)
        if alarm is None:
            return
        _log.info("recorder.alarm_over", code=code)
        self._post_event(alarm, over=True)
        self._on_over(code)

    def look(self) -> None:
        """Ends incidents of long ago."""
        now_ns = self._clock.monotonic_ns()
        for code, said_ns in tuple(self._said_ns.items()):
            if code.partition(":")[0] in _INCIDENTS and now_ns - said_ns > _INCIDENT_NS:
                self.over(code)

    def _post_event(self, alarm: Alarm, *, over: bool) -> None:
        event = AlarmEvent(
            id=new_id(self._clock),
            at_ns=self._clock.wall_ns(),
            code=alarm.code,
            path=alarm.path,
            over=over,
            text=alarm.text,
        )
        self._post(lambda index: index.put_event("alarm", event))

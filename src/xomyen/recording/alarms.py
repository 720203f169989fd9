"""What somebody must look at: told once when it comes, kept until it is over, and left for the bus."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from xomyen.bus.messages import AlarmEvent
from xomyen.recording.index_thread import Work
from xomyen.terms.ids import new_id
from xomyen.terms.time import Clock

_log = structlog.get_logger(__name__)


class Alarms:
    """Lives on the event loop; `say_soon` may be called from any thread. `post` hands work to the index."""

    def __init__(self, clock: Clock, post: Callable[[Work], object], on_alarm: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._post = post
        self._on_alarm = on_alarm
        self._loop: asyncio.AbstractEventLoop | None = None
        self.standing: dict[str, str] = {}  # code and text of what is not over

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on threads may speak."""
        self._loop = loop

    def say_soon(self, code: str, text: str) -> None:
        """From any thread; a loop that has ended needs no telling."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.say, code, text)

    def say(self, code: str, text: str) -> None:
        """Says it in the log, to whoever listens and on the bus; nothing when it stands already."""
        if self.standing.get(code) == text:
            return
        self.standing[code] = text
        _log.error("recorder.alarm", code=code, text=text)
        event = AlarmEvent(id=new_id(self._clock), at_ns=self._clock.wall_ns(), code=code, text=text)
        self._post(lambda index: index.put_event("alarm", event))
        self._on_alarm(code, text)

    def over(self, code: str) -> None:
        """It is not so any more."""
        self.standing.pop(code, None)

"""The alarms of the node that stand now, as the gateway last heard."""

from collections.abc import Callable

from xomyen.bus.messages import Alarm

Listener = Callable[[], None]


class AlarmBoard:
    """Filled by whoever follows the bus; listeners are told on the event loop that something changed."""

    def __init__(self) -> None:
        self._recorders: tuple[Alarm, ...] = ()
        self._silence: Alarm | None = None
        self._listeners: set[Listener] = set()

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """What stands, the oldest first; that nothing is recorded at all stands before the rest."""
        return (*((self._silence,) if self._silence else ()), *self._recorders)

    def recorder_says(self, alarms: tuple[Alarm, ...]) -> None:
        """What stands by the recorder's own word."""
        if alarms != self._recorders:
            self._recorders = alarms
            self._tell()

    def recorder_is_away(self, since_ns: int, text: str) -> None:
        """The recorder ended; what it said last stands on."""
        if self._silence is None or self._silence.text != text:
            since_ns = self._silence.since_ns if self._silence else since_ns
            self._silence = Alarm(code="recorder", since_ns=since_ns, text=text)
            self._tell()

    def recorder_is_silent(self, since_ns: int) -> None:
        """It does not answer; that it ended is known better."""
        if self._silence is None:
            self.recorder_is_away(since_ns, "The recorder does not answer.")

    def recorder_is_back(self) -> None:
        """It answers."""
        if self._silence is not None:
            self._silence = None
            self._tell()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls back on each change until the returned function is called."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

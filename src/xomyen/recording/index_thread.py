"""The thread that commits to the index: whoever has rows hands them over, what waits is committed together."""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import structlog

from xomyen.recording.index import Index

_log = structlog.get_logger(__name__)

Work = Callable[[Index], None]


def kept_future() -> "Future[Any]":
    """A future that is fulfilled although nobody waits any more: a task that is cancelled takes nothing back."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


class IndexThread:
    """Owns the Index between `start` and `stop`. Rows are never given up: a full or locked disk is retried."""

    def __init__(
        self,
        index: Index,
        on_alarm: Callable[[str], None],
        on_well: Callable[[], None] = lambda: None,
        retry_seconds: float = 1.0,
    ) -> None:
        """`on_alarm` is told in words what fails, `on_well` that it goes on; both on the index's thread."""
        self._index = index
        self._on_alarm = on_alarm
        self._on_well = on_well
        self._failing = False
        self._retry_seconds = retry_seconds
        self._waiting: queue.SimpleQueue[tuple[Work, Future[None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)
        self._stopping = threading.Event()
        self._ended = False
        self.commits = 0
        self.on_events: Callable[[], None] = lambda: None

    @property
    def path(self) -> str:
        """The index's file."""
        return self._index.path

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Commits what waits, then ends the thread."""
        self._stopping.set()
        self._waiting.put(None)
        self._thread.join()
        self._ended = True
        self._refuse_the_rest()

    def post(self, work: Work) -> "Future[None]":
        """Runs `work` in the next transaction; the future is done when that is committed."""
        done: Future[None] = kept_future()
        self._waiting.put((work, done))
        if self._ended:
            self._refuse_the_rest()
        return done

    def _refuse_the_rest(self) -> None:
        """Whoever still waits (a deletion, a stalled disk) is told, and does not wait for ever."""
        while True:
            try:
                pair = self._waiting.get_nowait()
            except queue.Empty:
                return
            if pair is not None:
                pair[1].set_exception(sqlite3.ProgrammingError("the recorder has stopped"))

    def commit(self, work: Work) -> None:
        """As `post`, and waits. Not for the event loop."""
        self.post(work).result()

    def _run(self) -> None:
        ending = False
        while not ending:
            group = [self._waiting.get()]
            while not self._waiting.empty():
                group.append(self._waiting.get())
            ending = None in group
            pairs = [pair for pair in group if pair is not None]
            if pairs:
                self._commit(pairs)

    def _commit(self, pairs: "list[tuple[Work, Future[None]]]") -> None:
        while True:
            try:
                with self._index.transaction():
                    for work, _ in pairs:
                        work(self._index)
            except sqlite3.OperationalError as error:
                # Full, locked or failing: nothing of this is acknowledged, so it is tried again.
                self._failing = True
                self._on_alarm(f"the index cannot be written: {error}")
                if self._stopping.wait(self._retry_seconds) and not self._once_more(pairs):
                    return
                continue
            except Exception as error:  # noqa: BLE001  # without this thread nothing is acknowledged ever again
                self._one_by_one(pairs, error)
                return
            break
        self.commits += 1
        if self._failing:
            self._failing = False
            self._on_well()
        for _, done in pairs:
            done.set_result(None)
        if self._index.has_events:
            self._index.has_events = False
            self.on_events()

    def _once_more(self, pairs: "list[tuple[Work, Future[None]]]") -> bool:
        """At the end of the process a disk that still refuses gives the rows back as failed."""
        try:
            with self._index.transaction():
                for work, _ in pairs:
                    work(self._index)
        except Exception as error:  # noqa: BLE001  # as in _commit
            for _, done in pairs:
                done.set_exception(error)
            return False
        for _, done in pairs:
            done.set_result(None)
        return False

    def _one_by_one(self, pairs: "list[tuple[Work, Future[None]]]", error: Exception) -> None:
        """One piece of work is wrong: it must not take the others with it."""
        if len(pairs) == 1:
            _log.error("index.refused", error=str(error))
            self._on_alarm(f"the index refused a row: {error}")
            pairs[0][1].set_exception(error)
            return
        for pair in pairs:
            self._commit([pair])

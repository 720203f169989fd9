"""Segments that leave no trace, for the disk failed before anything of them was promised: gaps tell of their time."""

import threading
from typing import NamedTuple

import structlog

from xomyen.recording.index import Index
from xomyen.recording.jobs import Committer, gap_event
from xomyen.recording.open_segment import OpenSegment
from xomyen.recording.rows import Gap
from xomyen.terms.ids import new_id
from xomyen.terms.words import GapReason, StreamName

_log = structlog.get_logger(__name__)


class _Told(NamedTuple):
    camera: str
    stream: StreamName
    gap: Gap

    def put(self, index: Index) -> None:
        index.put_gap(self.camera, self.stream, self.gap)
        index.put_event("gap", gap_event(self.camera, self.stream, self.gap))


class Unkept:
    """Gaps on their way to the index; told of by the writing and the syncing thread, committed by the latter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Told] = []

    def add(self, segment: OpenSegment, start_ns: int, end_ns: int) -> None:
        """Nothing that was handed over for the segment between these times is kept.

        Late footage fills in a gap that is on record already, and scratch was never to be kept.
        """
        if segment.scratch or segment.late or end_ns <= start_ns:
            return
        gap = Gap(new_id(), start_ns, end_ns, GapReason.DISK, segment.broken)
        with self._lock:
            self._waiting.append(_Told(segment.note.camera, segment.note.stream, gap))

    def commit(self, index: Committer) -> None:
        """Puts what waits on record; what the index refuses is tried again with the next call."""
        with self._lock:
            told, self._waiting = self._waiting, []
        for one in told:
            try:
                index.commit(one.put)
            except Exception as error:  # noqa: BLE001  # whatever it is, the other streams' gaps must not wait for it
                _log.error("segment.gap_refused", camera=one.camera, stream=one.stream, error=str(error))
                with self._lock:
                    self._waiting.append(one)

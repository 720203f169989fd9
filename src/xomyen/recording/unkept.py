"""Footage that was handed over for a file that the disk failed: gaps tell of its time, whatever becomes of the file."""

import threading
from typing import NamedTuple

from xomyen.recording.index import Index
from xomyen.recording.jobs import Committer, committed, dropped, gap_event
from xomyen.recording.open_segment import OpenSegment
from xomyen.recording.rows import Gap
from xomyen.terms.words import StreamName


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
        """Nothing is kept of what was handed over for the segment between these times.

        Late footage fills in a gap that is on record already, and scratch was never to be kept.
        """
        if segment.scratch or segment.late or end_ns <= start_ns:
            return
        if segment.missed == (start_ns, end_ns):
            return
        segment.missed = start_ns, end_ns
        told = _Told(segment.note.camera, segment.note.stream, dropped(segment, start_ns, end_ns))
        with self._lock:
            self._waiting.append(told)

    def rest(self, segment: OpenSegment) -> None:
        """Nothing is kept beyond what is written of the segment, or was promised of it when it is abandoned."""
        written = segment.written
        if written is None:
            return
        kept = segment.promised if segment.abandoned else written
        start_ns = kept.timing.end_ns if kept is not None else written.timing.start_ns
        self.add(segment, start_ns, max(written.timing.end_ns, segment.missed_until_ns))

    def commit(self, index: Committer) -> None:
        """Puts what waits on record; what the index refuses is tried again with the next call."""
        with self._lock:
            told, self._waiting = self._waiting, []
        refused = [one for one in told if not committed(index, one.put, camera=one.camera, gap=one.gap.id)]
        with self._lock:
            self._waiting[:0] = refused  # what is told of the same gap since counts

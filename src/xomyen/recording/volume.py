"""A volume at work: one thread that writes, one that makes durable; a stalled disk holds up nobody else."""

import asyncio
import errno
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import structlog

from xomyen.proof.keys import SigningKey
from xomyen.recording.disk import Disk
from xomyen.recording.index_thread import IndexThread
from xomyen.recording.jobs import CheckpointJob, Job, Notice, RetryJob
from xomyen.recording.open_segment import FragmentJob, OpenSegment
from xomyen.recording.policy import RecorderSettings, VolumeSettings, floor_files
from xomyen.recording.volume_identity import probe, read_identity
from xomyen.recording.volume_writer import OF_THE_VOLUME, VolumeWriter
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.time import Clock

_log = structlog.get_logger(__name__)
_LONGEST_INTERVAL = 30.0
_STOP_SECONDS = 30.0
_RETRY_SECONDS = 10.0  # between attempts to settle segments whose files failed
_FAILURES = 3  # files that fail within
_FAILURES_SECONDS = 60.0  # this time: it is the disk, which then is left alone
_REST_SECONDS = 30.0  # for so long at least


class VolumeStatistics(NamedTuple):
    """What can be seen of a volume."""

    id: str
    path: str
    paused: str  # why nothing is written; empty when all is well
    free_bytes: int
    total_bytes: int
    floor_bytes: int
    queued_bytes: int
    written_bytes: int
    written_frames: int
    dropped_frames: int
    sealed_segments: int
    abandoned_segments: int
    unmended_segments: int  # of these, the ones that are not sealed yet
    syncs: int
    sync_interval: float  # seconds from one sync to the next; adapts to the disk
    last_sync: float  # seconds the newest sync took


class Volume:
    """Jobs go in on the event loop, notices come back there. `paused` and `backlog` may be read at any time."""

    def __init__(
        self,
        identity: str,
        settings: VolumeSettings,
        recorder: RecorderSettings,
        disk: Disk,
        key: SigningKey,
        clock: Clock,
        index: IndexThread,
        *,
        durable: bool,
        on_notices: Callable[[list[Notice]], None],
        on_alarm: Callable[[str, str], None],
        on_fatal: Callable[[str], None],
    ) -> None:
        self.id = identity
        self.settings = settings
        self.path = settings.path
        self.paused = ""
        self._recorder = recorder
        self._disk = disk
        self._index = index
        self._durable = durable
        self._on_notices = on_notices
        self._on_alarm = on_alarm
        self._on_fatal = on_fatal
        self.writer = VolumeWriter(
            disk, key, clock, on_trouble=self._trouble, on_abandoned=self._abandoned, on_fatal=on_fatal
        )
        self._batch: list[Job] = []
        self._queue: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._queued = 0
        self._urgent = threading.Event()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._room = disk.room(settings.path)
        self._device = self._room.device
        self.floor = settings.floor(self._room.total)
        self._syncs = 0
        self._interval = recorder.sync_seconds
        self._last_sync = 0.0
        self._failures: deque[float] = deque(maxlen=_FAILURES)  # when files failed, monotonic
        self._suspect = False  # a file failed: is it the disk?
        self._rest_until = 0.0  # monotonic
        self._retry_at = 0.0  # monotonic

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts the threads."""
        self._loop = loop
        self._descriptor = self._disk.open_volume(self.path)
        loops = [("volume-write", self._write_loop)]
        if self._durable:
            loops.append(("volume-sync", self._sync_loop))
        self._threads = [threading.Thread(target=self._run, args=one, name=one[0], daemon=True) for one in loops]
        for thread in self._threads:
            thread.start()

    def _run(self, name: str, work: Callable[[], None]) -> None:
        """Without one of its threads footage would be lost, or never be acknowledged, and nobody would notice."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  # a fault of ours: a new process is better than none
            _log.exception("volume.thread_ended", thread=name, path=self.path)
            if not self._stopping:
                self._on_fatal(f"the thread {name} of {self.path} ended: {type(error).__name__}: {error}")

    def stop(self) -> None:
        """Writes and syncs what waits, then ends the threads. Blocks; not for the event loop."""
        self.flush()
        if self.writer.unsealed or self.writer.unmended:
            self._queue.put([RetryJob(resume=False)])
        self._queue.put(None)
        self._threads[0].join(_STOP_SECONDS)
        self._stopping = True
        self._urgent.set()
        for thread in self._threads[1:]:
            thread.join(_STOP_SECONDS)
        if any(thread.is_alive() for thread in self._threads):
            _log.error("volume.stalled_at_stop", path=self.path)
            return
        self._disk.close(self._descriptor)

    # --- the event loop's side

    @property
    def backlog(self) -> int:
        """Bytes that wait to be written."""
        return self._queued - self.writer.done_bytes

    def submit(self, job: Job) -> None:
        """Queues a job; all jobs of one turn of the event loop travel together."""
        if not self._batch:
            self._loop.call_soon(self.flush)
        self._batch.append(job)
        if job.__class__ is FragmentJob:
            self._queued += job.size

    def flush(self) -> None:
        """Hands over what was submitted in this turn of the loop."""
        if self._batch:
            batch, self._batch = self._batch, []
            self._queue.put(batch)

    @property
    def statistics(self) -> VolumeStatistics:
        writer = self.writer
        return VolumeStatistics(
            id=self.id,
            path=self.path,
            paused=self.paused,
            free_bytes=self._room.free,
            total_bytes=self._room.total,
            floor_bytes=self.floor,
            queued_bytes=self.backlog,
            written_bytes=writer.written_bytes,
            written_frames=writer.written_frames,
            dropped_frames=writer.dropped_frames,
            sealed_segments=writer.sealed_segments,
            abandoned_segments=writer.abandoned_segments,
            unmended_segments=writer.unmended,
            syncs=self._syncs,
            sync_interval=self._interval,
            last_sync=self._last_sync,
        )

    # --- the writing thread

    def _write_loop(self) -> None:
        while (jobs := self._queue.get()) is not None:
            notices = self.writer.process(jobs)
            if notices:
                self._loop.call_soon_threadsafe(self._on_notices, notices)
            if jobs[-1].__class__ is not FragmentJob:
                self._after(jobs)

    def _after(self, jobs: list[Job]) -> None:
        if any(isinstance(job, RetryJob) and job.resume for job in jobs) and not self.writer.unsealed:
            self.paused = ""
            _log.info("volume.resumed", path=self.path)
        if any(isinstance(job, CheckpointJob) for job in jobs):
            self._urgent.set()  # somebody may wait for the acknowledgement

    def _trouble(self, segment: OpenSegment, error: OSError) -> None:
        why = error.strerror or str(error)
        if error.errno in OF_THE_VOLUME:
            self._pause("read-only" if error.errno == errno.EROFS else "full")
            return
        # One file's fault ends that file; its stream begins another, and the disk is looked at.
        self._on_alarm("file", f"{segment.path} could not be written ({why}): the segment ends there.")
        now = time.monotonic()
        self._failures.append(now)
        if len(self._failures) == _FAILURES and now - self._failures[0] < _FAILURES_SECONDS:
            self._failures.clear()
            self._rest_until = now + _REST_SECONDS
            self._pause(f"failing ({why})")
        self._suspect = True
        self._urgent.set()

    def _abandoned(self, segment: OpenSegment, error: OSError) -> None:
        _log.error("segment.abandoned", segment=segment.note.segment, path=segment.path, error=str(error))
        self._on_alarm(
            "lost",
            f"The disk of {self.path} lost bytes of {segment.path} ({error.strerror or error}):"
            " the segment was abandoned and keeps what was promised of it; check the disk.",
        )

    def _pause(self, why: str) -> None:
        if not self.paused:
            self.paused = why
            _log.error("volume.paused", path=self.path, why=why)
            self._on_alarm("volume", f"Nothing is written to {self.path}: it is {why}.")

    # --- the syncing thread

    def _sync_loop(self) -> None:
        wait = self._interval
        while True:
            self._urgent.wait(wait)
            self._urgent.clear()
            last = self._stopping  # then everything is written, and this sync is the one that counts
            began = time.monotonic()
            self._sync()
            if last:
                return
            took = time.monotonic() - began
            self._look_after()
            # At most half of the time goes into syncing, so a slow disk has room for the footage itself.
            self._last_sync = took
            self._interval = min(max(self._recorder.sync_seconds, 2 * took), _LONGEST_INTERVAL)
            wait = max(0.01, self._interval - took)

    def _sync(self) -> None:
        try:
            if self.writer.sync(self._descriptor, self._index):
                self._syncs += 1
        except (OSError, sqlite3.Error, ValueError) as error:  # nothing was acknowledged; the next start settles it
            _log.error("volume.not_acknowledged", path=self.path, error=str(error))
            self._on_alarm("volume", f"Footage on {self.path} could not be acknowledged: {error}.")

    def _look_after(self) -> None:
        """Is it still the same disk, has it room, can it go on?"""
        try:
            self._room = self._disk.room(self.path)
            if self._room.device != self._device or read_identity(self.path) != self.id:
                self._pause("not the disk it was (unmounted?)")
                return
        except (OSError, VolumeRefused) as error:
            self._pause(f"not there ({error})")
            return
        now = time.monotonic()
        if short := self._short(2):
            self._pause(short)
        elif self.paused:
            if not self._short(3) and now >= self._rest_until and not self._probe():
                self._queue.put([RetryJob(resume=True)])
        elif self._suspect:
            self._suspect = False
            if why := self._probe():
                self._pause(f"failing ({why})")
        elif self.writer.unmended and now >= self._retry_at:
            self._retry_at = now + _RETRY_SECONDS
            self._queue.put([RetryJob(resume=False)])

    def _short(self, quarters: int) -> str:
        """What the disk has too little of, for so many quarters of its floor; empty when it has enough."""
        room = self._room
        if room.free < self.floor // 4 * quarters:
            return "full"
        if room.free_files < floor_files(room.total_files) // 4 * quarters:
            return "full (it takes no more files)"
        return ""

    def _probe(self) -> str:
        """Why the disk does not take a small file; empty when it does."""
        try:
            probe(self.path, self._disk)
        except OSError as error:
            return error.strerror or str(error)
        return ""

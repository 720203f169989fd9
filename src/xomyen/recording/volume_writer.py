"""Writes one volume's fragments, seals its segments, and says in the index what is on disk for certain.

No threads in here: `process` is called by the volume's writing thread and `sync` by its syncing thread, and
tests call both in any order they like.
"""

import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import structlog

from xomyen.proof.keys import SigningKey
from xomyen.proof.tree import leaf_hasher
from xomyen.recording.disk import Disk, write_all
from xomyen.recording.jobs import (
    CheckpointJob,
    CloseJob,
    Committer,
    Job,
    Notice,
    RetryJob,
    Snapshot,
    commit_snapshots,
    fragment_notice,
)
from xomyen.recording.mending import mend
from xomyen.recording.open_segment import FragmentJob, OpenSegment, Timing
from xomyen.recording.unkept import Unkept
from xomyen.terms.buffers import Bytes
from xomyen.terms.time import Clock
from xomyen.terms.words import SegmentState

_log = structlog.get_logger(__name__)
_MOST_PARTS = 1024  # IOV_MAX
# What a whole file system says; any other error is one file's.
OF_THE_VOLUME = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class VolumeWriter:
    """The files of one volume that are being written."""

    def __init__(
        self,
        disk: Disk,
        key: SigningKey,
        clock: Clock,
        *,
        on_trouble: Callable[[OpenSegment, OSError], None],
        on_abandoned: Callable[[OpenSegment, OSError], None],
        on_fatal: Callable[[str], None],
    ) -> None:
        self._disk = disk
        self._key = key
        self._clock = clock
        self._on_trouble = on_trouble
        self._on_abandoned = on_abandoned
        self._on_fatal = on_fatal
        self._lock = threading.Lock()  # guards the dictionaries below
        self._dirty: dict[OpenSegment, None] = {}
        self._folders: set[str] = set()  # made since the last sync
        self._unsealed: list[CloseJob] = []  # the disk did not take their seals yet
        self._abandoned: deque[OpenSegment] = deque()  # no job for them comes any more
        self._failed: deque[OpenSegment] = deque()  # of these, cut to what was promised, the ones to be sealed
        self._checkpoints: list[tuple[OpenSegment, Future[str]]] = []
        self._scratch: dict[tuple[str, str], OpenSegment] = {}
        self._unkept = Unkept()
        self._failed_syncs = 0
        self.done_bytes = 0  # of fragments written or dropped; whoever queues compares with what it queued
        self.written_bytes = 0
        self.written_frames = 0
        self.dropped_frames = 0
        self.sealed_segments = 0
        self.abandoned_segments = 0

    # --- the writing thread

    def process(self, jobs: list[Job]) -> list[Notice]:
        """Carries out the jobs in order; the answer tells of fragments that somebody watches."""
        notices: list[Notice] = []
        touched: dict[OpenSegment, None] = {}
        for job in jobs:
            if job.__class__ is FragmentJob:
                self._fragment(job, touched, notices)
            elif isinstance(job, CloseJob):
                self._close(job, touched)
            elif isinstance(job, CheckpointJob):
                self._checkpoint(job, touched)
            elif isinstance(job, RetryJob):
                self._retry_seals(touched)
        if touched:
            with self._lock:
                self._dirty.update(touched)
        return notices

    def _fragment(self, job: FragmentJob, touched: dict[OpenSegment, None], notices: list[Notice]) -> None:
        segment = job.segment
        try:
            if segment.broken:
                self.dropped_frames += job.samples
                return
            parts = job.parts
            size = job.size
            if segment.descriptor < 0:
                self._begin(segment)
                parts = [segment.header, *parts]
                size += len(segment.header)
            if len(parts) > _MOST_PARTS or self._disk.writev(segment.descriptor, parts) != size:
                self._write_slowly(segment, parts)
            if segment.scratch:
                leaf = None
            else:
                state = leaf_hasher()
                deque(map(state.update, job.parts), maxlen=0)
                leaf = state.digest()
            if size != job.size:
                segment.file_size = len(segment.header)
            offset = segment.file_size
            segment.add(job, leaf)
            if not segment.scratch:
                touched[segment] = None
            self.written_bytes += size
            self.written_frames += job.samples
            if job.notify:
                notices.append(fragment_notice(job, offset, self._clock.wall_ns()))
        except OSError as error:
            self.dropped_frames += job.samples
            self._fail(segment, error)
        finally:
            for lease in job.leases:
                lease.release()
            self.done_bytes += job.size

    def _begin(self, segment: OpenSegment) -> None:
        folder = os.path.dirname(segment.path)
        try:
            segment.descriptor = self._disk.create(segment.path)
        except FileNotFoundError:  # a new day, or retention removed the empty folder
            self._disk.make_folder(folder)
            segment.descriptor = self._disk.create(segment.path)
        segment.file_size, segment.sound = 0, self._failed_syncs
        with self._lock:
            # The names of the folders above (day, stream, camera) may be new too.
            for _ in range(4):
                self._folders.add(folder)
                folder = os.path.dirname(folder)

    def _write_slowly(self, segment: OpenSegment, parts: list[Bytes]) -> None:
        """Many parts, or a disk that took only some of them: from the last whole fragment again, in pieces."""
        self._disk.truncate(segment.descriptor, segment.file_size)
        for first in range(0, len(parts), _MOST_PARTS):
            write_all(self._disk, segment.descriptor, b"".join(parts[first : first + _MOST_PARTS]), segment.path)

    def _fail(self, segment: OpenSegment, error: OSError) -> None:
        """The disk refused: the segment keeps its whole fragments and ends here."""
        segment.broken = error.strerror or str(error)
        if segment.descriptor >= 0:
            self._cut(segment)
        self._on_trouble(segment, error)

    def _cut(self, segment: OpenSegment) -> None:
        """Takes a half-written box away, so that the file ends with a whole one."""
        try:
            self._disk.truncate(segment.descriptor, segment.file_size)
        except OSError as error:
            # Recovery cuts it at the next start.
            _log.warning("segment.not_cut", path=segment.path, error=str(error))

    def _close(self, job: CloseJob, touched: dict[OpenSegment, None]) -> None:
        segment = job.segment
        if segment.scratch:
            self._rotate_scratch(segment)
            return
        if segment.written is None:
            self._forget(segment, job.timing)
            return
        if segment.broken:
            segment.missed_until_ns = job.timing.end_ns
            self._unkept.rest(segment)
        else:
            segment.written = segment.written._replace(timing=job.timing, end_dts=job.end_dts)
            segment.end_dts = job.end_dts
        if segment.abandoned:
            self._abandoned.append(segment)
            return
        statement, box = segment.unplaced or segment.seal(self._key, SegmentState.SEALED, final=True)
        try:
            self._append(segment, box)
        except OSError as error:
            self._cut(segment)
            segment.unplaced = None if segment.chain.withdraw(statement) else (statement, box)
            if error.errno in OF_THE_VOLUME:
                self._unsealed.append(job)
            else:
                segment.abandoned = True
                segment.broken = error.strerror or str(error)
                self._abandoned.append(segment)
            self._on_trouble(segment, error)
            return
        with self._lock:
            if not segment.abandoned:
                segment.final = statement
        if segment.final is None:  # a sync found meanwhile that its bytes are lost
            segment.chain.withdraw(statement)
            self._abandoned.append(segment)
            return
        self.sealed_segments += 1
        touched[segment] = None

    def _forget(self, segment: OpenSegment, timing: Timing) -> None:
        """Nothing was written: no trace is left but a gap, when something was handed over."""
        if segment.broken:
            self._unkept.add(segment, timing.start_ns, timing.end_ns)
        if segment.descriptor >= 0:
            try:
                self._disk.remove(segment.path)
            except OSError as error:
                _log.warning("segment.not_removed", path=segment.path, error=str(error))
            self._disk.close(segment.descriptor)
            segment.descriptor = -1

    def _leave(self, segment: OpenSegment) -> None:
        """An abandoned file keeps what was promised of it; that is sealed as soon as the disk lets it."""
        descriptor, segment.descriptor = segment.descriptor, -1
        kept = segment.promised
        self._unkept.rest(segment)
        try:
            if kept is not None:
                self._disk.truncate(descriptor, kept.file_size)
            else:
                self._disk.remove(segment.path)
        except OSError as error:
            _log.warning("segment.not_cut", path=segment.path, error=str(error))
        self._disk.close(descriptor)
        if kept is not None:
            self._failed.append(segment)

    def _rotate_scratch(self, segment: OpenSegment) -> None:
        """The file before goes; this one stays for readers that are still behind, until the next."""
        key = (segment.note.camera, segment.note.stream)
        before = self._scratch.pop(key, None)
        if segment.descriptor >= 0:
            self._disk.close(segment.descriptor)
            segment.descriptor = -1
            self._scratch[key] = segment
        if before is not None:
            self._disk.remove(before.path)

    def _append(self, segment: OpenSegment, box: bytes) -> None:
        """A seal box at the end of the file."""
        write_all(self._disk, segment.descriptor, box, segment.path)
        segment.file_size += len(box)

    def _checkpoint(self, job: CheckpointJob, touched: dict[OpenSegment, None]) -> None:
        segment = job.segment
        try:
            if segment.broken or segment.written is None or segment.scratch:
                raise OSError(errno.EIO, segment.broken or "nothing was recorded yet", segment.path)
            if segment.final is None:
                statement, box = segment.seal(self._key, SegmentState.OPEN, final=False)
                self._append(segment, box)
                segment.written = segment.written._replace(file_size=segment.file_size)
                segment.new_checkpoints.append(statement)
        except OSError as error:
            if segment.written is not None and not segment.broken:
                self._fail(segment, error)
            if job.done is not None:
                job.done.set_exception(error)
            return
        touched[segment] = None
        if job.done is not None:
            with self._lock:
                # Together, so that no sync acknowledges the checkpoint without its row.
                self._dirty[segment] = None
                self._checkpoints.append((segment, job.done))

    def _retry_seals(self, touched: dict[OpenSegment, None]) -> None:
        waiting, self._unsealed = self._unsealed, []
        for job in waiting:
            self._close(job, touched)
        for _ in range(len(self._failed)):
            segment = self._failed.popleft()
            try:
                mended = mend(segment, self._disk, self._key)
            except OSError as error:
                _log.error("segment.not_mended", path=segment.path, error=str(error))
                self._failed.append(segment)
                continue
            _log.warning("segment.mended", path=segment.path, kept=len(mended.sizes), of=len(segment.sizes))
            touched[mended] = None

    @property
    def unsealed(self) -> int:
        """How many segments wait for room for their seal."""
        return len(self._unsealed)

    @property
    def unmended(self) -> int:
        """How many segments wait until their file can be synced and read again."""
        return len(self._failed)

    # --- the syncing thread

    def sync(self, volume_descriptor: int, index: Committer) -> int:
        """Makes all that was written durable (bytes, then names), then commits the rows; the answer is how many."""
        while self._abandoned:  # cut here, where no row that promises more of them is on its way
            self._leave(self._abandoned.popleft())
        with self._lock:
            dirty, self._dirty = self._dirty, {}
            folders, self._folders = self._folders, set()
            checkpoints, self._checkpoints = self._checkpoints, []
        snapshots = [found for segment in dirty if (found := self._snapshot(segment))]
        try:
            self._disk.sync_volume(volume_descriptor)
        except OSError as error:
            self._failed_syncs += 1
            snapshots = self._sync_each(snapshots, folders, error)
        snapshots = [found for found in snapshots if self._sound(found)]
        self._unkept.commit(index)  # before rows of what follows: whoever starts again looks behind the newest only
        snapshots, refused = commit_snapshots(index, snapshots, self._clock.wall_ns())
        for found in refused:
            found.segment.new_checkpoints[:0] = found.checkpoints
            with self._lock:
                self._dirty[found.segment] = None
        committed = {found.segment for found in snapshots}
        for found in snapshots:
            found.segment.indexed, found.segment.promised = True, found.written
            for hole in found.segment.holes_until(found.written.timing.end_ns):
                found.segment.holes.remove(hole)
            if found.final is not None:
                found.segment.settled = True
                self._disk.close(found.segment.descriptor)
                found.segment.descriptor = -1
        for segment, done in checkpoints:
            if segment in committed or segment.settled:
                done.set_result(segment.note.segment)
            else:
                done.set_exception(OSError(errno.EIO, segment.broken or "its row was refused", segment.path))
        return len(snapshots)

    def _snapshot(self, segment: OpenSegment) -> Snapshot | None:
        # A seal may have been synced before the writing thread told of it: then it is told of once more.
        if segment.abandoned or segment.settled:
            return None
        final = segment.final  # read first: what was written stands still once there is a final seal
        written = segment.written
        if written is None:
            return None
        checkpoints = segment.new_checkpoints[:]
        del segment.new_checkpoints[: len(checkpoints)]
        return Snapshot(segment, written, final, checkpoints)

    def _sync_each(self, snapshots: list[Snapshot], folders: set[str], error: OSError) -> list[Snapshot]:
        """The volume reported a failed write-back: find the file at fault. It is abandoned, the others stand."""
        _log.error("volume.sync_failed", error=str(error))
        good = [found for found in snapshots if self._sound(found)]
        for folder in folders:
            try:
                self._disk.sync_folder(folder)
            except OSError as fault:  # the kernel may have dropped the pages: nothing can be promised any more
                self._on_fatal(f"the folder {folder} cannot be synced: {fault}")
                return []
        if len(good) == len(snapshots):
            _log.warning("volume.sync_error_elsewhere", error=str(error))
        return good

    def _sound(self, found: Snapshot) -> bool:
        """Whether the file lost nothing when a sync of the volume failed; else it is abandoned."""
        fault = found.segment.lost(self._disk, self._failed_syncs)
        if fault is not None:
            self._abandon(found.segment, fault)
        return fault is None

    def _abandon(self, segment: OpenSegment, fault: OSError) -> None:
        """Its bytes may be lost: nothing more is written to it, and its row stays as it is until it is mended."""
        self.abandoned_segments += 1
        with self._lock:
            segment.abandoned = True
            segment.broken = f"fsync failed: {fault.strerror or fault}"
        if segment.final is not None:
            segment.chain.withdraw(segment.final)
            self._leave(segment)  # sealed already: no job for it comes any more
        else:
            self._unkept.rest(segment)  # as far as is known now
        self._on_abandoned(segment, fault)

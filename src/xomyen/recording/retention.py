"""Deletes what is too old or too much, oldest first: row, file, tombstone; never what is held or being read."""

import errno
import fcntl
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from xomyen.recording.disk import Disk
from xomyen.recording.index import Index
from xomyen.recording.index_reader import SEGMENT_QUERY, IndexReader, segment_row
from xomyen.recording.jobs import Committer
from xomyen.recording.policy import StreamPolicy, floor_files
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_final_seal
from xomyen.recording.volume_identity import probe, read_identity
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.time import NS_PER_SECOND, Clock

_log = structlog.get_logger(__name__)
DAY_NS = 86_400 * NS_PER_SECOND
_AT_ONCE = 20  # files deleted by one commit
_MOST_STUCK = 100  # files that cannot be deleted, until no more rows are given up for such
WHO = "retention"
_FIRST = (-1, "")  # the place before every segment's

# ?1 is now. An open segment is nobody's to delete.
_NOT_HELD = """
NOT EXISTS (
    SELECT 1 FROM hold WHERE hold.camera = stream.camera AND hold.until_ns > ?1
    AND hold.start_ns < segment.end_ns AND hold.end_ns > segment.start_ns)
"""
_DELETABLE = " WHERE state != 'open' AND " + _NOT_HELD
_OF_VOLUME = _DELETABLE + " AND segment.volume = ?2"
# Each page goes on after the segment with the start and the id given last.
_BY_AGE = (
    SEGMENT_QUERY + _OF_VOLUME + " AND segment.stream = ?3 AND segment.start_ns < ?4"
    " AND (segment.start_ns, segment.id) > (?5, ?6) ORDER BY segment.start_ns, segment.id LIMIT ?7"
)
# ?2 are the volumes at work, as a JSON list.
_BY_CAMERA = (
    SEGMENT_QUERY  # noqa: S608  # constants
    + _DELETABLE
    + " AND segment.volume IN (SELECT value FROM json_each(?2)) AND stream.camera = ?3"
    + " AND (segment.start_ns, segment.id) > (?4, ?5) ORDER BY segment.start_ns, segment.id LIMIT ?6"
)
_BY_VOLUME = (
    SEGMENT_QUERY + _OF_VOLUME + " AND (segment.start_ns, segment.id) > (?3, ?4)"
    " ORDER BY segment.start_ns, segment.id LIMIT ?5"
)
_STILL_FREE = SEGMENT_QUERY + _DELETABLE + " AND segment.id = ?2"


class RoomOf(NamedTuple):
    """A volume as retention sees it."""

    volume: str
    path: str
    floor: int  # bytes to keep free


class Deleted(NamedTuple):
    """What one round did on one volume."""

    segments: int = 0
    bytes: int = 0
    busy: int = 0  # left alone because somebody reads them
    short: str = ""  # the volume is below its floor, and what is left that may not go
    failing: str = ""  # why its files cannot be deleted
    floor_age_ns: int | None = None  # of the youngest footage that went for the floor; None: none did


class Retention:
    """One round on one volume; touches no other disk, so that one that hangs holds up nobody else's."""

    def __init__(
        self,
        reader: IndexReader,
        index: Committer,
        disk: Disk,
        clock: Clock,
        room: RoomOf,
        at_work: Collection[str],
        policies: Mapping[tuple[str, str], StreamPolicy],
        default: StreamPolicy,
        *,
        age_counts: bool = True,
    ) -> None:
        self._reader = reader
        self._index = index
        self._disk = disk
        self._clock = clock
        self._room = room
        self._at_work = json.dumps(list(at_work))  # ids of all volumes: a camera's bytes count on each
        self._policies = policies
        self._default = default
        self._age_counts = age_counts  # False: the clock that tells it may be wrong
        self._busy = 0
        self._stuck = 0  # files that cannot be deleted, of earlier rounds too
        self._takes_writes: bool | None = None  # not looked at yet
        self._failing = ""

    def run(self) -> Deleted:
        """Deletes by age, then by each camera's bytes, then for the volume's floor. Raises sqlite3.Error.

        What lies on a volume that is not there or takes no writes is left alone: its rows are not given up
        for files that stay, or that come back.
        """
        if not self._is_there():
            return Deleted(failing=self._failing)
        self._finish_deletions()
        now_ns = self._clock.wall_ns()
        held_ns = self._held_ns()
        gone = [*(self._by_age(now_ns) if self._age_counts else ()), *self._by_bytes(held_ns)]
        more, short = self._for_floor(held_ns)
        gone += more
        age_ns = min((now_ns - segment.end_ns for segment in more), default=None)
        return Deleted(len(gone), sum(segment.bytes for segment in gone), self._busy, short, self._failing, age_ns)

    def _is_there(self) -> bool:
        try:
            found = read_identity(self._room.path)
        except VolumeRefused as refusal:
            self._failing = refusal.message
            return False
        if found != self._room.volume:
            self._failing = "it is not there (unmounted?)"
        return found == self._room.volume

    def _can_delete(self) -> bool:
        """Looked at before the round's first deletion. A full disk can, as far as deleting goes.

        One file that stays (somebody made it immutable) does not keep the others; with many it is the disk.
        """
        if self._takes_writes is None:
            self._takes_writes = True
            try:
                probe(self._room.path, self._disk)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    self._fail(error)
                    self._takes_writes = False
        return self._takes_writes and self._stuck < _MOST_STUCK

    def _finish_deletions(self) -> None:
        """Files that could not be removed by an earlier round."""
        rows = self._reader.query(
            "SELECT segment, path FROM tombstone WHERE volume = ? AND done = 0", self._room.volume
        )
        gone = [segment for segment, relative in rows if self._remove(os.path.join(self._room.path, relative))]
        if gone:
            self._index.commit(lambda index: index.finish_burials(gone))

    def _by_age(self, now_ns: int) -> Iterator[Segment]:
        for number, camera, name in self._reader.query("SELECT id, camera, name FROM stream"):
            policy = self._policies.get((camera, name), self._default)
            before_ns = now_ns - policy.retention_days * DAY_NS
            after = _FIRST
            while rows := self._reader.query(_BY_AGE, now_ns, self._room.volume, number, before_ns, *after, _AT_ONCE):
                found = [segment for segment in map(segment_row, rows) if segment.end_ns <= before_ns]
                after = _place(segment_row(rows[-1]))
                yield from self.delete(found, f"older than {policy.retention_days} days", WHO)

    def _held_ns(self) -> int:
        """Holds that last beyond this count; all of them while the clock may be wrong."""
        return self._clock.wall_ns() if self._age_counts else 0

    def _by_bytes(self, held_ns: int) -> Iterator[Segment]:
        limits = {
            camera: policy.retention_bytes for (camera, _), policy in self._policies.items() if policy.retention_bytes
        }
        for camera, limit in limits.items():
            total = self._reader.query(
                "SELECT coalesce(sum(bytes), 0) FROM segment JOIN stream ON stream.id = segment.stream"
                " WHERE camera = ? AND segment.volume IN (SELECT value FROM json_each(?))",
                camera,
                self._at_work,
            )[0][0]
            after = _FIRST
            while total > limit:
                # Oldest first across the volumes; what lies on the others is their rounds' to delete.
                rows = self._reader.query(_BY_CAMERA, held_ns, self._at_work, camera, *after, _AT_ONCE)
                if not rows:
                    break
                chosen = []
                for segment in map(segment_row, rows):
                    if total <= limit:
                        break
                    total -= segment.bytes
                    after = _place(segment)
                    if segment.volume == self._room.volume:
                        chosen.append(segment)
                yield from self.delete(chosen, f"the camera has more than {limit} bytes", WHO)

    def _for_floor(self, held_ns: int) -> tuple[list[Segment], str]:
        """Frees the volume down to its floor; what is left when nothing may go although it is short.

        Looks at the disk once: many file systems (btrfs, XFS, ZFS) show what was freed only after a while, and must
        not lose more for it. The next round looks again.
        """
        room = self._room
        gone: list[Segment] = []
        try:
            found = self._disk.room(room.path)
        except OSError as error:
            self._fail(error)
            return gone, ""
        size, files = room.floor - found.free, floor_files(found.total_files) - found.free_files
        after = _FIRST
        while size > 0 or files > 0:
            rows = self._reader.query(_BY_VOLUME, held_ns, room.volume, *after, _AT_ONCE)
            chosen = _enough(map(segment_row, rows), size, files)
            if not chosen:
                return gone, "" if self._busy or self._failing else self._what_is_left()
            after = _place(chosen[-1])
            done = self.delete(chosen, "the disk's floor", WHO)
            gone += done
            size -= sum(segment.bytes for segment in done)
            files -= len(done)
            if not self._can_delete():
                break
        return gone, ""

    def _what_is_left(self) -> str:
        left = self._reader.query(
            "SELECT count(*) FROM segment WHERE volume = ? AND state != 'open'", self._room.volume
        )[0][0]
        return "only held footage is left on it" if left else "there is no footage on it that could be deleted"

    def delete(self, segments: Sequence[Segment], why: str, who: str) -> list[Segment]:
        """Row first (not done), then file, then done. What somebody reads is left for the next round."""
        free = [segment for segment in segments if self._can_delete() and self._is_free(segment)]
        if not free:
            return []
        now_ns, held_ns = self._clock.wall_ns(), self._held_ns()
        seals = {segment.id: _seal_of(segment.path) for segment in free}
        paths = {segment.id: self._relative(segment) for segment in free}
        buried: list[Segment] = []

        def bury(index: Index) -> None:
            buried.clear()
            for segment in free:
                # Somebody may have put a hold on it since it was chosen.
                if index.database.execute(_STILL_FREE, (held_ns, segment.id)).fetchone():
                    index.bury(segment, paths[segment.id], seals[segment.id], now_ns, why, who, done=False)
                    buried.append(segment)

        self._index.commit(bury)
        gone = [segment for segment in buried if self._remove(segment.path)]
        for folder in {os.path.dirname(segment.path) for segment in gone}:
            # An empty day goes too; one with footage refuses.
            with suppress(OSError):
                os.rmdir(folder)
        self._index.commit(lambda index: index.finish_burials([segment.id for segment in gone]))
        _log.info("retention.deleted", segments=len(gone), why=why)
        return gone

    def _remove(self, path: str) -> bool:
        """A file that cannot be removed now is in the next round."""
        try:
            self._disk.remove(path)
        except OSError as error:
            self._fail(error, path)
            return False
        return True

    def _fail(self, error: OSError, path: str = "") -> None:
        """Something stays that should go; with a path it is that file."""
        why = error.strerror or str(error)
        self._stuck += bool(path)
        self._failing = f"{path}: {why}" if path else why

    def _relative(self, segment: Segment) -> str:
        return str(self._reader.query("SELECT path FROM segment WHERE id = ?", segment.id)[0][0])

    def _is_free(self, segment: Segment) -> bool:
        try:
            descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError as error:
            self._fail(error, segment.path)
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._busy += 1
            return False
        finally:
            os.close(descriptor)
        return True


def _place(segment: Segment) -> tuple[int, str]:
    """Where it stands among the others, oldest first."""
    return segment.start_ns, segment.id


def _enough(oldest: Iterable[Segment], size: int, files: int) -> list[Segment]:
    """As many of these as make up so many bytes and files."""
    chosen: list[Segment] = []
    for segment in oldest:
        if size <= 0 and files <= 0:
            break
        chosen.append(segment)
        size -= segment.bytes
        files -= 1
    return chosen


def _seal_of(path: str) -> bytes | None:
    """Statement and signature of a file's final seal, for its tombstone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        seal = read_final_seal(descriptor, os.fstat(descriptor).st_size)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return seal.encoded + seal.signature if seal is not None else None

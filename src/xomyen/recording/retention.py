"""Deletes what is too old or too much, oldest first: row, file, tombstone; never what is held or being read."""

import errno
import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from xomyen.recording.disk import Disk
from xomyen.recording.index import Index
from xomyen.recording.index_reader import SEGMENT_QUERY, IndexReader, segment_row
from xomyen.recording.jobs import Committer
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_final_seal
from xomyen.recording.volume_identity import probe, read_identity
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.time import NS_PER_SECOND, Clock

_log = structlog.get_logger(__name__)
DAY_NS = 86_400 * NS_PER_SECOND
_AT_ONCE = 100  # files between two looks at the disk
WHO = "retention"

# ?1 is now. An open segment is nobody's to delete.
_NOT_HELD = """
NOT EXISTS (
    SELECT 1 FROM hold WHERE hold.camera = stream.camera AND hold.until_ns > ?1
    AND hold.start_ns < segment.end_ns AND hold.end_ns > segment.start_ns)
"""
_DELETABLE = " WHERE state != 'open' AND " + _NOT_HELD
_OF_VOLUME = _DELETABLE + " AND segment.volume = ?2"
_BY_AGE = (
    SEGMENT_QUERY + _OF_VOLUME + " AND segment.stream = ?3 AND segment.start_ns < ?4 ORDER BY segment.start_ns LIMIT ?5"
)
# ?2 are the volumes at work, as a JSON list; after the segment that starts at ?4 and has the id ?5.
_BY_CAMERA = (
    SEGMENT_QUERY  # noqa: S608  # constants
    + _DELETABLE
    + " AND segment.volume IN (SELECT value FROM json_each(?2)) AND stream.camera = ?3"
    + " AND (segment.start_ns, segment.id) > (?4, ?5) ORDER BY segment.start_ns, segment.id LIMIT ?6"
)
_BY_VOLUME = SEGMENT_QUERY + _OF_VOLUME + " ORDER BY segment.start_ns LIMIT ?3"
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
    ) -> None:
        self._reader = reader
        self._index = index
        self._disk = disk
        self._clock = clock
        self._room = room
        self._at_work = json.dumps(list(at_work))  # ids of all volumes: a camera's bytes count on each
        self._policies = policies
        self._default = default
        self._busy = 0
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
        gone = [*self._by_age(now_ns), *self._by_bytes(now_ns)]
        more, short = self._for_floor(now_ns)
        gone += more
        return Deleted(len(gone), sum(segment.bytes for segment in gone), self._busy, short, self._failing)

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
        """Looked at before the round's first deletion. A full disk can, as far as deleting goes."""
        if self._takes_writes is None:
            self._takes_writes = True
            try:
                probe(self._room.path, self._disk)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    self._fail(error)
                    self._takes_writes = False
        return self._takes_writes and not self._failing

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
            while True:
                found = [
                    segment
                    for row in self._reader.query(_BY_AGE, now_ns, self._room.volume, number, before_ns, _AT_ONCE)
                    if (segment := segment_row(row)).end_ns <= before_ns
                ]
                gone = self.delete(found, f"older than {policy.retention_days} days", WHO)
                yield from gone
                if len(gone) < _AT_ONCE:
                    break

    def _by_bytes(self, now_ns: int) -> Iterator[Segment]:
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
            after = (-1, "")
            while total > limit:
                # Oldest first across the volumes; what lies on the others is their rounds' to delete.
                rows = self._reader.query(_BY_CAMERA, now_ns, self._at_work, camera, *after, _AT_ONCE)
                if not rows:
                    break
                chosen = []
                for segment in map(segment_row, rows):
                    if total <= limit:
                        break
                    total -= segment.bytes
                    after = (segment.start_ns, segment.id)
                    if segment.volume == self._room.volume:
                        chosen.append(segment)
                yield from self.delete(chosen, f"the camera has more than {limit} bytes", WHO)

    def _for_floor(self, now_ns: int) -> tuple[list[Segment], str]:
        """Frees the volume down to its floor; what is left when nothing may go although it is short."""
        room = self._room
        gone: list[Segment] = []
        while True:
            try:
                missing = room.floor - self._disk.room(room.path).free
            except OSError as error:
                self._fail(error)
                return gone, ""
            if missing <= 0:
                return gone, ""
            chosen = []
            for row in self._reader.query(_BY_VOLUME, now_ns, room.volume, _AT_ONCE):
                if missing <= 0:
                    break
                chosen.append(segment_row(row))
                missing -= chosen[-1].bytes
            if not chosen:
                return gone, self._what_is_left()
            done = self.delete(chosen, "the disk's floor", WHO)
            gone += done
            if not done:
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
        now_ns = self._clock.wall_ns()
        seals = {segment.id: _seal_of(segment.path) for segment in free}
        paths = {segment.id: self._relative(segment) for segment in free}
        buried: list[Segment] = []

        def bury(index: Index) -> None:
            buried.clear()
            for segment in free:
                # Somebody may have put a hold on it since it was chosen.
                if index.database.execute(_STILL_FREE, (now_ns, segment.id)).fetchone():
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
            self._fail(error)
            return False
        return True

    def _fail(self, error: OSError) -> None:
        self._failing = error.strerror or str(error)

    def _relative(self, segment: Segment) -> str:
        return str(self._reader.query("SELECT path FROM segment WHERE id = ?", segment.id)[0][0])

    def _is_free(self, segment: Segment) -> bool:
        try:
            descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError as error:
            self._fail(error)
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._busy += 1
            return False
        finally:
            os.close(descriptor)
        return True


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

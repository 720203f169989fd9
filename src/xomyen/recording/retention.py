"""Deletes what is too old or too much, oldest first: row, file, tombstone; never what is held or being read."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
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
_DAY_NS = 86_400 * NS_PER_SECOND
_AT_ONCE = 100  # files between two looks at the disk
WHO = "retention"

# ?1 is now, ?2 a volume or a JSON list of volumes. An open segment is nobody's to delete.
_NOT_HELD = """
NOT EXISTS (
    SELECT 1 FROM hold WHERE hold.camera = stream.camera AND hold.until_ns > ?1
    AND hold.start_ns < segment.end_ns AND hold.end_ns > segment.start_ns)
"""
_DELETABLE = " WHERE state != 'open' AND " + _NOT_HELD
_FREE = _DELETABLE + " AND segment.volume = ?2"
_FREE_AMONG = _DELETABLE + " AND segment.volume IN (SELECT value FROM json_each(?2))"  # noqa: S608  # constants
_OLDEST = " ORDER BY segment.start_ns LIMIT "
_BY_AGE = SEGMENT_QUERY + _FREE_AMONG + " AND segment.stream = ?3 AND segment.start_ns < ?4" + _OLDEST + "?5"
_BY_CAMERA = SEGMENT_QUERY + _FREE_AMONG + " AND stream.camera = ?3" + _OLDEST + "?4"
_BY_VOLUME = SEGMENT_QUERY + _FREE + _OLDEST + "?3"
_STILL_FREE = SEGMENT_QUERY + _DELETABLE + " AND segment.id = ?2"


class RoomOf(NamedTuple):
    """A volume as retention sees it."""

    volume: str
    path: str
    floor: int  # bytes to keep free


class Deleted(NamedTuple):
    """What one round did."""

    segments: int
    bytes: int
    busy: int  # left alone because somebody reads them
    only_held: list[str]  # paths of volumes below their floor with nothing left that may go
    failing: dict[str, str]  # path of a volume whose files cannot be deleted, and why


class Retention:
    """One round at a time, on a thread of its own."""

    def __init__(
        self,
        reader: IndexReader,
        index: Committer,
        disk: Disk,
        clock: Clock,
        default: StreamPolicy,
        tombstone_days: int,
    ) -> None:
        self._reader = reader
        self._index = index
        self._disk = disk
        self._clock = clock
        self._default = default
        self._tombstone_days = tombstone_days
        self._busy = 0
        self._rooms: dict[str, RoomOf] = {}  # of the volumes that are there, by id
        self._writable: set[str] = set()  # of these, the ones that were found to be
        self._failing: dict[str, str] = {}

    def run(self, policies: Mapping[tuple[str, str], StreamPolicy], volumes: Sequence[RoomOf]) -> Deleted:
        """Deletes by age, then by each camera's bytes, then for the volumes' floors. Raises sqlite3.Error.

        What lies on a volume that is not there or takes no writes is left alone: its rows are not given up
        for files that stay, or that come back.
        """
        self._busy = 0
        self._failing = {}
        self._writable = set()
        self._rooms = {room.volume: room for room in volumes if self._is_there(room)}
        now_ns = self._clock.wall_ns()
        gone = [*self._by_age(policies, now_ns), *self._by_bytes(policies, now_ns)]
        only_held = []
        for room in self._rooms.values():
            more, short = self._for_floor(room, now_ns)
            gone += more
            if short:
                only_held.append(room.path)
        self._forget_old(now_ns)
        return Deleted(len(gone), sum(segment.bytes for segment in gone), self._busy, only_held, self._failing)

    def _is_there(self, room: RoomOf) -> bool:
        try:
            return read_identity(room.path) == room.volume
        except VolumeRefused as refusal:
            self._failing[room.path] = refusal.message
            return False

    def _takes_writes(self, volume: str) -> bool:
        """Looked at before the round's first deletion on the volume. A full one does, as far as deleting goes."""
        room = self._rooms.get(volume)
        if room is None or room.path in self._failing:
            return False
        if volume not in self._writable:
            try:
                probe(room.path, self._disk)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    self._failing[room.path] = error.strerror or str(error)
                    return False
            self._writable.add(volume)
        return True

    def _by_age(self, policies: Mapping[tuple[str, str], StreamPolicy], now_ns: int) -> Iterator[Segment]:
        ends: list[tuple[int, int]] = []
        there = json.dumps(list(self._rooms))
        for number, camera, name in self._reader.query("SELECT id, camera, name FROM stream"):
            policy = policies.get((camera, name), self._default)
            before_ns = now_ns - policy.retention_days * _DAY_NS
            while True:
                found = [
                    segment
                    for row in self._reader.query(_BY_AGE, now_ns, there, number, before_ns, _AT_ONCE)
                    if (segment := segment_row(row)).end_ns <= before_ns
                ]
                gone = self.delete(found, f"older than {policy.retention_days} days", WHO)
                yield from gone
                if len(gone) < _AT_ONCE:
                    break
            ends.append((number, before_ns))
        self._index.commit(lambda index: index.forget_gaps(ends))

    def _by_bytes(self, policies: Mapping[tuple[str, str], StreamPolicy], now_ns: int) -> Iterator[Segment]:
        limits = {camera: policy.retention_bytes for (camera, _), policy in policies.items() if policy.retention_bytes}
        there = json.dumps(list(self._rooms))
        for camera, limit in limits.items():
            total = self._reader.query(
                "SELECT coalesce(sum(bytes), 0) FROM segment JOIN stream ON stream.id = segment.stream"
                " WHERE camera = ? AND segment.volume IN (SELECT value FROM json_each(?))",
                camera,
                there,
            )[0][0]
            while total > limit:
                chosen = []
                for row in self._reader.query(_BY_CAMERA, now_ns, there, camera, _AT_ONCE):
                    if total <= limit:
                        break
                    chosen.append(segment_row(row))
                    total -= chosen[-1].bytes
                gone = self.delete(chosen, f"the camera has more than {limit} bytes", WHO)
                yield from gone
                if len(gone) < _AT_ONCE:
                    break

    def _for_floor(self, room: RoomOf, now_ns: int) -> tuple[list[Segment], bool]:
        """Frees a volume down to its floor; whether nothing is left that may go although it is short."""
        gone: list[Segment] = []
        while True:
            try:
                missing = room.floor - self._disk.room(room.path).free
            except OSError as error:
                self._failing[room.path] = error.strerror or str(error)
                return gone, False
            if missing <= 0:
                return gone, False
            chosen = []
            for row in self._reader.query(_BY_VOLUME, now_ns, room.volume, _AT_ONCE):
                if missing <= 0:
                    break
                chosen.append(segment_row(row))
                missing -= chosen[-1].bytes
            if not chosen:
                held = self._reader.query("SELECT count(*) FROM hold WHERE until_ns > ?", now_ns)[0][0]
                return gone, bool(held)
            done = self.delete(chosen, "the disk's floor", WHO)
            gone += done
            if not done:
                return gone, False

    def delete(self, segments: Sequence[Segment], why: str, who: str) -> list[Segment]:
        """Row first (not done), then file, then done. What somebody reads is left for the next round."""
        free = [segment for segment in segments if self._takes_writes(segment.volume) and self._is_free(segment)]
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
        gone = [segment for segment in buried if self._remove(segment)]
        for folder in {os.path.dirname(segment.path) for segment in gone}:
            # An empty day goes too; one with footage refuses.
            with suppress(OSError):
                os.rmdir(folder)
        self._index.commit(lambda index: index.finish_burials([segment.id for segment in gone]))
        _log.info("retention.deleted", segments=len(gone), why=why)
        return gone

    def _remove(self, segment: Segment) -> bool:
        """A file that cannot be removed now is at the next start."""
        try:
            self._disk.remove(segment.path)
        except OSError as error:
            self._fail(segment, error)
            return False
        return True

    def _fail(self, segment: Segment, error: OSError) -> None:
        self._failing[self._rooms[segment.volume].path] = error.strerror or str(error)

    def _relative(self, segment: Segment) -> str:
        return str(self._reader.query("SELECT path FROM segment WHERE id = ?", segment.id)[0][0])

    def _is_free(self, segment: Segment) -> bool:
        try:
            descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError as error:
            self._fail(segment, error)
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._busy += 1
            return False
        finally:
            os.close(descriptor)
        return True

    def _forget_old(self, now_ns: int) -> None:
        before_ns = now_ns - self._tombstone_days * _DAY_NS
        self._index.commit(lambda index: index.forget_tombstones(before_ns))


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

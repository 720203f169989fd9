"""Brings files and index together at the start, both ways, and says what it did."""

import errno
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import structlog

from xomyen.proof.keys import SigningKey
from xomyen.proof.seal import Statement
from xomyen.recording.disk import Disk, write_all
from xomyen.recording.index import Index
from xomyen.recording.index_reader import SEGMENT_QUERY, segment_row
from xomyen.recording.jobs import segment_event
from xomyen.recording.mp4 import BoxError
from xomyen.recording.open_segment import OpenSegment, StreamChain
from xomyen.recording.recovered_file import fragment_job, hash_part, hashes_match, recovered_run, recovered_timing
from xomyen.recording.recovery_report import RecoveryReport
from xomyen.recording.rows import Run, Segment
from xomyen.recording.segment_file import SegmentFile, SegmentFileError, read_segment
from xomyen.recording.segment_note import NoteError, SegmentNote
from xomyen.recording.volume_identity import accept_volume, read_identity
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.ids import is_id
from xomyen.terms.time import Clock
from xomyen.terms.words import SegmentState, StreamName

_log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]


class Signer(NamedTuple):
    """Who signs, and by which clock."""

    node: str
    key: SigningKey
    clock: Clock


class _Found(NamedTuple):
    """A segment's file that has no row, or a row that is still open."""

    volume: str
    path: str
    relative: str
    note: SegmentNote
    run: Run
    file: SegmentFile
    row: Segment | None


def accept_and_recover(
    path: str,
    index: Index,
    disk: Disk,
    signer: Signer,
    chains: dict[tuple[str, str], StreamChain],
    progress: Progress,
    report: RecoveryReport,
    boot: str,
) -> str:
    """The id of the volume at this path, reconciled with the index; what was done is added to the report.

    `boot` is the kernel's boot id. It is remembered for each volume: one that was refused after a power cut is
    still to be distrusted when it comes back later. Raises VolumeRefused.
    """
    known = dict(index.database.execute("SELECT path, id FROM volume").fetchall())
    identity = accept_volume(path, known.get(path), disk)
    with index.transaction():
        index.put_volume(identity, path, signer.clock.wall_ns())
    key = f"boot:{identity}"
    same_boot = boot != "" and index.meta(key) == boot
    recovery = Recovery(
        index, disk, signer, chains, progress, same_boot=same_boot, known_volume=identity in known.values()
    )
    try:
        found = recovery.run(identity, path)
    except OSError as error:
        raise VolumeRefused(f"The volume at {path} cannot be read: {error.strerror or error}.", path=path) from error
    with index.transaction():
        index.set_meta(key, boot)
    report.add(found)
    _log.info("volume.recovered", path=path, **found.summary())
    return identity


class Recovery:
    """One volume's reconciliation. The index is not shared with anybody yet.

    `same_boot`: the machine ran on since the index was last written, so the kernel kept whatever a killed
    process had written. After a power cut blocks may have reached the disk in any order: then only bytes that the
    index promised, or that a seal's hashes confirm, are kept.
    """

    def __init__(
        self,
        index: Index,
        disk: Disk,
        signer: Signer,
        chains: dict[tuple[str, str], StreamChain],
        progress: Progress,
        *,
        same_boot: bool,
        known_volume: bool = True,
    ) -> None:
        self._index = index
        self._disk = disk
        self._node, self._key, self._clock = signer
        self._chains = chains
        self._progress = progress
        self._trust_all = same_boot or not known_volume  # without an index there is nothing better than the files
        self.report = RecoveryReport()
        self._without_seal: list[tuple[_Found, StreamChain]] = []
        self._loose: list[tuple[Segment, Statement, StreamChain]] = []  # seals that follow one not found yet

    def run(self, volume: str, root: str) -> RecoveryReport:
        """Raises OSError when the volume cannot be read or written."""
        self._finish_deletions(volume, root)
        folders = list(stream_folders(root))
        known = self._folders_of_rows(volume)
        every = sorted(set(folders) | known)
        for number, folder in enumerate(every):
            self._progress(root, number, len(every))
            self._folder(volume, root, folder)
        # The seals that were made before this start come first, so that those made now follow them.
        self._follow_links()
        for found, chain in self._without_seal:
            self._seal(found, chain)
        self._progress(root, len(every), len(every))
        return self.report

    def _finish_deletions(self, volume: str, root: str) -> None:
        rows = self._index.database.execute(
            "SELECT segment, path FROM tombstone WHERE volume = ? AND done = 0", (volume,)
        ).fetchall()
        gone = [segment for segment, relative in rows if self._remove(os.path.join(root, relative))]
        self.report.deletions += gone
        if gone:
            with self._index.transaction():
                self._index.finish_burials(gone)

    def _remove(self, path: str) -> bool:
        """Whether the file is gone. One that stays (somebody made it immutable) keeps no volume from its work."""
        try:
            self._disk.remove(path)
        except OSError as error:
            _log.error("recovery.not_removed", path=path, error=str(error))
            self.report.stuck.append(path)
            return False
        return True

    def _folders_of_rows(self, volume: str) -> set[str]:
        # rtrim takes everything behind the last slash: SQLite has no dirname.
        rows = self._index.database.execute(
            "SELECT DISTINCT rtrim(path, replace(path, '/', '')) FROM segment WHERE volume = ?", (volume,)
        )
        return {row[0].rstrip("/") for row in rows}

    def _folder(self, volume: str, root: str, folder: str) -> None:
        """Everything of one stream and day."""
        rows = {
            os.path.basename(row[1]): row
            for row in self._index.database.execute(
                "SELECT id, path, state FROM segment WHERE volume = ? AND path >= ? AND path < ?",
                (volume, folder + "/", folder + "0"),
            )
        }
        try:
            names = set(os.listdir(os.path.join(root, folder)))
        except FileNotFoundError:
            names = set()
        # By name is by time, so that the chain of seals goes on in order.
        for name in sorted(names | set(rows)):
            relative = os.path.join(folder, name)
            if name not in names:
                if read_identity(root) != volume:
                    raise FileNotFoundError(errno.ENOENT, "the volume went away", root)
                self._bury(rows[name][0], relative)
            elif name not in rows:
                self._adopt(volume, root, relative)
            elif rows[name][2] == SegmentState.OPEN:
                self._finish(volume, root, relative, rows[name][0])

    def _bury(self, segment: str, relative: str) -> None:
        row = self._row(segment)
        if row is None:
            return
        self.report.missing.append(segment)
        _log.error("recovery.file_missing", segment=segment, path=row.path)
        with self._index.transaction():
            self._index.bury(row, relative, None, self._clock.wall_ns(), "the file was missing", "recovery", done=True)

    def _adopt(self, volume: str, root: str, relative: str) -> None:
        """A file without a row: deleted already, never begun, or younger than the last commit."""
        path = os.path.join(root, relative)
        name = os.path.basename(relative)
        segment = name[-40:-4]
        if not name.endswith(".mp4") or not is_id(segment):
            self.report.foreign.append(path)
            return
        buried = self._index.database.execute("SELECT 1 FROM tombstone WHERE segment = ?", (segment,)).fetchone()
        if buried is not None:
            if path not in self.report.stuck and self._remove(path):
                self.report.deletions.append(segment)
            return
        try:
            file = self._read(path, 0)
            note = SegmentNote.decode(file.header.note or b"")
            run = recovered_run(note, file)
        except OSError as error:
            self._cannot_read(path, error)
            return
        except (SegmentFileError, NoteError, BoxError):
            file = None
        if file is None or not file.fragments:
            # Where not even the header is whole, no fragment can be.
            if self._remove(path):
                self.report.removed.append(path)
            return
        self._settle(_Found(volume, path, relative, note, run, file, None))

    def _finish(self, volume: str, root: str, relative: str, segment: str) -> None:
        """A row that is still open: its file is cut to whole fragments and sealed."""
        path = os.path.join(root, relative)
        row = self._row(segment)
        if row is None:
            return
        try:
            file = self._read(path, row.bytes)
            note = SegmentNote.decode(file.header.note or b"")
            run = recovered_run(note, file)
        except OSError as error:
            self._cannot_read(path, error)
            return
        except (SegmentFileError, NoteError, BoxError) as error:
            _log.error("recovery.unreadable", path=path, error=str(error))
            self.report.short.append(path)
            return
        whole = len(file.header_bytes) + sum(fragment.size for fragment in file.fragments)
        if whole < row.bytes or not file.fragments:
            _log.error("recovery.acknowledged_bytes_lost", path=path, promised=row.bytes, found=whole)
            self.report.short.append(path)
            if not file.fragments:
                return
        self._settle(_Found(volume, path, relative, note, run, file, row))

    def _cannot_read(self, path: str, error: OSError) -> None:
        """A bad sector in one file is not the whole disk."""
        _log.error("recovery.disk_error", path=path, error=str(error))
        self.report.unreadable.append(path)

    def _read(self, path: str, promised: int) -> SegmentFile:
        """The file as far as it can be trusted. Raises SegmentFileError, OSError."""
        file = read_segment(path)
        if self._trust_all or (file.seal is not None and hashes_match(file, file.seal)):
            return file
        return read_segment(path, upto=promised)

    def _row(self, segment: str) -> Segment | None:
        row = self._index.database.execute(SEGMENT_QUERY + " WHERE segment.id = ?", (segment,)).fetchone()
        return None if row is None else segment_row(row)

    def _settle(self, found: _Found) -> None:
        """Gives the index the file's row, and the file its seal in the end, unless it has one."""
        note = found.note
        chain = self._chains.setdefault((note.camera, str(note.stream)), StreamChain())
        chain.next_sequence = max(chain.next_sequence, note.sequence + 1)
        if found.file.seal is None:
            self._without_seal.append((found, chain))
        else:
            # A seal that stands stays as it is, whoever signed it: `check` says what it is worth.
            statement = found.file.seal.statement
            place = found_place(chain, statement)
            row = self._put(found, statement, place)
            if not place:
                self._loose.append((row, statement, chain))

    def _follow_links(self) -> None:
        """Segments are not sealed in the order of their names: a seal may follow that of a younger one."""
        waiting = self._loose
        while (left := [one for one in waiting if not self._follows(*one)]) and len(left) < len(waiting):
            waiting = left

    def _follows(self, row: Segment, statement: Statement, chain: StreamChain) -> bool:
        """Whether a seal follows the newest of its chain; then it is the newest."""
        with chain.lock:
            if statement.previous != chain.previous:
                return False
            place = chain.advance(statement)
        with self._index.transaction():
            self._index.put_chain_head(row, place)
        return True

    def _seal(self, found: _Found, chain: StreamChain) -> None:
        """The file's seal and row; a file that does not take its seal is left for the next start."""
        try:
            statement, place = self._append_seal(found, chain)
        except (OSError, SegmentFileError) as error:
            _log.error("recovery.not_sealed", path=found.path, error=str(error))
            self.report.unsealed.append(found.path)
        else:
            self._put(found, statement, place)

    def _append_seal(self, found: _Found, chain: StreamChain) -> tuple[Statement, int]:
        """Cuts the file behind its last whole box and appends a seal over what is there; with its place."""
        volume, path, relative, note, run, file, row = found
        segment = OpenSegment(note, run, self._node, volume, path, relative, file.header_bytes, chain)
        descriptor = self._disk.open(path)
        try:
            self._disk.truncate(descriptor, file.end)
            timing = recovered_timing(note, file, row)
            for fragment in file.fragments:
                segment.add(
                    fragment_job(segment, fragment, timing), hash_part(descriptor, fragment.offset, fragment.size)
                )
            statement, box = segment.seal(self._key, SegmentState.RECOVERED, final=True)
            try:
                write_all(self._disk, descriptor, box, path)
                self._disk.sync_file(descriptor)
            except OSError:
                chain.withdraw(statement)
                self._disk.truncate(descriptor, file.end)
                raise
            self._sync_folder(os.path.dirname(path))
        finally:
            self._disk.close(descriptor)
        return statement, segment.chain_place

    def _put(self, found: _Found, statement: Statement, place: int) -> Segment:
        """The row; `place` in the chain of seals, 0 when it is not known."""
        note, row = found.note, found.row
        segment = Segment(
            id=note.segment,
            camera=note.camera,
            stream=note.stream,
            run=note.run,
            sequence=note.sequence,
            volume=found.volume,
            path=found.path,
            state=statement.state,
            start_ns=statement.start_ns,
            end_ns=statement.end_ns,
            first_dts=statement.first_dts,
            end_dts=statement.end_dts,
            bytes=statement.size,
            fragments=statement.fragments,
            frames=statement.frames,
            lost_packets=statement.lost_packets,
            clock_state=statement.clock_state,
            clock_offset_ns=statement.clock_offset_ns,
            late=row.late if row else False,
            seal_hash=statement.hash(),
        )
        with self._index.transaction():
            self._index.put_run(found.run)
            self._index.put_segment(segment, found.relative)
            if place:
                self._index.put_chain_head(segment, place)
            self._index.put_event("segment", segment_event(segment))
        (self.report.adopted if row is None else self.report.recovered).append(found.path)
        return segment

    def _sync_folder(self, folder: str) -> None:
        """Raises VolumeRefused: where names are lost nothing can be promised of any file."""
        try:
            self._disk.sync_folder(folder)
        except OSError as error:
            raise VolumeRefused(f"The folder {folder} cannot be synced: {error.strerror or error}.") from error


def found_place(chain: StreamChain, statement: Statement) -> int:
    """The place in the chain of a seal that an earlier process made and whose row was lost; 0 when it is not known.

    It is the newest if it follows the head, or is the youngest of all; what was recorded since goes on from it or
    from another already, and must not go on from it again.
    """
    with chain.lock:
        if statement.previous == chain.previous or statement.sequence + 1 == chain.next_sequence:
            return chain.advance(statement)
        return chain.length if statement.hash().hex() == chain.previous else 0


def stream_folders(root: str) -> Iterator[str]:
    """Folders `<camera>/<stream>/<day>` of a volume, relative to it."""
    for camera in _subfolders(root):
        if not is_id(camera):
            continue
        for stream in _subfolders(os.path.join(root, camera)):
            if stream not in tuple(StreamName):
                continue
            for day in _subfolders(os.path.join(root, camera, stream)):
                yield os.path.join(camera, stream, day)


def _subfolders(path: str) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))

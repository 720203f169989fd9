"""Compares files and index as a start would, changes nothing, and verifies seals and hashes when asked."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from xomyen.proof.keys import SIGNATURE_BYTES, PublicKey
from xomyen.proof.seal import InvalidSeal, Seal, Statement
from xomyen.proof.tree import leaf_hash, root
from xomyen.recording.chain_order import chain_key, seals_ahead
from xomyen.recording.index_reader import SEGMENT_QUERY, IndexReader, segment_row
from xomyen.recording.recovered_file import hash_part
from xomyen.recording.recovery import stream_folders
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import SegmentFile, SegmentFileError, read_segment
from xomyen.recording.volume_identity import read_identity
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.ids import is_id
from xomyen.terms.words import SegmentState

_LARGEST_ROWID = 2**63 - 1

Progress = Callable[[str, int, int], None]


class Severity(StrEnum):
    PROBLEM = "problem"  # something is lost, altered or contradictory
    NOTE = "note"  # the next start of the recorder settles it by itself


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    code: str
    text: str
    path: str = ""
    segment: str = ""


@dataclass
class CheckReport:
    """What was looked at and what was found."""

    findings: list[Finding] = field(default_factory=list)
    segments: int = 0  # rows, those being written included
    open: int = 0  # of these, the ones that are being written or were not ended
    files: int = 0  # of these segments
    younger: int = 0  # files that the index does not know yet: being written, or to be adopted by the next start
    foreign: int = 0  # files that are no segments
    hashed_bytes: int = 0

    @property
    def clean(self) -> bool:
        """Whether there is no problem; notes do not count."""
        return all(finding.severity is Severity.NOTE for finding in self.findings)


class Check:
    """One look at everything; safe while the recorder runs (say so with `running`)."""

    def __init__(
        self,
        index: IndexReader,
        key: PublicKey | None,
        *,
        hashes: bool = False,
        running: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._index = index
        self._key = key
        self._hashes = hashes
        self._running = running
        self._progress = progress or (lambda what, done, total: None)
        self.report = CheckReport()

    def run(self) -> CheckReport:
        """Raises sqlite3.Error when the index cannot be read at all."""
        self._index_itself()
        for volume, path in self._index.query("SELECT id, path FROM volume ORDER BY added_ns"):
            self._volume(volume, path)
        self._chains()
        self._coverage()
        return self.report

    def _found(self, severity: Severity, code: str, text: str, path: str = "", segment: str = "") -> None:
        self.report.findings.append(Finding(severity, code, text, path, segment))

    def _problem(self, code: str, text: str, path: str = "", segment: str = "") -> None:
        self._found(Severity.PROBLEM, code, text, path, segment)

    def _note(self, code: str, text: str, path: str = "", segment: str = "") -> None:
        self._found(Severity.NOTE, code, text, path, segment)

    def _index_itself(self) -> None:
        try:
            answers = [row[0] for row in self._index.query("PRAGMA quick_check(10)")]
        except sqlite3.DatabaseError as error:
            answers = [str(error)]
        for answer in answers:
            if answer != "ok":
                self._problem("index_damaged", f"The index is damaged: {answer}", self._index.path)

    def _volume(self, volume: str, path: str) -> None:
        try:
            identity = read_identity(path)
        except VolumeRefused as refusal:
            self._problem("volume_unreadable", refusal.message, path)
            return
        if identity != volume:
            self._problem(
                "wrong_volume", f"The volume at {path} should be {volume} and is {identity or 'not there'}.", path
            )
            return
        try:
            folders = set(stream_folders(path))
        except OSError as error:
            self._problem("volume_unreadable", f"The volume at {path} cannot be read: {error}", path)
            return
        rows = self._index.query(
            "SELECT DISTINCT rtrim(path, replace(path, '/', '')) FROM segment WHERE volume = ?", volume
        )
        every = sorted(folders | {row[0].rstrip("/") for row in rows})
        for number, folder in enumerate(every):
            self._progress(path, number, len(every))
            self._folder(volume, path, folder)
        self._progress(path, len(every), len(every))

    def _folder(self, volume: str, root_path: str, folder: str) -> None:
        try:
            names = set(os.listdir(os.path.join(root_path, folder)))
        except FileNotFoundError:
            names = set()
        except OSError as error:
            where = os.path.join(root_path, folder)
            self._problem("unreadable", f"The folder {where} cannot be read: {error}", where)
            return
        # The rows are read after the names: a segment that began in between has no row to miss its file.
        segments = {
            os.path.basename(segment.path): segment
            for segment in map(
                segment_row,
                self._index.query(
                    SEGMENT_QUERY + " WHERE segment.volume = ? AND segment.path >= ? AND segment.path < ?",
                    volume,
                    folder + "/",
                    folder + "0",
                ),
            )
        }
        for name, segment in segments.items():
            self.report.segments += 1
            self.report.open += segment.state is SegmentState.OPEN
            if name in names or os.path.exists(segment.path):
                self.report.files += 1
                self._segment(segment)
            elif self._index.segment(segment.id) is None:
                self.report.segments -= 1  # deleted meanwhile
            else:
                self._problem("file_missing", f"The file of segment {segment.id} is gone.", segment.path, segment.id)
        for name in sorted(names - set(segments)):
            self._stranger(os.path.join(root_path, folder, name))

    def _stranger(self, path: str) -> None:
        segment = os.path.basename(path)[-40:-4]
        if not path.endswith(".mp4") or not is_id(segment):
            self.report.foreign += 1
            self._note("foreign_file", f"{path} is no segment.", path)
            return
        if not os.path.exists(path):
            return  # deleted meanwhile
        if (row := self._index.segment(segment)) is not None:
            # Its row came after the rows were read.
            self.report.segments += 1
            self.report.open += row.state is SegmentState.OPEN
            self.report.files += 1
            self._segment(row)
            return
        if self._index.query("SELECT 1 FROM tombstone WHERE segment = ?", segment):
            self._note("deletion_unfinished", f"{path} was deleted but is still there.", path, segment)
            return
        self.report.younger += 1
        if not self._running:
            self._note("not_indexed", f"{path} is younger than the index; the next start adopts it.", path, segment)

    def _segment(self, segment: Segment) -> None:
        is_open = segment.state is SegmentState.OPEN
        try:
            file = read_segment(segment.path, upto=segment.bytes if is_open else None, walk_all=self._hashes)
        except (SegmentFileError, OSError) as error:
            if self._index.segment(segment.id) is not None:
                self._problem("unreadable", f"{segment.path} cannot be read: {error}", segment.path, segment.id)
            return
        if is_open:
            self._open(segment, file)
        elif file.seal is None:
            self._problem("seal_missing", f"{segment.path} has lost its seal.", segment.path, segment.id)
        else:
            self._sealed(segment, file, file.seal)

    def _open(self, segment: Segment, file: SegmentFile) -> None:
        whole = len(file.header_bytes) + sum(fragment.size for fragment in file.fragments)
        if whole < segment.bytes:
            self._problem(
                "bytes_lost",
                f"{segment.path} has {whole} bytes of footage, {segment.bytes} were promised.",
                segment.path,
                segment.id,
            )
        elif not self._running:
            self._note(
                "not_sealed", f"{segment.path} was not ended; the next start seals it.", segment.path, segment.id
            )

    def _sealed(self, segment: Segment, file: SegmentFile, seal: Seal) -> None:
        statement = seal.statement
        where = (segment.path, segment.id)
        if self._key is not None and not seal.signed_by(self._key):
            self._problem("seal_invalid", f"The seal of {segment.path} is not this node's.", *where)
            return
        if statement.hash() != segment.seal_hash:
            self._problem("seal_changed", f"The seal of {segment.path} is not the one that was indexed.", *where)
        told = (statement.segment, statement.size, statement.fragments, statement.start_ns, statement.end_ns)
        if told != (segment.id, segment.bytes, segment.fragments, segment.start_ns, segment.end_ns):
            self._problem(
                "row_contradicts_seal", f"The index says other things of {segment.path} than its seal.", *where
            )
        if self._hashes:
            self._leaves(segment, file, seal)
        elif len(file.fragments) != statement.fragments:
            self._problem("altered", f"{segment.path} does not have the length that was sealed.", *where)

    def _leaves(self, segment: Segment, file: SegmentFile, seal: Seal) -> None:
        """Every byte that was sealed, against its leaf."""
        leaves = [leaf_hash(file.header_bytes)]
        descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            at = len(file.header_bytes)
            for number, row in enumerate(seal.rows):
                if number < len(file.fragments):
                    at = file.fragments[number].offset
                leaf = hash_part(descriptor, at, row.size)
                leaves.append(leaf)
                if leaf != row.leaf:
                    self._problem(
                        "altered",
                        f"{segment.path}: bytes {at} to {at + row.size} were changed.",
                        segment.path,
                        segment.id,
                    )
                self.report.hashed_bytes += row.size
                at += row.size
        except SegmentFileError as error:
            self._problem("altered", f"{segment.path}: {error}", segment.path, segment.id)
        except OSError as error:
            text = f"{segment.path} cannot be read near byte {at}: {error}"
            self._problem("unreadable", text, segment.path, segment.id)
        finally:
            os.close(descriptor)
        if root(leaves).hex() != seal.statement.root and leaves[1:] == [row.leaf for row in seal.rows]:
            self._problem("altered", f"{segment.path}: its header was changed.", segment.path, segment.id)

    def _chains(self) -> None:
        """Each seal names one that exists, or existed; only the oldest of a stream may name one that is forgotten."""
        for number, camera, name in self._index.query("SELECT id, camera, name FROM stream"):
            known = {
                row[0].hex()
                for row in self._index.query(
                    "SELECT seal_hash FROM segment WHERE stream = ? AND seal_hash IS NOT NULL", number
                )
            }
            stored = self._index.query("SELECT value FROM meta WHERE key = ?", chain_key(number))
            known_ahead = seals_ahead(stored[0][0] if stored else None)
            loose = [
                statement
                for statement in self._statements(number)
                if statement.previous not in known and statement.hash().hex() not in known_ahead
            ]
            if len(loose) > 1:
                deleted = self._deleted(number, {statement.previous for statement in loose})
                loose = [statement for statement in loose if statement.previous not in deleted]
            # The first of all names none, and the oldest that is left one that is forgotten: never two of them.
            for statement in loose[1:]:
                self._problem(
                    "chain_broken",
                    f"Segment {statement.segment} of camera {camera} ({name}) follows a seal that is not there.",
                    segment=statement.segment,
                )

    def _deleted(self, number: int, wanted: set[str]) -> set[str]:
        """Which of these seals are those of deleted segments; the newest deletions are looked at first."""
        found: set[str] = set()
        before = _LARGEST_ROWID
        while wanted - found and (
            rows := self._index.query(
                "SELECT rowid, seal FROM tombstone WHERE stream = ? AND rowid < ? ORDER BY rowid DESC LIMIT 1000",
                number,
                before,
            )
        ):
            found.update(*(_hash_of(seal) for _, seal in rows if seal is not None))
            before = rows[-1][0]
        return found

    def _statements(self, number: int) -> Iterator[Statement]:
        rows = self._index.query(
            SEGMENT_QUERY + " WHERE segment.stream = ? AND seal_hash IS NOT NULL ORDER BY sequence", number
        )
        for segment in map(segment_row, rows):
            try:
                seal = read_segment(segment.path).seal
            except (SegmentFileError, OSError):
                continue  # told of already
            if seal is not None:
                yield seal.statement

    def _coverage(self) -> None:
        """What is recorded is also what the timeline shows."""
        rows = self._index.query(
            # It may be shown in pieces, when pictures are missing in its middle.
            "SELECT segment.id FROM segment WHERE NOT EXISTS (SELECT 1 FROM span WHERE span.stream = segment.stream"
            " AND span.run = segment.run AND span.start_ns <= segment.start_ns AND span.end_ns >= segment.start_ns)"
            " OR NOT EXISTS (SELECT 1 FROM span WHERE span.stream = segment.stream"
            " AND span.run = segment.run AND span.start_ns <= segment.end_ns AND span.end_ns >= segment.end_ns)"
        )
        for (segment,) in rows:
            self._problem("span_missing", f"The timeline does not show segment {segment}.", segment=segment)


def _hash_of(buried: bytes) -> Iterator[str]:
    try:
        yield Statement.decode(buried[:-SIGNATURE_BYTES]).hash().hex()
    except InvalidSeal:
        return


def check(
    index: IndexReader,
    key: PublicKey | None = None,
    *,
    hashes: bool = False,
    running: bool = False,
    progress: Progress | None = None,
) -> CheckReport:
    """Looks at everything an index names. `key` is the node's; without it signatures are not checked."""
    return Check(index, key, hashes=hashes, running=running, progress=progress).run()

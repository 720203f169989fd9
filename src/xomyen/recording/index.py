"""The index as its only writer sees it: opening, migrating, and every change as a method."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import NamedTuple

from xomyen.bus.messages import Message
from xomyen.recording.chain_order import chain_key, with_seal
from xomyen.recording.rows import Gap, Hold, Run, Segment
from xomyen.terms.errors import XomyenError
from xomyen.terms.ids import new_id
from xomyen.terms.words import StreamName

SCHEMA_VERSION = 1
_TOUCHING_NS = 1_000_000  # two segments of a run this near to each other are one span

_TOMBSTONES_AT_ONCE = 1000

_OLDEST_TOMBSTONES = """
SELECT rowid, deleted_ns, done, coalesce(
    (SELECT min(start_ns) FROM segment WHERE segment.stream = tombstone.stream
     AND segment.start_ns >= tombstone.start_ns)
    < (SELECT coalesce(min(start_ns), 9223372036854775807) FROM tombstone AS later
       WHERE later.stream = tombstone.stream AND later.start_ns > tombstone.start_ns), 0)
FROM tombstone ORDER BY rowid
"""

# What leads from each released schema to the next: {from version: statements}.
MIGRATIONS: dict[int, str] = {}


class IndexTooNewError(XomyenError):
    """The index was written by a newer version of the program."""

    code = "index_too_new"
    exit_code = 10


class IndexDamagedError(XomyenError):
    """The index cannot be read."""

    code = "index_damaged"
    exit_code = 10


class OpenSpan(NamedTuple):
    """The span that a stream's newest segment belongs to."""

    number: int
    run: str
    first_segment: str
    newest_segment: str
    newest_sequence: int
    start_ns: int
    end_ns: int


class Index:
    """One connection, used by one thread at a time. Changes happen inside `with index.transaction():`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._streams: dict[tuple[str, str], int] = {}
        self._spans: dict[int, OpenSpan] = {}
        self.has_events = False  # set by a change that leaves an event; read by whoever delivers

    def open(self) -> None:
        """Opens or makes the file and brings it to the newest schema.

        Raises IndexTooNewError, IndexDamagedError, sqlite3.OperationalError (locked, full), OSError.
        """
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        try:
            self._open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise IndexDamagedError(
                f"The index {self.path} cannot be read ({error}). Move it and its -wal file away:"
                " the next start makes a new one from the segments."
            ) from error

    def _open(self) -> None:
        self.database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("PRAGMA foreign_keys = ON")
        migrate(self.database, self.path)
        self._streams = {
            (camera, name): number
            for number, camera, name in self.database.execute("SELECT id, camera, name FROM stream")
        }

    def close(self) -> None:
        self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or nothing of it."""
        spans, streams = dict(self._spans), dict(self._streams)
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.database.execute("COMMIT")
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            self._spans, self._streams = spans, streams
            raise

    def stream_number(self, camera: str, stream: StreamName | str) -> int:
        """The small number of a stream; a row is made when there is none."""
        key = (camera, str(stream))
        number = self._streams.get(key)
        if number is None:
            # The recovery of a volume that came later may have made the row on a connection of its own.
            self.database.execute("INSERT OR IGNORE INTO stream (camera, name) VALUES (?, ?)", key)
            row = self.database.execute("SELECT id FROM stream WHERE camera = ? AND name = ?", key).fetchone()
            number = self._streams[key] = int(row[0])
        return number

    def meta(self, key: str) -> str | None:
        row = self.database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        self.database.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def put_volume(self, volume: str, path: str, added_ns: int) -> None:
        """A volume's row; one that moved gets its new path."""
        self.database.execute(
            "INSERT INTO volume (id, path, added_ns) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET path = excluded.path",
            (volume, path, added_ns),
        )

    def put_run(self, run: Run) -> None:
        self.database.execute(
            "INSERT OR IGNORE INTO run (id, stream, started_ns, codec, codec_string, width, height, sample_entry)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.id,
                self.stream_number(run.camera, run.stream),
                run.started_ns,
                run.codec,
                run.codec_string,
                run.width,
                run.height,
                run.sample_entry,
            ),
        )

    def put_segment(self, segment: Segment, relative: str) -> None:
        """A segment's row, new or again; its span grows with it."""
        stream = self.stream_number(segment.camera, segment.stream)
        self.database.execute(
            "INSERT INTO segment (id, stream, run, sequence, volume, path, state, start_ns, end_ns, first_dts, end_dts,"
            " bytes, fragments, frames, lost_packets, clock_state, clock_offset_ns, late, seal_hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, start_ns = excluded.start_ns,"
            " end_ns = excluded.end_ns, end_dts = excluded.end_dts, bytes = excluded.bytes,"
            " fragments = excluded.fragments, frames = excluded.frames, lost_packets = excluded.lost_packets,"
            " clock_state = excluded.clock_state, clock_offset_ns = excluded.clock_offset_ns,"
            " seal_hash = excluded.seal_hash",
            (
                segment.id,
                stream,
                segment.run,
                segment.sequence,
                segment.volume,
                relative,
                segment.state,
                segment.start_ns,
                segment.end_ns,
                segment.first_dts,
                segment.end_dts,
                segment.bytes,
                segment.fragments,
                segment.frames,
                segment.lost_packets,
                segment.clock_state,
                segment.clock_offset_ns,
                int(segment.late),
                segment.seal_hash,
            ),
        )
        self._extend_span(stream, segment)

    def _extend_span(self, stream: int, segment: Segment) -> None:
        """The segment's span grows with it; one that does not follow on from the segment before begins another."""
        span = self._spans.get(stream)
        if span is not None and span.run == segment.run:
            if span.newest_segment == segment.id:
                start_ns = segment.start_ns if span.first_segment == segment.id else span.start_ns
                self._move_span(stream, span, start_ns, segment.end_ns)
                return
            if segment.sequence > span.newest_sequence:
                # After a step of the clock it may overlap; then it has a span of its own.
                if abs(segment.start_ns - span.end_ns) <= _TOUCHING_NS:
                    span = span._replace(newest_segment=segment.id, newest_sequence=segment.sequence)
                    self._move_span(stream, span, span.start_ns, segment.end_ns)
                else:
                    self._begin_span(stream, segment)
                return
        # One that ended before, of this process or an earlier one.
        row = self.database.execute(
            "SELECT max(start_ns) FROM span WHERE stream = ? AND run = ? AND start_ns <= ? AND end_ns >= ?",
            (stream, segment.run, segment.start_ns, segment.start_ns - _TOUCHING_NS),
        ).fetchone()
        if row[0] is None:
            self._begin_span(stream, segment)
            return
        # Its last piece, when pictures are missing in its middle.
        number, end_ns = self.database.execute(
            "SELECT id, end_ns FROM span WHERE stream = ?1 AND run = ?2"
            " AND (start_ns = ?3 OR start_ns > ?3 AND start_ns < ?4) ORDER BY start_ns DESC LIMIT 1",
            (stream, segment.run, row[0], segment.end_ns),
        ).fetchone()
        if segment.end_ns > end_ns:
            self.database.execute("UPDATE span SET end_ns = ? WHERE id = ?", (segment.end_ns, number))

    def _begin_span(self, stream: int, segment: Segment) -> None:
        cursor = self.database.execute(
            "INSERT INTO span (stream, start_ns, end_ns, run) VALUES (?, ?, ?, ?)",
            (stream, segment.start_ns, segment.end_ns, segment.run),
        )
        number = int(cursor.lastrowid or 0)
        self._spans[stream] = OpenSpan(
            number, segment.run, segment.id, segment.id, segment.sequence, segment.start_ns, segment.end_ns
        )

    def _move_span(self, stream: int, span: OpenSpan, start_ns: int, end_ns: int) -> None:
        if (start_ns, end_ns) != (span.start_ns, span.end_ns):
            self.database.execute(
                "UPDATE span SET start_ns = ?, end_ns = ? WHERE id = ?", (start_ns, end_ns, span.number)
            )
        self._spans[stream] = span._replace(start_ns=start_ns, end_ns=end_ns)

    def take_coverage(self, segment: Segment, start_ns: int, end_ns: int) -> None:
        """Pictures are missing in the middle of a run; what is written next goes on behind them."""
        stream = self.stream_number(segment.camera, segment.stream)
        growing = self._spans.get(stream)
        self.cut_spans(stream, segment.run, start_ns, end_ns)
        behind = self.database.execute(
            "SELECT id, end_ns FROM span WHERE stream = ? AND run = ? AND start_ns = ?", (stream, segment.run, end_ns)
        ).fetchone()
        if growing is not None and growing.run == segment.run and behind is not None:
            self._spans[stream] = growing._replace(
                number=behind[0], first_segment="", start_ns=end_ns, end_ns=behind[1]
            )

    def cut_spans(self, stream: int, run: str, start_ns: int, end_ns: int) -> None:
        """Coverage of a run is gone between two times: spans are shortened, split or removed."""
        rows = self.database.execute(
            "SELECT id, start_ns, end_ns FROM span WHERE stream = ? AND run = ? AND start_ns < ? AND end_ns > ?",
            (stream, run, end_ns, start_ns),
        ).fetchall()
        for number, first_ns, last_ns in rows:
            before, after = first_ns < start_ns, last_ns > end_ns
            if before:
                self.database.execute("UPDATE span SET end_ns = ? WHERE id = ?", (start_ns, number))
            elif after:
                self.database.execute("UPDATE span SET start_ns = ? WHERE id = ?", (end_ns, number))
            else:
                self.database.execute("DELETE FROM span WHERE id = ?", (number,))
            if before and after:
                self.database.execute(
                    "INSERT INTO span (stream, start_ns, end_ns, run) VALUES (?, ?, ?, ?)",
                    (stream, end_ns, last_ns, run),
                )
            self._spans.pop(stream, None)

    def put_chain_head(self, segment: Segment, place: int) -> None:
        """Its seal is the newest of its stream's chain, unless one made later was committed before it."""
        if segment.seal_hash is not None:
            key = chain_key(self.stream_number(segment.camera, segment.stream))
            seal = segment.seal_hash.hex()
            self.set_meta(key, with_seal(self.meta(key), place, segment.id, segment.sequence, seal))

    def put_checkpoint(self, segment: str, fragments: int, size: int, seal_hash: bytes, at_ns: int) -> None:
        self.database.execute(
            "INSERT OR IGNORE INTO checkpoint (segment, fragments, bytes, seal_hash, at_ns) VALUES (?, ?, ?, ?, ?)",
            (segment, fragments, size, seal_hash, at_ns),
        )

    def put_gap(self, camera: str, stream: StreamName | str, gap: Gap) -> None:
        """A gap's row, new or again."""
        self.database.execute(
            "INSERT INTO gap (id, stream, start_ns, end_ns, reason, detail) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET start_ns = excluded.start_ns, end_ns = excluded.end_ns,"
            " reason = excluded.reason, detail = excluded.detail",
            (gap.id, self.stream_number(camera, stream), gap.start_ns, gap.end_ns, gap.reason, gap.detail),
        )

    def put_hold(self, hold: Hold) -> None:
        self.database.execute(
            "INSERT INTO hold (id, camera, start_ns, end_ns, reason, who, until_ns) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (hold.id, hold.camera, hold.start_ns, hold.end_ns, hold.reason, hold.who, hold.until_ns),
        )

    def remove_hold(self, hold: str) -> bool:
        """Whether there was such a hold."""
        return self.database.execute("DELETE FROM hold WHERE id = ?", (hold,)).rowcount > 0

    def bury(
        self, segment: Segment, relative: str, seal: bytes | None, at_ns: int, why: str, who: str, done: bool
    ) -> None:
        """Turns a segment's row into a tombstone; its file goes afterwards."""
        stream = self.stream_number(segment.camera, segment.stream)
        self.database.execute(
            "INSERT OR REPLACE INTO tombstone (segment, stream, volume, path, start_ns, end_ns, bytes, seal,"
            " deleted_ns, why, who, done) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                segment.id,
                stream,
                segment.volume,
                relative,
                segment.start_ns,
                segment.end_ns,
                segment.bytes,
                seal,
                at_ns,
                why,
                who,
                int(done),
            ),
        )
        self.database.execute("DELETE FROM checkpoint WHERE segment = ?", (segment.id,))
        self.database.execute("DELETE FROM segment WHERE id = ?", (segment.id,))
        self.cut_spans(stream, segment.run, segment.start_ns, segment.end_ns)

    def finish_burials(self, segments: Sequence[str]) -> None:
        """Their files are gone."""
        self.database.executemany("UPDATE tombstone SET done = 1 WHERE segment = ?", [(one,) for one in segments])

    def forget_tombstones(self, before_ns: int) -> None:
        """Finished deletions that are this old need no trace any more, at most 1,000 at a time.

        What precedes a segment that still stands (held footage grows old) is kept, for that one's seal names it.
        """
        gone: list[tuple[int]] = []
        # In the order of deletion: with millions of them, only those that go are looked at.
        for number, deleted_ns, done, precedes in self.database.execute(_OLDEST_TOMBSTONES):
            if deleted_ns >= before_ns or len(gone) == _TOMBSTONES_AT_ONCE:
                break
            if done and not precedes:
                gone.append((number,))
        self.database.executemany("DELETE FROM tombstone WHERE rowid = ?", gone)

    def forget_gaps(self, ends: Sequence[tuple[int, int]]) -> None:
        """Gaps older than the footage that is kept say nothing; a stream's number and the time for each stream."""
        self.database.executemany("DELETE FROM gap WHERE stream = ? AND end_ns < ?", ends)

    def put_event(self, kind: str, event: Message) -> None:
        """Leaves an event for the bus, in this transaction. The message's id makes it idempotent."""
        self.has_events = True
        self.database.execute(
            "INSERT OR IGNORE INTO outbox (id, kind, payload) VALUES (?, ?, ?)",
            (getattr(event, "id", None) or new_id(), kind, event.model_dump_json().encode()),
        )

    def remove_events(self, numbers: Sequence[int]) -> None:
        """The bus has them."""
        self.database.executemany("DELETE FROM outbox WHERE number = ?", [(number,) for number in numbers])


def migrate(database: sqlite3.Connection, path: str) -> None:
    """Brings a database from any released version to the newest, each step in one transaction."""
    tables = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
    if not tables:
        schema = resources.files("xomyen.recording").joinpath("schema.sql").read_text("utf-8")
        database.executescript(
            f"BEGIN IMMEDIATE;\n{schema}\n"
            f"INSERT INTO meta (key, value) VALUES ('version', '{SCHEMA_VERSION}');\nCOMMIT;"
        )
        return
    version = int(database.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise IndexTooNewError(
            f"The index {path} was written by a newer version (schema {version}, this program knows {SCHEMA_VERSION});"
            " update the program."
        )
    while version < SCHEMA_VERSION:
        database.executescript(
            f"BEGIN IMMEDIATE;\n{MIGRATIONS[version]}\n"
            f"UPDATE meta SET value = '{version + 1}' WHERE key = 'version';\nCOMMIT;"
        )
        version += 1

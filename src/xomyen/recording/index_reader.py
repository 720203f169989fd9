"""Reads the index while the recorder writes it: segments, spans, gaps, holds, runs."""

import os
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from xomyen.recording.rows import Gap, Hold, Run, Segment, Span
from xomyen.terms.errors import NoFootage
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import ClockState, GapReason, SegmentState, StreamName, VideoCodec

# No segment is longer (the writer sees to it), so a range is found through the index on start times.
LONGEST_SEGMENT_NS = 3600 * NS_PER_SECOND

SEGMENT_QUERY = """
SELECT segment.id, stream.camera, stream.name, segment.run, segment.sequence, segment.volume, volume.path,
       segment.path, state, segment.start_ns, segment.end_ns, first_dts, end_dts, bytes, fragments, frames,
       lost_packets, clock_state, clock_offset_ns, late, seal_hash
FROM segment JOIN stream ON stream.id = segment.stream JOIN volume ON volume.id = segment.volume
"""
_OF_STREAM = " WHERE segment.stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)"


def segment_row(row: Sequence[Any]) -> Segment:
    """A row of the query above as a value."""
    return Segment(
        id=row[0],
        camera=row[1],
        stream=StreamName(row[2]),
        run=row[3],
        sequence=row[4],
        volume=row[5],
        path=os.path.join(row[6], row[7]),
        state=SegmentState(row[8]),
        start_ns=row[9],
        end_ns=row[10],
        first_dts=row[11],
        end_dts=row[12],
        bytes=row[13],
        fragments=row[14],
        frames=row[15],
        lost_packets=row[16],
        clock_state=ClockState(row[17]),
        clock_offset_ns=row[18],
        late=bool(row[19]),
        seal_hash=row[20],
    )


class IndexReader:
    """A read-only view of the index; safe to use from several threads. Close it, or use `with`.

    Raises NoFootage when there is no index yet. Every query sees what was committed when it began.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        if not os.path.exists(self.path):
            raise NoFootage(f"Nothing was recorded yet: there is no index at {self.path}.")
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            f"file:{quote(self.path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=10
        )

    def __enter__(self) -> "IndexReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def query(self, sql: str, *values: object) -> list[Any]:
        """All rows of a SELECT."""
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def segments(self, camera: str, stream: StreamName | str, from_ns: int, to_ns: int) -> list[Segment]:
        """Segments that overlap the range, by start; open ones as far as their bytes are on disk for certain."""
        rows = self.query(
            SEGMENT_QUERY
            + _OF_STREAM
            + " AND start_ns < ? AND start_ns > ? AND end_ns > ? ORDER BY start_ns, sequence",
            camera,
            stream,
            to_ns,
            from_ns - LONGEST_SEGMENT_NS,
            from_ns,
        )
        return [segment_row(row) for row in rows]

    def segment(self, segment: str) -> Segment | None:
        """The segment with this id."""
        rows = self.query(SEGMENT_QUERY + " WHERE segment.id = ?", segment)
        return segment_row(rows[0]) if rows else None

    def all_segments(self, camera: str, stream: StreamName | str) -> list[Segment]:
        """Every segment of a stream, by sequence."""
        rows = self.query(SEGMENT_QUERY + _OF_STREAM + " ORDER BY sequence", camera, stream)
        return [segment_row(row) for row in rows]

    def open_segments(self) -> list[Segment]:
        """Segments that are being written (or were, when the recorder does not run)."""
        rows = self.query(SEGMENT_QUERY + " WHERE state = 'open' ORDER BY start_ns")
        return [segment_row(row) for row in rows]

    def spans(self, camera: str, stream: StreamName | str, from_ns: int, to_ns: int) -> list[Span]:
        """Unbroken coverage that overlaps the range, by start."""
        rows = self.query(
            "SELECT start_ns, end_ns, run FROM span"
            " WHERE stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)"
            " AND start_ns < ? AND end_ns > ? ORDER BY start_ns, id",
            camera,
            stream,
            to_ns,
            from_ns,
        )
        return [Span(*row) for row in rows]

    def gaps(self, camera: str, stream: StreamName | str, from_ns: int, to_ns: int) -> list[Gap]:
        """Gaps that overlap the range, by start; one that still lasts has no end."""
        rows = self.query(
            "SELECT id, start_ns, end_ns, reason, detail FROM gap"
            " WHERE stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)"
            " AND start_ns < ? AND (end_ns IS NULL OR end_ns > ?) ORDER BY start_ns, id",
            camera,
            stream,
            to_ns,
            from_ns,
        )
        return [Gap(row[0], row[1], row[2], GapReason(row[3]), row[4]) for row in rows]

    def covered_until_ns(self, camera: str, stream: StreamName | str) -> int | None:
        """End of the newest footage of a stream."""
        rows = self.query(
            "SELECT max(end_ns) FROM span WHERE stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)",
            camera,
            stream,
        )
        return rows[0][0] if rows else None

    def deleted_any(self, camera: str, stream: StreamName | str) -> bool:
        """Whether footage of a stream was deleted, as far as that is remembered."""
        rows = self.query(
            "SELECT 1 FROM tombstone WHERE stream = (SELECT id FROM stream WHERE camera = ? AND name = ?) LIMIT 1",
            camera,
            stream,
        )
        return bool(rows)

    def holds(self, camera: str, from_ns: int, to_ns: int) -> list[Hold]:
        """Holds that overlap the range, ended ones too as long as they stand in the index."""
        rows = self.query(
            "SELECT id, camera, start_ns, end_ns, reason, who, until_ns FROM hold"
            " WHERE camera = ? AND start_ns < ? AND end_ns > ? ORDER BY start_ns",
            camera,
            to_ns,
            from_ns,
        )
        return [Hold(*row) for row in rows]

    def all_holds(self) -> list[Hold]:
        """Holds of all cameras, ended ones too as long as they stand in the index."""
        rows = self.query("SELECT id, camera, start_ns, end_ns, reason, who, until_ns FROM hold ORDER BY id")
        return [Hold(*row) for row in rows]

    def run(self, run: str) -> Run | None:
        """The run with this id."""
        rows = self.query(
            "SELECT run.id, stream.camera, stream.name, started_ns, codec, codec_string, width, height, sample_entry"
            " FROM run JOIN stream ON stream.id = run.stream WHERE run.id = ?",
            run,
        )
        if not rows:
            return None
        row = rows[0]
        return Run(row[0], row[1], StreamName(row[2]), row[3], VideoCodec(row[4]), *row[5:])

    def first_ns(self, camera: str, stream: StreamName | str) -> int | None:
        """Start of the oldest footage of a stream."""
        rows = self.query(
            "SELECT min(start_ns) FROM segment WHERE stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)",
            camera,
            stream,
        )
        return rows[0][0] if rows else None

    def streams(self) -> list[tuple[str, StreamName]]:
        """Camera id and name of every stream that was ever recorded."""
        rows = self.query("SELECT camera, name FROM stream ORDER BY id")
        return [(camera, StreamName(name)) for camera, name in rows]

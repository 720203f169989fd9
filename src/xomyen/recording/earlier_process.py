"""What the process before this one left of each stream: taken up where it ended, whatever it died of."""

from xomyen.recording.coverage import Coverage, began_key
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import StreamName

_EVER = 1 << 62
# A disk that stalls is left for another, which acknowledges while the first still holds what it was given.
_STALLED_NS = 3600 * NS_PER_SECOND


class EarlierProcess:
    """Loaded from the index before files are reconciled with it; asked when a stream is recorded again."""

    def __init__(self) -> None:
        self._alive_ns: int | None = None
        self._acknowledged_ns: dict[tuple[str, str], int] = {}

    def load(self, index: Index, now_ns: int) -> None:
        """When it was last alive, and until when each stream's footage was acknowledged by every volume it was on."""
        alive = index.meta("alive_ns")
        self._alive_ns = int(alive) if alive else None
        if alive is None:
            with index.transaction():
                index.set_meta("alive_ns", str(now_ns))  # from now on the index is no new one
        query = index.database.execute
        for stream, camera, name in query("SELECT id, camera, name FROM stream").fetchall():
            newest_ns = query("SELECT max(end_ns) FROM span WHERE stream = ?", (stream,)).fetchone()[0]
            if newest_ns is not None:
                ends = query(
                    "SELECT max(end_ns) FROM segment WHERE stream = ? AND start_ns > ? GROUP BY volume",
                    (stream, newest_ns - _STALLED_NS),
                ).fetchall()
                self._acknowledged_ns[camera, name] = min([newest_ns, *(end_ns for (end_ns,) in ends)])

    def take_up(self, coverage: Coverage, reader: IndexReader, camera: str, stream: StreamName) -> None:
        """Tells a stream's coverage what is known of the time since its footage was acknowledged last.

        Files that were younger than that may have been adopted since, with holes between them that nobody told of.
        """
        since_ns = self._since_ns(reader, camera, stream)
        spans = reader.spans(camera, stream, since_ns, _EVER)
        gaps = reader.gaps(camera, stream, since_ns, _EVER)
        coverage.restore(spans, gaps, self._alive_ns, self._began_ns(reader, camera, stream) if since_ns == 0 else None)

    def _began_ns(self, reader: IndexReader, camera: str, stream: StreamName) -> int | None:
        rows = reader.query("SELECT value FROM meta WHERE key = ?", began_key(camera, stream))
        return int(rows[0][0]) if rows else None

    def _since_ns(self, reader: IndexReader, camera: str, stream: StreamName) -> int:
        """From when on footage and gaps together leave nothing out; what ends then is among them."""
        covered_until_ns = reader.covered_until_ns(camera, stream)
        if self._alive_ns is None:  # the index is new: what was missed before, nobody knows any more
            return (covered_until_ns or 0) - 1
        acknowledged_ns = self._acknowledged_ns.get((camera, str(stream)))
        if acknowledged_ns is None and not reader.deleted_any(camera, stream):
            return 0
        if acknowledged_ns is not None and covered_until_ns is not None:
            return min(acknowledged_ns, covered_until_ns) - 1
        # Between gaps of long ago there was footage that is deleted.
        ends = [gap.end_ns or _EVER for gap in reader.gaps(camera, stream, 0, _EVER)]
        return max([covered_until_ns or 0, *ends]) - 1

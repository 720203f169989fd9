"""What the process before this one left of each stream: taken up where it ended, whatever it died of."""

from xomyen.recording.coverage import Coverage
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.words import StreamName

_EVER = 1 << 62


class EarlierProcess:
    """Loaded from the index before files are reconciled with it; asked when a stream is recorded again."""

    def __init__(self) -> None:
        self._alive_ns: int | None = None
        self._acknowledged_ns: dict[tuple[str, str], int] = {}

    def load(self, index: Index) -> None:
        """When it was last alive, and until when each stream's footage was acknowledged."""
        alive = index.meta("alive_ns")
        self._alive_ns = int(alive) if alive else None
        rows = index.database.execute(
            "SELECT stream.camera, stream.name, max(span.end_ns) FROM span JOIN stream ON stream.id = span.stream"
            " GROUP BY stream.id"
        )
        self._acknowledged_ns = {(camera, name): end_ns for camera, name, end_ns in rows}

    def take_up(self, coverage: Coverage, reader: IndexReader, camera: str, stream: StreamName) -> None:
        """Tells a stream's coverage what is known of the time since its footage was acknowledged last.

        Files that were younger than that may have been adopted since, with holes between them that nobody told of.
        """
        acknowledged_ns = self._acknowledged_ns.get((camera, str(stream)))
        covered_until_ns = reader.covered_until_ns(camera, stream)
        since_ns = 0
        if acknowledged_ns is not None and covered_until_ns is not None:
            since_ns = min(acknowledged_ns, covered_until_ns) - 1  # so that the footage that ends then is among it
        spans = reader.spans(camera, stream, since_ns, _EVER)
        if acknowledged_ns is None or not spans:
            # Deletion may have left gaps of long ago without the footage between them: that was not lost.
            since_ns = spans[0].start_ns if spans else self._alive_ns or 0
        coverage.restore(spans, reader.gaps(camera, stream, since_ns, _EVER), self._alive_ns)

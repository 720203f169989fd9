"""Clips: a frame-accurate MP4 of any time range whose media bytes are the recorded fragments, verbatim.

A clip is virtual: some header bytes and places in segment files. It is served, or written, from there.
"""

import hashlib
import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from xomyen.playback.clip_bytes import HeldFiles, OpenPiece, Part, Piece, cut_pieces, join_places
from xomyen.playback.clip_cut import Cut, RunCutter, TakenFragments
from xomyen.playback.clip_header import clip_header
from xomyen.playback.file_bytes import read_all, read_at
from xomyen.playback.lane import in_thread
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import Fragment, SegmentFile, read_segment
from xomyen.terms.errors import Conflict, InvalidRange, NoFootage
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName

_MARGIN_NS = NS_PER_SECOND  # pictures shown before a segment's own keyframe need the segment before
_CHUNK = 1 << 20


class SeveralRuns(Conflict):
    """The range holds footage of several runs, and a clip is of one; `runs` are their ids, in order of time."""

    code = "several_runs"

    def __init__(self, runs: Sequence[str]) -> None:
        super().__init__(f"The range holds {len(runs)} separate runs of the camera; ask for a clip of each.")
        self.runs = tuple(runs)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of one run, ready to be read."""

    camera: str
    stream: StreamName
    run: str
    header: bytes
    parts: tuple[Part, ...]
    taken: tuple[TakenFragments, ...]  # what of which segment; offsets count from the end of the header
    size: int  # bytes
    etag: str  # strong (RFC 9110 §8.8.3), with its quotes
    frames: int  # pictures shown
    first_ns: int  # presentation time of the first picture shown
    last_ns: int  # of the last
    end_ns: int  # when the last ends
    threads: Executor | None = None  # where `chunks` reads from the disk

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[Piece]:
        """What makes up the bytes [start, end): header bytes, then places in files. Raises InvalidRange."""
        end = self.size if end is None else end
        if not 0 <= start <= end <= self.size:
            raise InvalidRange(f"Bytes {start} to {end} lie outside the clip of {self.size} bytes.")
        return cut_pieces((self.header, *self.parts), start, end)

    @contextmanager
    def open_range(self, start: int = 0, end: int | None = None) -> Iterator[Iterator[OpenPiece]]:
        """The pieces of a range as header bytes and (descriptor, offset, length), fit for `os.sendfile`.

        Their files are held against deletion until the block ends. Raises FileNotFoundError when a file is gone.
        """
        with HeldFiles(tuple(self.pieces(start, end))) as held:
            yield iter(held)

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """The bytes of a range at once."""
        with self.open_range(start, end) as pieces:
            return b"".join(
                piece if isinstance(piece, bytes) else read_all(piece[0], piece[2], piece[1]) for piece in pieces
            )

    async def chunks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes of [start, end) in pieces of at most 1 MiB, without blocking the event loop."""
        held = HeldFiles(tuple(self.pieces(start, end)))
        try:
            await in_thread(self.threads, held.__enter__)
            while (piece := await in_thread(self.threads, held.next)) is not None:
                if isinstance(piece, bytes):
                    yield piece
                    continue
                descriptor, offset, length = piece
                for at in range(offset, offset + length, _CHUNK):
                    yield await read_at(descriptor, min(_CHUNK, offset + length - at), at, self.threads)
        finally:
            held.__exit__()


def segments_for_clip(index: IndexReader, camera: str, stream: StreamName, from_ns: int, to_ns: int) -> list[Segment]:
    """The segments that clips of this range may need. Raises InvalidRange, NoFootage."""
    if from_ns >= to_ns:
        raise InvalidRange(f"The range is reversed or empty: from {format_utc(from_ns)} to {format_utc(to_ns)}.")
    segments = index.segments(camera, stream, from_ns - _MARGIN_NS, to_ns)
    if not segments:
        raise _nothing(from_ns, to_ns)
    return segments


def plan_clip(
    segments: Iterable[Segment], from_ns: int, to_ns: int, *, run: str | None = None, threads: Executor | None = None
) -> Clip:
    """The clip of the pictures with presentation time in [from, to), of this run or of the only one.

    Blocks for a moment: it reads the files' own tables. Raises NoFootage, SeveralRuns, FileNotFoundError
    (retention was faster), SegmentFileError.
    """
    wanted = (segment for segment in segments if run in (None, segment.run))
    clips = plan_clips(wanted, from_ns, to_ns, threads=threads)
    if len(clips) > 1:
        raise SeveralRuns([clip.run for clip in clips])
    return clips[0]


def plan_clips(
    segments: Iterable[Segment],
    from_ns: int,
    to_ns: int,
    *,
    sealed_only: bool = False,
    threads: Executor | None = None,
) -> list[Clip]:
    """One clip for each run with pictures in [from, to), in order of time.

    `sealed_only` leaves out fragments that no seal covers yet: the end of a segment being written.
    Raises NoFootage, FileNotFoundError, SegmentFileError.
    """
    ordered = sorted(segments, key=lambda segment: segment.sequence)
    clips = []
    for run, of_run in groupby(ordered, key=lambda segment: segment.run):
        cutter = RunCutter(from_ns, to_ns)
        for segment in of_run:
            file = read_segment(segment.path)
            cutter.add(segment, file, _sealed(file) if sealed_only else file.fragments)
        cut = cutter.cut()
        if cut is not None:
            clips.append(_clip(run, cut, threads))
    if not clips:
        raise _nothing(from_ns, to_ns)
    return sorted(clips, key=lambda clip: clip.first_ns)


def _sealed(file: SegmentFile) -> list[Fragment]:
    if file.seal is not None:
        return file.fragments
    return file.fragments[: file.checkpoint.statement.fragments if file.checkpoint else 0]


def _nothing(from_ns: int, to_ns: int) -> NoFootage:
    return NoFootage(
        f"Nothing was recorded between {format_utc(from_ns)} and {format_utc(to_ns)}; "
        "`xomyen timeline` shows what there is."
    )


def _clip(run: str, cut: Cut, threads: Executor | None) -> Clip:
    origin = cut.taken[0].source
    header = clip_header(origin.file.header, cut.table, cut.edit, cut.payload, cut.first_ns)
    parts = join_places(
        Part(taken.source.segment.path, fragment.offset, fragment.size)
        for taken in cut.taken
        for fragment in taken.source.file.fragments[taken.first : taken.end]
    )
    # Fragments never change once written, so that their places name their bytes.
    places = "".join(f"{os.path.basename(part.path)} {part.offset} {part.length}\n" for part in parts)
    return Clip(
        camera=origin.segment.camera,
        stream=origin.segment.stream,
        run=run,
        header=header,
        parts=parts,
        taken=cut.taken,
        size=len(header) + cut.payload,
        etag=f'"{hashlib.sha256(header + places.encode()).hexdigest()[:32]}"',
        frames=cut.frames,
        first_ns=cut.first_ns,
        last_ns=cut.last_ns,
        end_ns=cut.end_ns,
        threads=threads,
    )

"""What recorded files hold in a time range: whole groups of pictures with their wall time."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from xomyen.playback.clip_times import SegmentTimes
from xomyen.playback.sample import Sample
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.mp4 import codec_of
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import Fragment, SegmentFile, SegmentFileError, read_samples, read_segment
from xomyen.recording.segment_note import NoteError, SegmentNote
from xomyen.terms.words import SegmentState, StreamName, VideoCodec

_FILES_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Recorded:
    """A segment with what its file holds; times of pictures are given by when they are decoded."""

    segment: Segment
    file: SegmentFile
    times: SegmentTimes
    lead: int  # ticks from decoding to presentation of a keyframe; more than 0 where there are B-frames

    @classmethod
    def of(cls, segment: Segment, file: SegmentFile) -> "Recorded":
        """Reads the lead from the seal, or from the note in the file's header."""
        seal = file.seal or file.checkpoint
        first_dts = file.first_dts if file.fragments else segment.first_dts
        start_ticks = first_dts
        if seal is not None:
            start_ticks = seal.statement.start_ticks
        elif file.header.note is not None:
            try:
                start_ticks = SegmentNote.decode(file.header.note).start_ticks
            except NoteError:
                start_ticks = first_dts
        return cls(segment, file, SegmentTimes.of(segment, file, start_ticks), max(0, start_ticks - first_dts))

    @property
    def codec(self) -> VideoCodec:
        return codec_of(self.file.header.sample_entry)

    @property
    def growing(self) -> bool:
        """Whether more may follow."""
        return self.segment.state is SegmentState.OPEN and self.file.seal is None

    def wall_ns(self, dts: int) -> int:
        """When the keyframe decoded at this media time is shown."""
        return self.times.wall_ns(dts + self.lead)

    def shown_pts(self, wall_ns: int) -> int:
        """The greatest presentation time, ticks, that is not later than this instant."""
        times = self.times
        return times.start_ticks + (wall_ns - times.start_ns) * times.length_ticks // times.length_ns


@dataclass(frozen=True, slots=True)
class Group:
    """Whole groups of pictures that follow each other in one file; the unit that HLS serves."""

    recorded: Recorded
    fragments: tuple[Fragment, ...]  # the first starts with a keyframe
    duration: int  # ticks

    @property
    def segment(self) -> Segment:
        return self.recorded.segment

    @property
    def header_bytes(self) -> int:
        """Length of the file's ftyp + moov."""
        return len(self.recorded.file.header_bytes)

    @property
    def offset(self) -> int:
        return self.fragments[0].offset

    @property
    def end(self) -> int:
        """Offset behind the last byte; checkpoint seals between the fragments are inside, which players skip."""
        return self.fragments[-1].offset + self.fragments[-1].size

    @property
    def first_dts(self) -> int:
        return self.fragments[0].first_dts

    @property
    def end_dts(self) -> int:
        return self.first_dts + self.duration

    @property
    def wall_ns(self) -> int:
        return self.recorded.wall_ns(self.first_dts)

    @property
    def end_wall_ns(self) -> int:
        return self.recorded.wall_ns(self.end_dts)


class FileShelf:
    """Where the fragments of closed segments lie, remembered; open ones are read each time. Safe from any thread."""

    def __init__(self, kept: int = _FILES_KEPT) -> None:
        self._kept = kept
        self._files: OrderedDict[str, Recorded] = OrderedDict()
        self._lock = Lock()

    def read(self, segment: Segment) -> Recorded | None:
        """The segment's fragments, or None when its file cannot be read (deleted a moment ago, disk away)."""
        if segment.state is not SegmentState.OPEN:
            with self._lock:
                known = self._files.get(segment.id)
                if known is not None:
                    self._files.move_to_end(segment.id)
                    return known
        try:
            found = Recorded.of(segment, read_segment(segment.path))
        except (OSError, SegmentFileError):
            return None
        if segment.state is not SegmentState.OPEN:
            with self._lock:
                self._files[segment.id] = found
                while len(self._files) > self._kept:
                    self._files.popitem(last=False)
        return found


def groups_of(recorded: Recorded, least_ticks: int = 0) -> list[Group]:
    """The file's whole groups of pictures, joined until each lasts `least_ticks`.

    A group of an open segment is whole when the next has begun, so the last one is left out.
    """
    file = recorded.file
    starts = [number for number, fragment in enumerate(file.fragments) if fragment.key]
    if not starts:
        return []
    ends = starts[1:]
    if not recorded.growing:
        ends.append(len(file.fragments))
    groups = []
    begin = starts[0]
    for end in ends:
        fragments = file.fragments[begin:end]
        last = fragments[-1]
        duration = last.first_dts + last.duration - fragments[0].first_dts
        if end < len(file.fragments):
            duration = file.fragments[end].first_dts - fragments[0].first_dts  # exact
        # The rest of a growing file waits until it is long enough, so that what was listed once never changes.
        if duration >= least_ticks or (end == ends[-1] and not recorded.growing):
            groups.append(Group(recorded, tuple(fragments), duration))
            begin = end
    return groups


def groups_between(recorded: Iterable[Recorded], from_ns: int, to_ns: int, least_ticks: int = 0) -> list[Group]:
    """Whole groups of these segments that overlap the range, by time."""
    return [
        group
        for one in recorded
        for group in groups_of(one, least_ticks)
        if group.wall_ns < to_ns and group.end_wall_ns > from_ns
    ]


def segments_between(index: IndexReader, camera: str, stream: StreamName, from_ns: int, to_ns: int) -> list[Segment]:
    """Segments that overlap the range, by start.

    The index knows of an open segment only what is on disk for certain, two seconds less than the file
    holds; so one that began before the range's end is among them even when it seems to end too early.
    """
    found = index.segments(camera, stream, from_ns, to_ns)
    known = {segment.id for segment in found}
    for (segment_id,) in index.query(
        "SELECT id FROM segment WHERE state = 'open' AND start_ns < ?"
        " AND stream = (SELECT id FROM stream WHERE camera = ? AND name = ?)",
        to_ns,
        camera,
        stream,
    ):
        segment = None if segment_id in known else index.segment(segment_id)
        if segment is not None:
            found.append(segment)
    return found


def samples_in(file: SegmentFile, fragments: Sequence[Fragment]) -> list[Sample]:
    """The coded pictures of these fragments in decoding order. Raises SegmentFileError, OSError."""
    found: list[Sample] = []
    for fragment in fragments:
        table = read_samples(file.path, fragment)
        rows = zip(table.offsets, table.sizes, table.dts, table.pts, table.keys, strict=True)
        found.extend(Sample(*row) for row in rows)
    return found

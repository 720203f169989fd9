"""What travels to a volume's threads and back, and what the bus is told of it."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, Protocol

import structlog

from xomyen.bus.messages import FragmentNotice, GapEvent, SegmentEvent
from xomyen.proof.seal import Statement
from xomyen.recording.index import Index
from xomyen.recording.open_segment import FragmentJob, OpenSegment, Timing, Written
from xomyen.recording.rows import Gap, Segment
from xomyen.terms.ids import new_id
from xomyen.terms.words import GapReason, SegmentState, StreamName

_log = structlog.get_logger(__name__)


class CloseJob(NamedTuple):
    """Nothing more comes: seal the segment. `timing` has its last word on time."""

    segment: OpenSegment
    timing: Timing
    end_dts: int


class CheckpointJob(NamedTuple):
    """Seal what is there; `done` is told when the checkpoint's row is committed (or why not)."""

    segment: OpenSegment
    done: "Future[str] | None"


class Notice(NamedTuple):
    """A fragment of a watched stream is in the file."""

    camera: str
    stream: StreamName
    fragment: FragmentNotice


class Snapshot(NamedTuple):
    """What was in a segment's file before a sync began."""

    segment: OpenSegment
    written: Written
    final: Statement | None
    checkpoints: list[Statement]


class RetryJob(NamedTuple):
    """The disk may be well again: seal what could not be sealed."""

    resume: bool  # and write again, if that goes well


Job = FragmentJob | CloseJob | CheckpointJob | RetryJob


class Committer(Protocol):
    """The index, as far as the writer needs it: commit and wait."""

    def commit(self, work: Callable[[Index], None]) -> None: ...


def fragment_notice(job: FragmentJob, offset: int, written_ns: int) -> Notice:
    """What whoever watches is told of a fragment that is in the file."""
    segment = job.segment
    note = segment.note
    return Notice(
        note.camera,
        note.stream,
        FragmentNotice(
            segment=note.segment,
            run=note.run,
            path=segment.path,
            header_bytes=len(segment.header),
            offset=offset,
            size=job.size,
            first_dts=job.first_dts,
            duration=job.end_dts - job.first_dts,
            key=job.key,
            wall_ns=job.wall_ns,
            written_ns=written_ns,
        ),
    )


def gap_event(camera: str, stream: StreamName, gap: Gap) -> GapEvent:
    """What the bus is told of a gap."""
    return GapEvent(
        id=new_id(),
        camera=camera,
        stream=stream,
        gap=gap.id,
        start_ns=gap.start_ns,
        end_ns=gap.end_ns,
        reason=gap.reason,
        detail=gap.detail,
    )


def put_missing(index: Index, row: Segment, gap: Gap) -> None:
    """A gap within or right behind a segment: its coverage there is taken back, and the bus is told."""
    index.take_coverage(row, gap.start_ns, row.end_ns if gap.end_ns is None else gap.end_ns)
    index.put_gap(row.camera, row.stream, gap)
    index.put_event("gap", gap_event(row.camera, row.stream, gap))


def dropped(segment: OpenSegment, start_ns: int, end_ns: int) -> Gap:
    """What was handed over for a segment and is not in its file, for the disk failed; one gap for each segment."""
    return Gap(segment.note.segment, start_ns, end_ns, GapReason.DISK, segment.broken)


def put_dropped(index: Index, row: Segment, segment: OpenSegment) -> None:
    """Where a segment's footage ended before what was handed over for it did."""
    if segment.missed_until_ns > row.end_ns:
        put_missing(index, row, dropped(segment, row.end_ns, segment.missed_until_ns))


def put_snapshot(index: Index, found: Snapshot, now_ns: int) -> None:
    """A segment's row as far as it is on disk, with what belongs to it."""
    segment, written, final, checkpoints = found
    if not segment.indexed:
        index.put_run(segment.run)
    row = segment.row(written, final)
    index.put_segment(row, segment.relative)
    for statement in checkpoints:
        index.put_checkpoint(row.id, statement.fragments, statement.size, statement.hash(), now_ns)
    if final is not None:
        index.put_event("segment", segment_event(row))
        index.put_chain_head(row, segment.chain_place)
        if final.state is SegmentState.RECOVERED:  # less may stand than was promised; else the gap is told already
            put_dropped(index, row, segment)
    for hole in segment.holes_until(row.end_ns):
        put_missing(index, row, hole)


def commit_snapshots(index: Committer, snapshots: list[Snapshot], now_ns: int) -> tuple[list[Snapshot], list[Snapshot]]:
    """The rows, all at once; when the index refuses, one by one: what is acknowledged now, and what was refused."""

    def put(open_index: Index) -> None:
        for found in snapshots:
            put_snapshot(open_index, found, now_ns)
        open_index.set_meta("alive_ns", str(now_ns))

    if not snapshots or committed(index, put, path=snapshots[0].segment.path, rows=len(snapshots)):
        return snapshots, []
    if len(snapshots) == 1:
        return [], snapshots
    each = [commit_snapshots(index, [one], now_ns) for one in snapshots]
    return [found for done, _ in each for found in done], [found for _, refused in each for found in refused]


def committed(index: Committer, work: Callable[[Index], None], **what: str | int) -> bool:
    """Whether the index took it; what it refuses, for whatever reason, must not cost the others their rows."""
    try:
        index.commit(work)
    except Exception as error:  # noqa: BLE001
        _log.error("index.refused", error=str(error), **what)
        return False
    return True


def segment_event(row: Segment) -> SegmentEvent:
    """What the bus is told of a segment that ended."""
    return SegmentEvent(
        id=new_id(),
        camera=row.camera,
        stream=row.stream,
        segment=row.id,
        run=row.run,
        sequence=row.sequence,
        state=row.state,
        start_ns=row.start_ns,
        end_ns=row.end_ns,
        bytes=row.bytes,
        frames=row.frames,
        lost_packets=row.lost_packets,
        clock_state=row.clock_state,
        clock_offset_ns=row.clock_offset_ns,
        seal=row.seal_hash.hex() if row.seal_hash else "",
    )

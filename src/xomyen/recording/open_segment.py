"""A segment while it is being written: what the writer knows of it, and how it is sealed."""

import threading
from collections import deque
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from xomyen.proof.keys import SigningKey
from xomyen.proof.seal import FragmentRow, Statement, seal_box
from xomyen.proof.tree import leaf_hash, root
from xomyen.recording.disk import Disk
from xomyen.recording.rows import Gap, Run, Segment
from xomyen.recording.segment_note import SegmentNote
from xomyen.terms.buffers import Bytes, Lease
from xomyen.terms.words import ClockState, SegmentState

_WITHDRAWN = 64  # seals


class StreamChain:
    """Where a stream's chain of seals stands; shared by the stream's sinks and the writers of all volumes.

    Segments are sealed in any order (a full disk's later, a volume's that appears late after everything), but each
    final seal names the one made before it, so that no two name the same.
    """

    __slots__ = ("_before", "head_segment", "head_sequence", "length", "lock", "next_sequence", "previous")

    def __init__(self, previous: str = "", next_sequence: int = 1) -> None:
        self.lock = threading.Lock()  # from reading `previous` to `advance`; never while a disk is waited for
        self.previous = previous  # hex hash of the newest final seal's statement, or empty
        self.next_sequence = next_sequence
        self.head_segment = ""  # the segment of the newest seal and its number; empty before the first
        self.head_sequence = 0
        self.length = 0  # seals made so far
        # What the newest seals stand behind; as many are withdrawn in a row as a full disk takes back at once.
        self._before: deque[tuple[str, str, int]] = deque(maxlen=_WITHDRAWN)

    def advance(self, statement: Statement) -> int:
        """The statement is the newest now; the answer is its place in the chain."""
        self._before.append((self.previous, self.head_segment, self.head_sequence))
        self.previous = statement.hash().hex()
        self.head_segment, self.head_sequence = statement.segment, statement.sequence
        self.length += 1
        return self.length

    def withdraw(self, statement: Statement) -> bool:
        """Its seal did not reach the disk. False when another names it already: then it must get there yet."""
        with self.lock:
            if self.previous != statement.hash().hex() or not self._before:
                return False
            self.previous, self.head_segment, self.head_sequence = self._before.pop()
            self.length -= 1
            return True

    def take_sequence(self) -> int:
        """The number of the next segment."""
        number = self.next_sequence
        self.next_sequence += 1
        return number


class Timing(NamedTuple):
    """A segment's mapping and clock, as the event loop knows them when it hands over a fragment."""

    start_ns: int
    start_ticks: int
    end_ns: int
    end_ticks: int
    clock_state: ClockState
    clock_offset_ns: int | None
    lost_packets: int


class Written(NamedTuple):
    """How far a segment has come in the file; replaced as a whole, so that other threads may read it."""

    bytes: int  # header and fragments
    fragments: int
    frames: int
    end_dts: int
    file_size: int  # with the checkpoint seals in between
    timing: Timing


class FragmentJob:
    """One fragment on its way to the file. The leases are released when the bytes are written (or dropped)."""

    __slots__ = (
        "end_dts",
        "first_dts",
        "key",
        "leases",
        "notify",
        "parts",
        "samples",
        "segment",
        "size",
        "timing",
        "wall_ns",
    )

    def __init__(
        self,
        segment: "OpenSegment",
        parts: list[Bytes],
        size: int,
        first_dts: int,
        end_dts: int,
        samples: int,
        key: bool,
        timing: Timing,
        wall_ns: int,
        leases: Sequence[Lease],
        notify: bool,
    ) -> None:
        self.segment = segment
        self.parts = parts  # moof, head of the mdat, payload
        self.size = size  # of all parts
        self.first_dts = first_dts
        self.end_dts = end_dts  # the last sample's length is a guess
        self.samples = samples
        self.key = key
        self.timing = timing
        self.wall_ns = wall_ns  # of the first picture
        self.leases = leases
        self.notify = notify


class OpenSegment:
    """Made on the event loop, then owned by its volume's writer thread (`written`, `final` may be read anywhere)."""

    __slots__ = (
        "abandoned",
        "broken",
        "chain",
        "chain_place",
        "descriptor",
        "end_dts",
        "file_size",
        "final",
        "first_dts",
        "flags",
        "frames",
        "header",
        "holes",
        "indexed",
        "late",
        "leaves",
        "missed",
        "missed_until_ns",
        "new_checkpoints",
        "node",
        "note",
        "path",
        "promised",
        "relative",
        "run",
        "scratch",
        "settled",
        "sizes",
        "sound",
        "starts",
        "unplaced",
        "volume",
        "written",
    )

    def __init__(
        self,
        note: SegmentNote,
        run: Run,
        node: str,
        volume: str,
        path: str,
        relative: str,
        header: bytes,
        chain_: StreamChain,
        *,
        scratch: bool = False,
        late: bool = False,
    ) -> None:
        self.note = note
        self.run = run
        self.node = node
        self.volume = volume
        self.path = path
        self.relative = relative
        self.header = header
        self.chain = chain_
        self.scratch = scratch
        self.late = late
        self.descriptor = -1
        self.file_size = 0  # of whole boxes
        self.frames = 0
        self.first_dts = 0
        self.end_dts = 0
        self.sizes: list[int] = []
        self.starts: list[int] = []
        self.flags: list[tuple[bool, int]] = []
        self.leaves: list[bytes] = []
        self.written: Written | None = None
        self.final: Statement | None = None
        self.broken = ""  # why nothing more is written
        self.settled = False  # its final row is committed and its file closed
        self.abandoned = False  # its bytes may be lost: it is not sealed either
        self.sound = 0  # how often the volume's sync had failed when the file was last known to have lost nothing
        self.promised: Written | None = None  # as far as the index promises it
        self.chain_place = 0  # of its final seal
        self.unplaced: tuple[Statement, bytes] | None = None  # a seal that others name but that is not in the file yet
        self.holes: list[Gap] = []  # within the run, before or between its fragments; not in the index yet
        self.missed_until_ns = 0  # what was handed over but is not in the file ended then; 0: all is in it
        self.missed: tuple[int, int] | None = None  # the gap that was told of it, as start and end
        self.indexed = False  # whether its run's row was committed
        self.new_checkpoints: list[Statement] = []

    def add(self, job: FragmentJob, leaf: bytes | None) -> None:
        """The fragment's bytes are in the file."""
        if not self.sizes:
            self.first_dts = job.first_dts
            if leaf is not None:
                self.leaves.append(leaf_hash(self.header))
        self.sizes.append(job.size)
        self.starts.append(job.first_dts)
        self.flags.append((job.key, job.samples))
        if leaf is not None:
            self.leaves.append(leaf)
        self.frames += job.samples
        self.end_dts = job.end_dts
        self.file_size += job.size
        before = self.written.bytes if self.written else len(self.header)
        self.written = Written(before + job.size, len(self.sizes), self.frames, job.end_dts, self.file_size, job.timing)

    def lost(self, disk: Disk, failed_syncs: int) -> OSError | None:
        """What the file's own sync says, asked once after the volume's sync failed; None when it lost nothing.

        A volume says once that it lost bytes; they may be such as were written while its sync lasted.
        """
        if self.sound < failed_syncs:
            try:
                disk.sync_file(self.descriptor)
            except OSError as fault:
                return fault
            self.sound = failed_syncs
        return None

    def holes_until(self, end_ns: int) -> list[Gap]:
        """Those with pictures behind them before this time."""
        return [hole for hole in self.holes if hole.end_ns is not None and hole.end_ns < end_ns]

    def rows(self) -> list[FragmentRow]:
        """The seal's table. Durations are exact but for the last fragment's last sample."""
        lengths = [after - before for before, after in pairwise(chain(self.starts, (self.end_dts,)))]
        return [
            FragmentRow(size, max(0, length), key, samples, leaf)
            for size, length, (key, samples), leaf in zip(self.sizes, lengths, self.flags, self.leaves[1:], strict=True)
        ]

    def seal(self, key: SigningKey, state: SegmentState, final: bool) -> tuple[Statement, bytes]:
        """The statement about everything written so far, and its box. A final one takes its place in the chain."""
        with self.chain.lock:
            statement, box = self._seal(key, state, final)
            if final:
                self.chain_place = self.chain.advance(statement)
        return statement, box

    def _seal(self, key: SigningKey, state: SegmentState, final: bool) -> tuple[Statement, bytes]:
        written = self.written
        if written is None:
            raise ValueError("a segment without fragments cannot be sealed")
        timing = written.timing
        statement = Statement(
            node=self.node,
            camera=self.note.camera,
            stream=self.note.stream,
            run=self.note.run,
            segment=self.note.segment,
            sequence=self.note.sequence,
            state=state,
            final=final,
            size=written.bytes,
            fragments=written.fragments,
            frames=written.frames,
            first_dts=self.first_dts,
            end_dts=self.end_dts,
            lost_packets=timing.lost_packets,
            start_ns=timing.start_ns,
            start_ticks=timing.start_ticks,
            end_ns=timing.end_ns,
            end_ticks=timing.end_ticks,
            clock_state=timing.clock_state,
            clock_offset_ns=timing.clock_offset_ns,
            root=root(self.leaves).hex(),
            previous=self.chain.previous,
            key=key.fingerprint,
        )
        return statement, seal_box(statement, key, self.rows())

    def row(self, written: Written, final: Statement | None) -> Segment:
        """The index row for what is on disk for certain."""
        timing = written.timing
        return Segment(
            id=self.note.segment,
            camera=self.note.camera,
            stream=self.note.stream,
            run=self.note.run,
            sequence=self.note.sequence,
            volume=self.volume,
            path=self.path,
            state=SegmentState.OPEN if final is None else final.state,
            start_ns=timing.start_ns,
            end_ns=max(timing.end_ns, timing.start_ns),
            first_dts=self.first_dts,
            end_dts=written.end_dts,
            bytes=written.bytes,
            fragments=written.fragments,
            frames=written.frames,
            lost_packets=timing.lost_packets,
            clock_state=timing.clock_state,
            clock_offset_ns=timing.clock_offset_ns,
            late=self.late,
            seal_hash=None if final is None else final.hash(),
        )

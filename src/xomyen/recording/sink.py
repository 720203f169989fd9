"""Where a stream's access units become fragments, segments and runs; all on the event loop, nothing per frame."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from xomyen.camera.source import Batch, CodecConfig
from xomyen.recording.coverage import Coverage
from xomyen.recording.fragment import Gathered, build_fragment, new_run, open_segment
from xomyen.recording.index_reader import LONGEST_SEGMENT_NS
from xomyen.recording.jobs import CheckpointJob, CloseJob
from xomyen.recording.open_segment import FragmentJob, OpenSegment, StreamChain, Timing
from xomyen.recording.policy import RecorderSettings, StreamPolicy
from xomyen.recording.rows import Gap, Run
from xomyen.recording.run_clock import RunClock
from xomyen.recording.volume import Volume
from xomyen.terms.buffers import Lease
from xomyen.terms.ids import new_id
from xomyen.terms.time import TICKS_PER_SECOND, Clock, ns_to_ticks, ticks_to_ns
from xomyen.terms.words import CameraState, ClockState, GapReason, StreamName

_log = structlog.get_logger(__name__)

_JUMP_TICKS = 10 * TICKS_PER_SECOND  # more between two pictures is a discontinuity
_HOLE_TICKS = 2 * TICKS_PER_SECOND  # more without a picture is a gap, within the run
_SHORTEST_TICKS = TICKS_PER_SECOND // 5  # what short batches are gathered to
_SHORT_BATCH_TICKS = TICKS_PER_SECOND // 8  # unwatched, shorter batches are gathered
_LONGEST_TICKS = ns_to_ticks(LONGEST_SEGMENT_NS) - 60 * TICKS_PER_SECOND
_FIRST_DURATION = 3600  # ticks; of the very first picture, when there is no other to compare with


class SinkHost(Protocol):
    """What a sink needs of the recorder."""

    node: str
    clock: Clock
    settings: RecorderSettings

    @property
    def clock_state(self) -> ClockState:
        """Whether the node's clock is synchronised."""
        ...

    def choose_volume(self, policy: StreamPolicy) -> Volume | None:
        """A volume that takes bytes now."""
        ...

    def check_clock(self) -> None:
        """Looks whether the node's clock was set, and tells every sink."""
        ...


class RecordingSink:
    """A `StreamSink`: one stream of one camera."""

    def __init__(
        self,
        camera: str,
        stream: StreamName,
        policy: StreamPolicy,
        host: SinkHost,
        coverage: Coverage,
        chain: StreamChain,
        late_from_ns: int | None = None,
    ) -> None:
        self.camera = camera
        self.stream = stream
        self.policy = policy
        self.coverage = coverage
        self.chain = chain
        self.watched = False
        self.frames = 0
        self.lost_packets = 0
        self.dropped_frames = 0
        self.long_gop = False
        self._host = host
        self._late_from_ns = late_from_ns
        settings = host.settings
        self._rotate_ticks = int(settings.segment_seconds * TICKS_PER_SECOND)
        self._fragment_ticks = int(settings.fragment_seconds * TICKS_PER_SECOND)
        self._checkpoint_ticks = int(settings.checkpoint_seconds * TICKS_PER_SECOND)
        self._config: CodecConfig | None = None
        self._volume: Volume | None = None
        self._run: Run | None = None
        self._clock = RunClock(0, 0)
        self._base = 0  # source's ticks at the run's media time 0
        self._last_dts = 0  # run's media time
        self._last_duration = _FIRST_DURATION
        self._shown_until = 0  # presentation time behind the last picture
        self._camera_offset_ns: int | None = None
        self._step_ns = 0  # the node's clock was set by so much since the segment began
        self._rotate_now = False
        self._segment: OpenSegment | None = None
        self._refining = False  # the run's first segment: its start is refined while the clock is anchored
        self._segment_start = 0  # dts
        self._start_ticks = 0
        self._start_ns = 0
        self._checkpoint_at = 0
        self._fragments = 0
        self._lost = 0  # packets, in this segment
        self._clock_state = ClockState.SYNCHRONISED
        self._timing: Timing | None = None
        self._gathered: Gathered | None = None
        self._usual_step = 0  # ticks from one fragment's end to the next one's begin; 0: not known yet
        self._lost_before = 0  # packets, when pictures came last

    # --- StreamSink

    def opened(self, config: CodecConfig) -> None:
        """A session began, media time jumped, or parameter sets changed in a way that matters: a new run.

        The configuration may equal the one before: the times that follow do not go on from those that came.
        """
        self.end_run()
        self._config = config
        self.coverage.config = config

    def write(self, batch: Batch) -> None:
        """Takes whole access units. Never blocks; drops them when the disk does not keep up."""
        count = len(batch.sizes)
        if self._config is None:
            self.dropped_frames += count
            return
        self._lost += batch.lost_packets
        self.lost_packets += batch.lost_packets
        if count == 0:
            return
        segment = self._segment
        if segment is not None and segment.broken:
            self._interrupt(segment.broken)
        first = 0
        if self._segment is None:
            if True not in batch.keys:
                self.dropped_frames += count
                return
            first = batch.keys.index(True)
            self.dropped_frames += first
        if not self._has_room(batch):
            self.dropped_frames += count - first
            return
        self._take(batch, first, count)
        self._lost_before = self.lost_packets

    def camera_clock(self, offset_ns: int) -> None:
        """The camera's own clock minus the node's."""
        self._camera_offset_ns = offset_ns

    def closed(self, reason: GapReason, detail: str) -> None:
        """No pictures from now on, and why."""
        self.end_run()
        self._config = None
        self.coverage.missing(reason, detail)

    # --- the recorder

    def end_run(self) -> None:
        """Ends the segment and the run; what comes next is another run."""
        self._end_segment(self._last_dts + self._last_duration, self._shown_until)
        self._run = None

    def flush(self) -> None:
        """Writes what was gathered; called when it waits too long, and before a checkpoint."""
        gathered, self._gathered = self._gathered, None
        if gathered is not None and self._segment is not None:
            self._emit(gathered.parts, gathered.sizes, gathered.dts, gathered.pts, gathered.key, ())

    def gathered_since_ns(self) -> int | None:
        """When the oldest picture that is not handed over yet arrived."""
        return None if self._gathered is None else self._gathered.arrived_ns

    def checkpoint_segment(self) -> tuple[Volume, OpenSegment] | None:
        """The segment that a checkpoint would seal."""
        self.flush()
        if self._segment is None or self._volume is None or not self._fragments or self._segment.scratch:
            return None
        return self._volume, self._segment

    def clock_stepped(self, step_ns: int) -> None:
        """The node's clock was set: the segment keeps its mapping and says so, the next has the new time."""
        self._step_ns += step_ns
        self._clock_state = ClockState.STEPPED
        self._rotate_now = True

    @property
    def path(self) -> str | None:
        """The file that is being written."""
        return self._segment.path if self._segment is not None and self._fragments else None

    # --- inside

    def _take(self, batch: Batch, first: int, count: int) -> None:
        keys = batch.keys
        dts = batch.dts_ticks
        if self._run is not None and dts[count - 1] - self._base - self._last_dts > _JUMP_TICKS:
            first = self._look_for_jump(batch, first, count)
        leases = self._leases(batch)
        while first < count:
            end = keys.index(True, first + 1) if True in keys[first + 1 :] else count
            if keys[first]:
                self._keyframe(batch, first)
            elif self._segment is None:
                self.dropped_frames += end - first
                first = end
                continue
            self._piece(batch, first, end, leases)
            first = end
        if self._segment is not None:
            self._observe(batch)
            if self._last_dts - self._checkpoint_at >= self._checkpoint_ticks:
                self._long_segment()

    def _leases(self, batch: Batch) -> Sequence[Lease] | None:
        """The leases that go with the fragments, or None when the bytes are to be copied: the disk is slow."""
        volume = self._volume
        if volume is not None and volume.backlog > self._host.settings.lease_bytes:
            return None
        return batch.leases

    def _observe(self, batch: Batch) -> None:
        pts = max(batch.pts_ticks) - self._base
        clock = self._clock
        arrived_ns = batch.arrived_ns - self._step_ns
        if clock.is_early(pts, arrived_ns):
            self._host.check_clock()
            arrived_ns = batch.arrived_ns - self._step_ns
        clock.observe(pts, arrived_ns)

    def _look_for_jump(self, batch: Batch, first: int, count: int) -> int:
        """Media time jumped somewhere in this batch, and with it the run ends. The answer is where to go on."""
        before = self._last_dts + self._base
        for at in range(first, count):
            if batch.dts_ticks[at] - before > _JUMP_TICKS:
                if at > first:
                    self._piece(batch, first, at, self._leases(batch))
                length_s = (batch.dts_ticks[at] - before) // TICKS_PER_SECOND
                self.end_run()
                self.coverage.missing(GapReason.CAMERA_SILENT, f"media time jumped by {length_s} s")
                rest = batch.keys[at:]
                kept = rest.index(True) if True in rest else len(rest)
                self.dropped_frames += kept
                return at + kept
            before = batch.dts_ticks[at]
        return first

    def _piece(self, batch: Batch, first: int, end: int, leases: Sequence[Lease] | None) -> None:
        """Access units that may share a fragment: no keyframe but perhaps the first."""
        dts, ends = batch.dts_ticks, batch.part_ends
        while dts[end - 1] - dts[first] >= self._fragment_ticks and end - first > 1:
            middle = first + 1
            while dts[middle] - dts[first] < self._fragment_ticks * 4 // 5:
                middle += 1
            self._piece(batch, first, middle, leases)
            first = middle
        pts = batch.pts_ticks
        if first == 0 and end == len(dts):
            parts, sizes = batch.parts, batch.sizes
        else:
            parts = batch.parts[ends[first - 1] if first else 0 : ends[end - 1]]
            sizes, dts, pts = batch.sizes[first:end], dts[first:end], pts[first:end]
        # A short batch waits for the next (its bytes are copied); a long one goes as it is.
        if leases is not None and (self.watched or batch.dts_ticks[-1] - batch.dts_ticks[0] >= _SHORT_BATCH_TICKS):
            self.flush()
            self._emit(parts, sizes, dts, pts, batch.keys[first], leases)
            return
        gathered = self._gathered
        if gathered is not None and dts[-1] - gathered.dts[0] >= self._fragment_ticks:
            self.flush()
            gathered = None
        if gathered is None:
            gathered = self._gathered = Gathered(batch.keys[first], batch.arrived_ns)
        gathered.parts.append(b"".join(parts))
        gathered.sizes += sizes
        gathered.dts += dts
        gathered.pts += pts
        if self.watched or gathered.dts[-1] - gathered.dts[0] + self._last_duration >= _SHORTEST_TICKS:
            self.flush()

    def _emit(
        self,
        parts: list[memoryview | bytes],
        sizes: list[int],
        dts: list[int],
        pts: list[int],
        key: bool,
        leases: Sequence[Lease],
    ) -> None:
        """One fragment goes to the writer. The times are the source's."""
        segment, volume = self._segment, self._volume
        if segment is None or volume is None:
            return
        base = self._base
        first_dts = dts[0] - base
        self._fragments += 1
        step = first_dts - self._last_dts
        if step > _HOLE_TICKS and self._is_hole(step):
            self._hole(segment, first_dts, pts[0] - dts[0])
        else:
            self._usual_step = step
        moof, size, last = build_fragment(self._fragments, first_dts, sizes, dts, pts, key, self._last_duration)
        self._last_duration = last
        self._last_dts = dts[-1] - base
        shown = max(pts) - base + last
        if shown > self._shown_until:
            self._shown_until = shown
        clock = self._clock
        if self._refining:
            self._start_ns = clock.wall_ns(self._start_ticks)
            if clock.anchored:
                self._anchor()
        self._timing = timing = Timing(
            self._start_ns,
            self._start_ticks,
            self._end_ns(self._shown_until),
            self._shown_until,
            self._clock_state,
            self._camera_offset_ns,
            self._lost,
        )
        for lease in leases:
            lease.retain()
        volume.submit(
            FragmentJob(
                segment,
                [moof, *parts],
                size,
                first_dts,
                self._last_dts + last,
                len(sizes),
                key,
                timing,
                clock.wall_ns(pts[0] - base),
                leases,
                self.watched,
            )
        )
        self.frames += len(sizes)

    def _is_hole(self, step: int) -> bool:
        """A camera may send one picture in 5 s: pictures are missing when they came much faster before."""
        return 0 < 3 * self._usual_step < step

    def _hole(self, segment: OpenSegment, dts: int, shown_after: int) -> None:
        """Pictures are missing before this one: packets were lost, or the camera paused."""
        self._usual_step = max(2 * self._usual_step, _HOLE_TICKS // 2)  # unless this goes on, and is its pace now
        if self._late_from_ns is not None or segment.scratch:
            return
        start_ns = self._clock.wall_ns(self._last_dts + self._last_duration + shown_after)
        end_ns = self._clock.wall_ns(dts + shown_after)
        if self._fragments == 1:  # the segment before ended with its last picture
            start_ns, end_ns = self.coverage.covered_until_ns or start_ns, self._start_ns
        lost = self.lost_packets - self._lost_before
        reason = GapReason.NETWORK if lost else GapReason.CAMERA_SILENT
        detail = f"{lost} packets were lost" if lost else "no pictures came"
        segment.holes.append(Gap(new_id(self._host.clock), start_ns, max(start_ns, end_ns), reason, detail))

    def _anchor(self) -> None:
        """The first seconds are over: the run's start is known as well as it ever will be."""
        self._refining = False
        self.coverage.footage_began(self._start_ns)

    def _end_ns(self, ticks: int) -> int:
        """Wall time of a presentation time near the segment's end, within reason of its start."""
        media_ns = ticks_to_ns(ticks - self._start_ticks)
        return min(max(self._clock.wall_ns(ticks), self._start_ns + media_ns // 2), self._start_ns + 2 * media_ns)

    def _keyframe(self, batch: Batch, at: int) -> None:
        """A segment begins here when there is none, or when it is time for the next."""
        self.flush()
        dts = batch.dts_ticks[at] - self._base
        if self._segment is not None:
            if dts - self._segment_start < self._rotate_ticks and not self._rotate_now:
                return
            if dts - self._last_dts > _HOLE_TICKS and self._is_hole(dts - self._last_dts):
                # The segment ends with its last picture; what follows says when it begins.
                self._end_segment(self._last_dts + self._last_duration, self._shown_until)
                self._timing = None
            else:
                self._end_segment(dts, batch.pts_ticks[at] - self._base)
        self._begin_segment(batch, at)

    def _begin_segment(self, batch: Batch, at: int) -> None:
        config, host = self._config, self._host
        volume = self._usable_volume()
        if config is None or volume is None:
            return
        is_new = self._run is None
        if is_new:
            self._base = batch.dts_ticks[at]
            self._last_dts = 0
            self._usual_step = 0
            self._shown_until = 0
            self._step_ns = 0
        dts = batch.dts_ticks[at] - self._base
        pts = batch.pts_ticks[at] - self._base
        if is_new:
            late = self._late_from_ns is not None
            self._clock = RunClock(
                pts, self._late_from_ns if self._late_from_ns is not None else batch.arrived_ns, late
            )
            self._start_ns = self._clock.wall_ns(pts)
        elif self._step_ns:
            self._clock.shift(self._step_ns)
            self._step_ns = 0
            self._start_ns = self._clock.wall_ns(pts)
        else:
            self._start_ns = self._timing.end_ns if self._timing else self._clock.wall_ns(pts)
        if self._run is None:
            self._run = new_run(self.camera, self.stream, config, self._start_ns, host.clock)
        self._start_ticks = pts
        self._shown_until = pts
        self._segment_start = self._checkpoint_at = dts
        self._refining = is_new and self._late_from_ns is None
        self._fragments = 0
        self._lost = batch.lost_packets if at == 0 else 0
        self._rotate_now = False
        self._clock_state = host.clock_state
        self.long_gop = False
        self._segment = open_segment(
            self._run,
            config,
            host.node,
            volume.id,
            volume.path,
            self.chain,
            start_ns=self._start_ns,
            start_ticks=pts,
            segment=new_id(host.clock),
            scratch=not self.policy.record,
            late=self._late_from_ns is not None,
        )
        if self._late_from_ns is None:
            self.coverage.footage_from(self._start_ns, new_run=is_new)

    def _end_segment(self, end_dts: int, end_ticks: int) -> None:
        """Hands the segment over for sealing; `end_*` are exact when a keyframe follows."""
        self.flush()
        segment, volume, timing = self._segment, self._volume, self._timing
        self._segment = None
        if segment is None or volume is None or timing is None:
            return
        if self._refining:
            self._anchor()
        if self._fragments:
            end_ticks = max(end_ticks, self._start_ticks + 1)
            timing = self._timing = timing._replace(
                end_ns=self._end_ns(end_ticks), end_ticks=end_ticks, clock_state=self._clock_state
            )
            self.coverage.covered_until_ns = timing.end_ns
        volume.submit(CloseJob(segment, timing, end_dts))

    def _long_segment(self) -> None:
        """No keyframe for long: what there is gets a checkpoint seal, and somebody a warning."""
        self._checkpoint_at = self._last_dts
        if not self.long_gop:
            self.long_gop = True
            _log.warning("stream.long_gop", camera=self.camera, stream=self.stream)
        if self._last_dts - self._segment_start > _LONGEST_TICKS:
            self.end_run()
            self.coverage.missing(GapReason.CAMERA_SILENT, "no keyframe for an hour")
            return
        found = self.checkpoint_segment()
        if found is not None:
            found[0].submit(CheckpointJob(found[1], None))

    # --- a disk that does not take it

    def _usable_volume(self) -> Volume | None:
        volume = self._volume
        if volume is None or volume.paused:
            self._volume = volume = self._host.choose_volume(self.policy)
            if volume is None:
                self._not_recording("no volume takes footage")
        return volume

    def _has_room(self, batch: Batch) -> bool:
        """Whether the volume takes this batch; if not, the gap begins at once and lasts to a keyframe."""
        volume = self._volume
        if volume is None or volume.paused:
            if self._segment is not None:
                self._interrupt(f"the volume is {volume.paused}" if volume else "no volume takes footage")
            if self._usable_volume() is None or self._volume is None:
                return False
            volume = self._volume
            if self._segment is None and True not in batch.keys:
                return False
        limit = self._host.settings.queue_bytes
        # Once it was full, it has to be half empty before anything is queued again.
        if volume.backlog + sum(batch.sizes) > (limit if self._segment is not None else limit // 2):
            self._interrupt("the disk is too slow")
            self._volume = None  # another may take it
            return False
        return True

    def _interrupt(self, why: str) -> None:
        self._gathered = None
        self.end_run()
        self._not_recording(why)

    def _not_recording(self, why: str) -> None:
        self.coverage.missing(GapReason.DISK, why, CameraState.NOT_RECORDING)

"""The run of a stream that is under way: gives its fragments their times and hands them to the volume's writer."""

from collections.abc import Sequence
from typing import Protocol

from xomyen.camera.source import Batch, CodecConfig
from xomyen.recording.coverage import Coverage
from xomyen.recording.fragment import build_fragment, new_run, open_segment
from xomyen.recording.jobs import CloseJob
from xomyen.recording.open_segment import FragmentJob, OpenSegment, StreamChain, Timing
from xomyen.recording.policy import RecorderSettings, StreamPolicy
from xomyen.recording.rows import Gap, Run
from xomyen.recording.run_clock import RunClock
from xomyen.recording.volume import Volume
from xomyen.terms.buffers import Bytes, Lease
from xomyen.terms.ids import new_id
from xomyen.terms.time import TICKS_PER_SECOND, Clock, ticks_to_ns
from xomyen.terms.words import ClockState, GapReason, StreamName

_HOLE_TICKS = 2 * TICKS_PER_SECOND  # more without a picture is a gap, within the run
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


class RunWriter:
    """One stream's run and its segment: where their media time stands, and which wall time belongs to it.

    Media time counts from the run's first picture; `base` is the source's time then.
    """

    def __init__(
        self,
        camera: str,
        stream: StreamName,
        host: SinkHost,
        coverage: Coverage,
        chain: StreamChain,
        late_from_ns: int | None,
        *,
        scratch: bool,
    ) -> None:
        self.segment: OpenSegment | None = None
        self.volume: Volume | None = None  # of the segment
        self.fragments = 0  # of the segment
        self.frames = 0  # handed over since the stream began
        self.lost_packets = 0  # since the stream began
        self.camera_offset_ns: int | None = None
        self.rotate_now = False
        self.base = 0
        self.last_dts = 0
        self.last_duration = _FIRST_DURATION
        self.segment_start = 0  # dts
        self._camera = camera
        self._stream = stream
        self._host = host
        self._coverage = coverage
        self._chain = chain
        self._late_from_ns = late_from_ns
        self._scratch = scratch  # only for whoever watches
        self._run: Run | None = None
        self._clock = RunClock(0, 0)
        self._shown_until = 0  # presentation time behind the last picture
        self._step_ns = 0  # the node's clock was set by so much since the segment began
        self._refining = False  # the run's first segment: its start is refined while the clock is anchored
        self._start_ticks = 0
        self._start_ns = 0
        self._lost = 0  # packets, in this segment
        self._lost_before = 0  # packets, when pictures came last
        self._clock_state = ClockState.SYNCHRONISED
        self._timing: Timing | None = None
        self._usual_step = 0  # ticks from one fragment's end to the next one's begin; 0: not known yet

    @property
    def running(self) -> bool:
        """Whether what comes next goes on where the last picture ended."""
        return self._run is not None

    def lost(self, packets: int) -> None:
        """So many never came, before the pictures that come next."""
        self._lost += packets
        self.lost_packets += packets

    def came(self) -> None:
        """Pictures came; packets lost from now on count for what comes next."""
        self._lost_before = self.lost_packets

    def clock_stepped(self, step_ns: int) -> None:
        """The node's clock was set: the segment keeps its mapping and says so, the next has the new time."""
        self._step_ns += step_ns
        self._clock_state = ClockState.STEPPED
        self.rotate_now = True

    def observe(self, batch: Batch) -> None:
        """When pictures of the run arrived."""
        pts = max(batch.pts_ticks) - self.base
        clock = self._clock
        arrived_ns = batch.arrived_ns - self._step_ns
        if clock.is_early(pts, arrived_ns):
            self._host.check_clock()
            arrived_ns = batch.arrived_ns - self._step_ns
        clock.observe(pts, arrived_ns)

    def emit(
        self,
        parts: list[Bytes],
        sizes: list[int],
        dts: list[int],
        pts: list[int],
        key: bool,
        leases: Sequence[Lease],
        notify: bool,
    ) -> None:
        """One fragment goes to the writer. The times are the source's."""
        segment, volume = self.segment, self.volume
        if segment is None or volume is None:
            return
        base = self.base
        first_dts = dts[0] - base
        self.fragments += 1
        step = first_dts - self.last_dts
        if self.is_hole(step):
            self._hole(segment, first_dts, pts[0] - dts[0])
        else:
            self._usual_step = step
        moof, size, last = build_fragment(self.fragments, first_dts, sizes, dts, pts, key, self.last_duration)
        self.last_duration = last
        self.last_dts = dts[-1] - base
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
            self.camera_offset_ns,
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
                self.last_dts + last,
                len(sizes),
                key,
                timing,
                clock.wall_ns(pts[0] - base),
                leases,
                notify,
            )
        )
        self.frames += len(sizes)

    def is_hole(self, step: int) -> bool:
        """Whether pictures are missing in a step of so many ticks; a camera may send but one in 5 s."""
        return step > _HOLE_TICKS and 0 < 3 * self._usual_step < step

    def _hole(self, segment: OpenSegment, dts: int, shown_after: int) -> None:
        """Pictures are missing before this one: packets were lost, or the camera paused."""
        self._usual_step = max(2 * self._usual_step, _HOLE_TICKS // 2)  # unless this goes on, and is its pace now
        if self._late_from_ns is not None or segment.scratch:
            return
        start_ns = self._clock.wall_ns(self.last_dts + self.last_duration + shown_after)
        end_ns = self._clock.wall_ns(dts + shown_after)
        if self.fragments == 1:  # the segment before ended with its last picture
            start_ns, end_ns = self._coverage.covered_until_ns or start_ns, self._start_ns
        lost = self.lost_packets - self._lost_before
        reason = GapReason.NETWORK if lost else GapReason.CAMERA_SILENT
        detail = f"{lost} packets were lost" if lost else "no pictures came"
        segment.holes.append(Gap(new_id(self._host.clock), start_ns, max(start_ns, end_ns), reason, detail))

    def _anchor(self) -> None:
        """The first seconds are over: the run's start is known as well as it ever will be."""
        self._refining = False
        self._coverage.footage_began(self._start_ns)

    def _end_ns(self, ticks: int) -> int:
        """Wall time of a presentation time near the segment's end, within reason of its start."""
        media_ns = ticks_to_ns(ticks - self._start_ticks)
        return min(max(self._clock.wall_ns(ticks), self._start_ns + media_ns // 2), self._start_ns + 2 * media_ns)

    def _begin_run(self, batch: Batch, at: int) -> None:
        """Media time counts from the keyframe at this place of the batch, which arrived with its newest picture."""
        self.base = batch.dts_ticks[at]
        self.last_dts = 0
        self._usual_step = 0
        self._shown_until = 0
        self._step_ns = 0
        late = self._late_from_ns is not None
        begin_ns = batch.arrived_ns if self._late_from_ns is None else self._late_from_ns
        self._clock = RunClock(batch.pts_ticks[at] - self.base, begin_ns, late)
        self._clock.observe(max(batch.pts_ticks[at:]) - self.base, batch.arrived_ns)

    def begin_segment(self, config: CodecConfig, volume: Volume, batch: Batch, at: int) -> None:
        """The keyframe at this place of the batch begins a segment, and a run when none is under way."""
        host = self._host
        self.volume = volume
        is_new = self._run is None
        if is_new:
            self._begin_run(batch, at)
        dts = batch.dts_ticks[at] - self.base
        pts = batch.pts_ticks[at] - self.base
        if self._step_ns:
            self._clock.shift(self._step_ns)
            self._step_ns = 0
            self._start_ns = self._clock.wall_ns(pts)
        elif not is_new and self._timing:
            self._start_ns = self._timing.end_ns
        else:
            self._start_ns = self._clock.wall_ns(pts)
        if self._run is None:
            self._run = new_run(self._camera, self._stream, config, self._start_ns, host.clock)
        self._start_ticks = pts
        self._shown_until = pts
        self.segment_start = dts
        self._refining = is_new and self._late_from_ns is None
        self.fragments = 0
        self._lost = batch.lost_packets if at == 0 else 0
        self.rotate_now = False
        self._clock_state = host.clock_state
        self.segment = open_segment(
            self._run,
            config,
            host.node,
            volume.id,
            volume.path,
            self._chain,
            start_ns=self._start_ns,
            start_ticks=pts,
            segment=new_id(host.clock),
            scratch=self._scratch,
            late=self._late_from_ns is not None,
        )
        if self._late_from_ns is None:
            self._coverage.footage_from(self._start_ns, new_run=is_new)

    def end_run(self) -> None:
        """Ends the segment and the run; what comes next is another run."""
        self._end_segment(self.last_dts + self.last_duration, self._shown_until)
        self._run = None

    def end_segment(self, dts: int, pts: int) -> None:
        """The segment ends before the keyframe with these source times."""
        dts -= self.base
        if self.is_hole(dts - self.last_dts):
            # The segment ends with its last picture; what follows says when it begins.
            self._end_segment(self.last_dts + self.last_duration, self._shown_until)
            self._timing = None
        else:
            self._end_segment(dts, pts - self.base)

    def _end_segment(self, end_dts: int, end_ticks: int) -> None:
        """Hands the segment over for sealing; `end_*` are exact when a keyframe follows."""
        segment, volume, timing = self.segment, self.volume, self._timing
        self.segment = None
        if segment is None or volume is None or timing is None:
            return
        if self._refining:
            self._anchor()
        if self.fragments:
            end_ticks = max(end_ticks, self._start_ticks + 1)
            timing = self._timing = timing._replace(
                end_ns=self._end_ns(end_ticks), end_ticks=end_ticks, clock_state=self._clock_state
            )
            self._coverage.covered_until_ns = timing.end_ns
        volume.submit(CloseJob(segment, timing, end_dts))

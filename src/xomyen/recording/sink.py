"""Where a stream's access units become fragments, segments and runs; all on the event loop, nothing per frame."""

from collections.abc import Sequence

import structlog

from xomyen.camera.source import Batch, CodecConfig
from xomyen.recording.coverage import Coverage
from xomyen.recording.fragment import Gathered, cut
from xomyen.recording.index_reader import LONGEST_SEGMENT_NS
from xomyen.recording.jobs import CheckpointJob
from xomyen.recording.open_segment import OpenSegment, StreamChain
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.run_writer import RunWriter, SinkHost
from xomyen.recording.volume import Volume
from xomyen.terms.buffers import Lease
from xomyen.terms.time import TICKS_PER_SECOND, ns_to_ticks
from xomyen.terms.words import CameraState, GapReason, StreamName

_log = structlog.get_logger(__name__)

_JUMP_TICKS = 10 * TICKS_PER_SECOND  # more between two pictures is a discontinuity
_SHORTEST_TICKS = TICKS_PER_SECOND // 5  # what short batches are gathered to
_SHORT_BATCH_TICKS = TICKS_PER_SECOND // 8  # unwatched, shorter batches are gathered
_LONGEST_TICKS = ns_to_ticks(LONGEST_SEGMENT_NS) - 60 * TICKS_PER_SECOND


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
        self.policy = policy  # another that records alike, on the same volume, may take its place
        self.coverage = coverage
        self.chain = chain
        self.watched = False
        self.dropped_frames = 0
        self.long_gop = False
        self._host = host
        settings = host.settings
        self._rotate_ticks = int(settings.segment_seconds * TICKS_PER_SECOND)
        self._fragment_ticks = int(settings.fragment_seconds * TICKS_PER_SECOND)
        self._checkpoint_ticks = int(settings.checkpoint_seconds * TICKS_PER_SECOND)
        self._config: CodecConfig | None = None
        self._volume: Volume | None = None  # for the next segment
        self._run = RunWriter(camera, stream, host, coverage, chain, late_from_ns, scratch=not policy.record)
        self._checkpoint_at = 0  # dts in the run
        self._gathered: Gathered | None = None

    @property
    def frames(self) -> int:
        """Pictures handed to the writer since the stream began."""
        return self._run.frames

    @property
    def lost_packets(self) -> int:
        """RTP packets that never came since the stream began."""
        return self._run.lost_packets

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
        self._run.lost(batch.lost_packets)
        if count == 0:
            return
        segment = self._run.segment
        if segment is not None and segment.broken:
            self._interrupt(segment.broken)
        first = 0
        if self._run.segment is None:
            if True not in batch.keys:
                self.dropped_frames += count
                return
            first = batch.keys.index(True)
            self.dropped_frames += first
        if not self._has_room(batch):
            self.dropped_frames += count - first
            return
        self._take(batch, first, count)
        self._run.came()

    def camera_clock(self, offset_ns: int) -> None:
        """The camera's own clock minus the node's."""
        self._run.camera_offset_ns = offset_ns

    def closed(self, reason: GapReason, detail: str) -> None:
        """No pictures from now on, and why."""
        self.end_run()
        self._config = None
        self.coverage.missing(reason, detail)

    # --- the recorder

    def end_run(self) -> None:
        """Ends the segment and the run; what comes next is another run."""
        self.flush()
        self._run.end_run()

    def flush(self) -> None:
        """Writes what was gathered; called when it waits too long, and before a checkpoint."""
        gathered, self._gathered = self._gathered, None
        if gathered is not None:
            self._run.emit(gathered.parts, gathered.sizes, gathered.dts, gathered.pts, gathered.key, (), self.watched)

    def gathered_since_ns(self) -> int | None:
        """When the oldest picture that is not handed over yet arrived."""
        return None if self._gathered is None else self._gathered.arrived_ns

    def checkpoint_segment(self) -> tuple[Volume, OpenSegment] | None:
        """The segment that a checkpoint would seal."""
        self.flush()
        run = self._run
        if run.segment is None or run.volume is None or not run.fragments or run.segment.scratch:
            return None
        return run.volume, run.segment

    def clock_stepped(self, step_ns: int) -> None:
        """The node's clock was set: the segment keeps its mapping and says so, the next has the new time."""
        self._run.clock_stepped(step_ns)

    @property
    def path(self) -> str | None:
        """The file that is being written."""
        return self._run.segment.path if self._run.segment is not None and self._run.fragments else None

    # --- inside

    def _take(self, batch: Batch, first: int, count: int) -> None:
        keys = batch.keys
        dts = batch.dts_ticks
        run = self._run
        if run.running and dts[count - 1] - run.base - run.last_dts > _JUMP_TICKS:
            first = self._look_for_jump(batch, first, count)
        leases = self._leases(batch)
        while first < count:
            end = keys.index(True, first + 1) if True in keys[first + 1 :] else count
            if keys[first]:
                self._keyframe(batch, first)
            elif self._run.segment is None:
                self.dropped_frames += end - first
                first = end
                continue
            self._piece(batch, first, end, leases)
            first = end
        if self._run.segment is not None:
            run.observe(batch)
            if run.last_dts - self._checkpoint_at >= self._checkpoint_ticks:
                self._long_segment()

    def _leases(self, batch: Batch) -> Sequence[Lease] | None:
        """The leases that go with the fragments, or None when the bytes are to be copied: the disk is slow."""
        volume = self._volume
        if volume is not None and volume.backlog > self._host.settings.lease_bytes:
            return None
        return batch.leases

    def _look_for_jump(self, batch: Batch, first: int, count: int) -> int:
        """Media time jumped somewhere in this batch, and with it the run ends. The answer is where to go on."""
        before = self._run.last_dts + self._run.base
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
        dts = batch.dts_ticks
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
            sizes, dts, pts = batch.sizes[first:end], dts[first:end], pts[first:end]
            begin = sum(batch.sizes[:first])
            parts = cut(batch.parts, begin, begin + sum(sizes))
        # A short batch waits for the next (its bytes are copied); a long one goes as it is.
        if leases is not None and (self.watched or batch.dts_ticks[-1] - batch.dts_ticks[0] >= _SHORT_BATCH_TICKS):
            self.flush()
            self._run.emit(parts, sizes, dts, pts, batch.keys[first], leases, self.watched)
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
        if self.watched or gathered.dts[-1] - gathered.dts[0] + self._run.last_duration >= _SHORTEST_TICKS:
            self.flush()

    def _keyframe(self, batch: Batch, at: int) -> None:
        """A segment begins here when there is none, or when it is time for the next."""
        self.flush()
        run = self._run
        if run.segment is not None:
            if batch.dts_ticks[at] - run.base - run.segment_start < self._rotate_ticks and not run.rotate_now:
                return
            run.end_segment(batch.dts_ticks[at], batch.pts_ticks[at])
        config, volume = self._config, self._usable_volume()
        if config is None or volume is None:
            return
        run.begin_segment(config, volume, batch, at)
        self._checkpoint_at = run.segment_start
        self.long_gop = False

    def _long_segment(self) -> None:
        """No keyframe for long: what there is gets a checkpoint seal, and somebody a warning."""
        self._checkpoint_at = self._run.last_dts
        if not self.long_gop:
            self.long_gop = True
            _log.warning("stream.long_gop", camera=self.camera, stream=self.stream)
        if self._run.last_dts - self._run.segment_start > _LONGEST_TICKS:
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
            if self._run.segment is not None:
                self._interrupt(f"the volume is {volume.paused}" if volume else "no volume takes footage")
            if self._usable_volume() is None or self._volume is None:
                return False
            volume = self._volume
            if self._run.segment is None and True not in batch.keys:
                return False
        limit = self._host.settings.queue_bytes
        # Once it was full, it has to be half empty before anything is queued again.
        if volume.backlog + sum(batch.sizes) > (limit if self._run.segment is not None else limit // 2):
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

"""What a stream covers and what it misses: gaps with reasons, and the stream's state as events."""

from collections.abc import Callable
from dataclasses import replace

from xomyen.bus.messages import CameraEvent
from xomyen.camera.source import CodecConfig
from xomyen.recording.index import Index
from xomyen.recording.index_thread import Work
from xomyen.recording.jobs import gap_event
from xomyen.recording.rows import Gap, Span
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock
from xomyen.terms.words import CameraState, GapReason, StreamName

_ROUNDING_NS = 1_000_000
_UNTOLD_NS = NS_PER_SECOND  # more between two runs is a gap, although nobody told of one


def began_key(camera: str, stream: StreamName) -> str:
    """Where `meta` has when the first footage of a stream began, of which nothing is acknowledged yet."""
    return f"began:{camera}:{stream}"


class Coverage:
    """One stream's gaps and state; lives on the event loop. `post` hands work to the index."""

    def __init__(
        self,
        camera: str,
        stream: StreamName,
        clock: Clock,
        post: Callable[[Work], object],
        on_state: Callable[[CameraEvent], None],
        *,
        recorded: bool,
    ) -> None:
        self._camera = camera
        self._stream = stream
        self._clock = clock
        self._post = post
        self._on_state = on_state
        self._recorded = recorded
        self.gap: Gap | None = None
        self._ended: Gap | None = None  # the gap that the footage being recorded now ended
        self.covered_until_ns: int | None = None  # end of the newest footage
        self.config: CodecConfig | None = None
        self.state = self._event(CameraState.CONNECTING, None, "")

    def restore(self, spans: list[Span], gaps: list[Gap], alive_ns: int | None, began_ns: int | None = None) -> None:
        """Takes up where an earlier process ended: what is neither footage nor a gap, it lost.

        `spans` and `gaps`: the newest, by start; a gap that still lasted has no end. `alive_ns`: when that process
        lived last. `began_ns`: when the first footage of all began, where nothing of it was acknowledged.
        """
        self.covered_until_ns = max((span.end_ns for span in spans), default=None)
        if not spans and not gaps and began_ns is None:
            return
        starts = [span.start_ns for span in spans]
        last_ns = max(alive_ns or 0, self.covered_until_ns or 0, gaps[-1].start_ns if gaps else 0)
        until_ns = began_ns
        parts: list[Span | Gap] = [*spans, *gaps]
        for known in sorted(parts, key=lambda part: part.start_ns):
            if until_ns is not None and known.start_ns - until_ns > _ROUNDING_NS:
                lost = "the node stopped before it was kept"
                self._put(Gap(new_id(self._clock), until_ns, known.start_ns, GapReason.NODE_STOPPED, lost))
            end_ns = known.end_ns
            if isinstance(known, Gap) and end_ns is None:
                if known.reason is GapReason.POLICY:
                    # Switched off on purpose: that reason holds until pictures come again.
                    self.gap = known
                    return
                end_ns = min((start_ns for start_ns in starts if start_ns >= known.start_ns), default=last_ns)
                self._put(replace(known, end_ns=end_ns))
            until_ns = max(until_ns or 0, end_ns or 0)
        self.gap = Gap(new_id(self._clock), until_ns or 0, None, GapReason.NODE_STOPPED, "the node was not recording")
        self._put(self.gap)

    def taken_up(self) -> None:
        """The stream is recorded again by the same process, after it was not for a while."""
        if self.gap is None and self.covered_until_ns is not None:
            self.gap = Gap(new_id(self._clock), self.covered_until_ns, None, GapReason.POLICY, "it was not recorded")
            self._put(self.gap)

    def footage_from(self, start_ns: int, *, new_run: bool) -> None:
        """Pictures are recorded again from this time on, or go on with another segment of the same run."""
        self._ended = None
        until_ns = self.covered_until_ns
        if until_ns is None and self.gap is None:
            key = began_key(self._camera, self._stream)
            self._post(lambda index: index.set_meta(key, str(start_ns)))
        if new_run and self.gap is None and until_ns is not None and start_ns - until_ns > _UNTOLD_NS:
            self.gap = Gap(new_id(self._clock), until_ns, None, GapReason.CAMERA_SILENT, "no pictures came")
        if self.gap is not None:
            gap = self.gap
            self._ended = replace(gap, end_ns=self._finish(start_ns))
        self.set_state(CameraState.RECORDING, None, "")

    def footage_began(self, start_ns: int) -> None:
        """Where the footage began is known exactly now: the gap before it ends there."""
        gap, self._ended = self._ended, None
        if gap is not None and gap.end_ns != start_ns:
            self._put(replace(gap, end_ns=max(start_ns, gap.start_ns)))

    def missing(self, reason: GapReason, detail: str, state: CameraState = CameraState.LOST) -> None:
        """Nothing is recorded from the end of the newest footage (or from now) on, and why."""
        now_ns = self._clock.wall_ns()
        if self.gap is None:
            start_ns = min(self.covered_until_ns, now_ns) if self.covered_until_ns is not None else now_ns
        elif self.gap.reason is reason:
            if state is not self.state.state or detail != self.state.detail:
                self.set_state(state, reason, detail)
            return
        else:
            start_ns = self._finish(now_ns)
        self.gap = Gap(new_id(self._clock), start_ns, None, reason, detail)
        self._put(self.gap)
        self.set_state(state, reason, detail)

    def end(self) -> None:
        """The recorder stops: an unfinished gap is known to have lasted until now."""
        if self.gap is not None and self.gap.reason is not GapReason.POLICY:
            self._finish(self._clock.wall_ns())

    def set_state(self, state: CameraState, reason: GapReason | None, detail: str) -> None:
        """Tells of a change; says nothing when all is as before."""
        old = self.state
        if (old.state, old.reason, old.detail) == (state, reason, detail) and (
            self.config is None or (old.codec_string, old.width) == (self.config.codec_string, self.config.width)
        ):
            return
        event = self.state = self._event(state, reason, detail)
        self._post(lambda index: index.put_event("camera", event))
        self._on_state(event)

    def _event(self, state: CameraState, reason: GapReason | None, detail: str) -> CameraEvent:
        config = self.config
        return CameraEvent(
            id=new_id(self._clock),
            camera=self._camera,
            stream=self._stream,
            state=state,
            since_ns=self._clock.wall_ns(),
            reason=reason,
            detail=detail,
            codec=config.codec if config else None,
            codec_string=config.codec_string if config else "",
            width=config.width if config else 0,
            height=config.height if config else 0,
        )

    def _finish(self, end_ns: int) -> int:
        """Ends the open gap; the answer is where it ended."""
        gap = self.gap
        self.gap = None
        if gap is None:
            return end_ns
        # After the node's clock was set back footage may begin before the gap did.
        end_ns = max(end_ns, gap.start_ns)
        self._put(Gap(gap.id, gap.start_ns, end_ns, gap.reason, gap.detail))
        return end_ns

    def _put(self, gap: Gap) -> None:
        if not self._recorded:
            return
        camera, stream = self._camera, self._stream
        event = gap_event(camera, stream, gap)

        def put(index: Index) -> None:
            index.put_gap(camera, stream, gap)
            index.put_event("gap", event)

        self._post(put)

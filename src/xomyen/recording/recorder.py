"""The recorder: streams in, sealed files and an index out; one object with one life, `async with`."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import structlog

from xomyen.bus.messages import CameraEvent, FragmentNotice
from xomyen.proof.keys import SigningKey
from xomyen.recording.alarms import Alarms
from xomyen.recording.chains import chain_heads, load_chains
from xomyen.recording.clock_watch import ClockWatch
from xomyen.recording.coverage import Coverage
from xomyen.recording.disk import Disk, LocalDisk
from xomyen.recording.earlier_process import EarlierProcess
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.index_thread import IndexThread, Work, kept_future
from xomyen.recording.jobs import CheckpointJob, Notice
from xomyen.recording.kept_policies import KeptPolicies
from xomyen.recording.machine import clock_is_synchronised
from xomyen.recording.open_segment import StreamChain
from xomyen.recording.own_thread import in_own_thread
from xomyen.recording.policy import RecorderSettings, StreamPolicy, VolumeSettings
from xomyen.recording.recovery import Progress, Signer
from xomyen.recording.recovery_report import RecoveryReport
from xomyen.recording.retention import Deleted
from xomyen.recording.retention_rounds import RetentionRounds
from xomyen.recording.rows import Hold
from xomyen.recording.sink import RecordingSink
from xomyen.recording.statistics import OutboxEvent, RecorderStatistics, StreamStatistics
from xomyen.recording.volume import Volume
from xomyen.recording.volumes import Volumes, stop_the_process
from xomyen.terms.errors import InvalidRange, NoFootage, VolumeRefused
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock
from xomyen.terms.words import ClockState, GapReason, StreamName

__all__ = ["OutboxEvent", "Recorder", "RecorderStatistics", "StreamStatistics"]

_log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.25
_GATHER_NS = NS_PER_SECOND // 2
_CLOCK_STATE_SECONDS = 10.0
_ALARM_SECONDS = 60.0


def _nothing(*_: object) -> None:
    return None


class Recorder:
    """Records streams into a node's folder. Nothing starts before `async with`.

    Callbacks run on the event loop: `on_fragment(camera, stream, notice)` after a fragment of a watched stream is in
    its file, `on_state(event)` when a stream's state changed, `on_alarm(code, text)` for what somebody must look
    at, `on_alarm_over(code)` when that is over, `on_events()` when the outbox has something. `on_progress(what, done,
    total)` tells of the recovery.
    Raises VolumeRefused when no volume can be used, AlreadyRunning never: the folder's lock is the caller's.
    """

    def __init__(
        self,
        folder: NodeFolder,
        node: str,
        key: SigningKey,
        *,
        clock: Clock | None = None,
        disk: Disk | None = None,
        settings: RecorderSettings | None = None,
        on_fragment: Callable[[str, StreamName, FragmentNotice], None] = _nothing,
        on_state: Callable[[CameraEvent], None] = _nothing,
        on_alarm: Callable[[str, str], None] = _nothing,
        on_alarm_over: Callable[[str], None] = _nothing,
        on_events: Callable[[], None] = _nothing,
        on_progress: Progress = _nothing,
        on_fatal: Callable[[str], None] = stop_the_process,
        synchronised: Callable[[], bool] | None = None,
    ) -> None:
        self.node = node
        self.clock: Clock = clock or SystemClock()
        self.settings = settings or RecorderSettings()
        self._folder = folder
        self._disk: Disk = disk or LocalDisk()
        self._on_fragment = on_fragment
        self._on_state = on_state
        self._on_events = on_events
        self._index = Index(str(folder.index))
        self._index_thread = IndexThread(
            self._index, lambda text: self.alarms.say_soon("index", text), lambda: self.alarms.over_soon("index")
        )
        self.alarms = Alarms(self.clock, self._post, on_alarm, on_alarm_over)
        self._chains: dict[tuple[str, str], StreamChain] = {}
        self.volumes = Volumes(
            self.settings.volumes or (VolumeSettings(str(folder.default_volume)),),
            self.settings,
            self._disk,
            Signer(node, key, self.clock),
            self._index_thread,
            self._chains,
            self.alarms,
            on_notices=self._deliver,
            on_progress=on_progress,
            on_fatal=on_fatal,
        )
        self._clock_watch = ClockWatch(
            self.clock, synchronised or clock_is_synchronised, self.alarms, self._clock_stepped, self._post
        )
        self._kept = KeptPolicies(self._post)
        self._retention = RetentionRounds(
            self._index_thread,
            self._disk,
            self.clock,
            self.settings,
            self.alarms,
            lambda: self.volumes.at_work,
            self._kept.all,
            lambda: self._clock_watch.is_plausible,
        )
        self._sinks: dict[tuple[str, StreamName], RecordingSink] = {}
        self._coverages: dict[tuple[str, StreamName], Coverage] = {}  # of streams that were recorded before
        self._watched: set[tuple[str, StreamName]] = set()
        self._earlier = EarlierProcess()
        self._tasks: list[asyncio.Task[None]] = []
        self._reader: IndexReader | None = None

    # --- life

    async def __aenter__(self) -> "Recorder":
        self._loop = loop = asyncio.get_running_loop()
        self.alarms.start(loop)
        try:
            await in_own_thread(self._prepare, "prepare")
        except VolumeRefused:
            self._index.close()
            raise
        self._index_thread.on_events = self._wake
        self._index_thread.start()
        self._reader = IndexReader(self._index.path)
        self.volumes.start(loop, str(self._folder.root / "scratch"))
        self._clock_watch.start()
        await self._retention.__aenter__()
        self._tasks = [
            asyncio.create_task(self._every(_TICK_SECONDS, self._tick)),
            asyncio.create_task(self._every(_CLOCK_STATE_SECONDS, self._clock_watch.look_at_synchronisation)),
            asyncio.create_task(self._every(_ALARM_SECONDS, self.alarms.look)),
            asyncio.create_task(self._every(self.settings.chain_seconds, self.post_chain_heads)),
            asyncio.create_task(self.volumes.retry_refused()),
        ]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._retention.__aexit__()
        for sink in self._sinks.values():
            sink.end_run()
            sink.coverage.end()
        await self.volumes.stop()
        self.post_chain_heads()
        await asyncio.to_thread(self._index_thread.stop)
        if self._reader is not None:
            self._reader.close()
        self._index.close()

    def _prepare(self) -> None:
        """Opens the index, accepts the volumes and reconciles them with it."""
        self._index.open()
        self._earlier.load(self._index, self.clock.wall_ns())
        self._chains.update(load_chains(self._index))
        self._kept.load(self._index)
        self._clock_watch.load(self._index)
        self.volumes.accept(self._index)
        # Footage makes no cycles: the collector looks at what start-up left never, at the rest seldom.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)

    @property
    def report(self) -> RecoveryReport:
        """What the start, and volumes that came later, found and did."""
        return self.volumes.report

    # --- streams

    def sink(
        self, camera: str, stream: StreamName, policy: StreamPolicy | None = None, late_from_ns: int | None = None
    ) -> RecordingSink:
        """Where a source of this stream delivers. Asked again, the same sink with the new policy.

        `late_from_ns`: the footage comes from the camera's own memory and began then; it gets a sink of its own.
        """
        policy = policy or StreamPolicy()
        key = (camera, stream)
        if late_from_ns is None:
            self._kept.remember(camera, stream, policy)
        sink = self._sinks.get(key)
        if sink is not None and late_from_ns is None:
            if (policy.record, policy.volume) != (sink.policy.record, sink.policy.volume):
                self._close_sink(key)
            else:
                sink.policy = policy
                return sink
        recorded = policy.record and late_from_ns is None
        coverage = self._coverages.pop(key, None) if recorded else None
        known = coverage is not None
        if coverage is None:
            coverage = Coverage(camera, stream, self.clock, self._post, self._on_state, recorded=recorded)
        chain = self._chains.setdefault((camera, str(stream)), StreamChain())
        sink = RecordingSink(camera, stream, policy, self, coverage, chain, late_from_ns)
        if late_from_ns is None:
            if known:
                coverage.taken_up()
            elif recorded and self._reader is not None:
                self._earlier.take_up(coverage, self._reader, camera, stream)
            sink.watched = key in self._watched
            self._sinks[key] = sink
        return sink

    def remove(self, camera: str, stream: StreamName, *, disabled: bool = False) -> None:
        """The stream is no longer recorded; `disabled` leaves a gap with the reason `policy` until it is again."""
        sink = self._sinks.get((camera, stream))
        if sink is None:
            return
        if disabled:
            sink.closed(GapReason.POLICY, "switched off")
        self._close_sink((camera, stream))

    def _close_sink(self, key: tuple[str, StreamName]) -> None:
        sink = self._sinks.pop(key)
        sink.end_run()
        sink.coverage.end()
        if sink.policy.record:
            self._coverages[key] = sink.coverage

    def watch(self, camera: str, stream: StreamName, watched: bool) -> None:
        """While watched, fragments are written and told of at once."""
        key = (camera, stream)
        if watched:
            self._watched.add(key)
        else:
            self._watched.discard(key)
        sink = self._sinks.get(key)
        if sink is not None:
            sink.watched = watched

    def open_path(self, camera: str, stream: StreamName) -> str | None:
        """The file that a stream is being written to now."""
        sink = self._sinks.get((camera, stream))
        return sink.path if sink is not None else None

    async def checkpoint(self, camera: str, stream: StreamName) -> str:
        """Seals what the open segment holds; the answer is its id, once that is acknowledged.

        Raises NoFootage when nothing is being recorded, OSError when the disk refuses.
        """
        sink = self._sinks.get((camera, stream))
        found = sink.checkpoint_segment() if sink is not None else None
        if found is None:
            raise NoFootage(f"Nothing of camera {camera} ({stream}) is being recorded now.", camera=camera)
        volume, segment = found
        done: Future[str] = kept_future()
        volume.submit(CheckpointJob(segment, done))
        volume.flush()
        return await asyncio.wrap_future(done)

    # --- holds and outbox

    async def add_hold(self, camera: str, start_ns: int, end_ns: int, reason: str, who: str, until_ns: int) -> Hold:
        """Keeps a camera's footage from retention; committed on return. Raises InvalidRange."""
        if not start_ns < end_ns or until_ns <= self.clock.wall_ns():
            raise InvalidRange("A hold begins before it ends, and lasts into the future.", camera=camera)
        hold = Hold(new_id(self.clock), camera, start_ns, end_ns, reason, who, until_ns)
        await asyncio.wrap_future(self._index_thread.post(lambda index: index.put_hold(hold)))
        return hold

    async def remove_hold(self, hold: str) -> bool:
        """Whether there was such a hold; committed on return."""
        found: list[bool] = []
        await asyncio.wrap_future(self._index_thread.post(lambda index: found.append(index.remove_hold(hold))))
        return found[-1]

    async def take_events(self, limit: int = 256) -> list[OutboxEvent]:
        """The oldest events that wait, in order. They stay until `acknowledge`."""
        rows = await asyncio.to_thread(
            self.reader.query, "SELECT number, id, kind, payload FROM outbox ORDER BY number LIMIT ?", limit
        )
        return [OutboxEvent(*row) for row in rows]

    async def acknowledge(self, numbers: Sequence[int]) -> None:
        """The bus has these events."""
        await asyncio.wrap_future(self._index_thread.post(lambda index: index.remove_events(numbers)))

    @property
    def reader(self) -> IndexReader:
        """The index, read-only."""
        if self._reader is None:
            raise NoFootage("The recorder has not started.")
        return self._reader

    def post_chain_heads(self) -> None:
        """Tells the bus where each stream's chain of seals stands."""

        def put(index: Index) -> None:
            for event in chain_heads(index, self.clock):
                index.put_event("chain", event)

        self._post(put)

    @property
    def statistics(self) -> RecorderStatistics:
        """A picture of now; cheap enough to ask every few seconds."""
        return RecorderStatistics(
            volumes=[volume.statistics for volume in self.volumes.at_work.values()],
            refused_volumes=dict(self.volumes.refused),
            streams=[
                StreamStatistics(
                    camera,
                    stream,
                    sink.coverage.state,
                    sink.frames,
                    sink.lost_packets,
                    sink.dropped_frames,
                    sink.watched,
                    sink.long_gop,
                )
                for (camera, stream), sink in self._sinks.items()
            ],
            commits=self._index_thread.commits,
            alarms=self.alarms.standing,
        )

    # --- SinkHost

    @property
    def clock_state(self) -> ClockState:
        return self._clock_watch.state

    def choose_volume(self, policy: StreamPolicy) -> Volume | None:
        """The policy's volume, or the one with most room above its floor; None when none takes bytes now."""
        return self.volumes.choose(policy)

    def check_clock(self) -> None:
        self._clock_watch.look()

    # --- what recurs

    async def _every(self, seconds: float, do: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                do()
            except Exception:  # noqa: BLE001  # one fault must not end what every stream needs
                _log.exception("recorder.recurring_work_failed", work=do.__name__)

    def _tick(self) -> None:
        self.check_clock()
        before_ns = self.clock.wall_ns() - _GATHER_NS
        for sink in self._sinks.values():
            since_ns = sink.gathered_since_ns()
            if since_ns is not None and since_ns < before_ns:
                sink.flush()

    async def run_retention(self) -> dict[str, Deleted]:
        """One round of deletion now; what it did, by the volume's path."""
        return await self._retention.run()

    # --- callbacks

    def _clock_stepped(self, step_ns: int) -> None:
        for sink in self._sinks.values():
            sink.clock_stepped(step_ns)

    def _deliver(self, notices: list[Notice]) -> None:
        for camera, stream, notice in notices:
            self._on_fragment(camera, stream, notice)

    def _wake(self) -> None:
        """From the index's thread; a loop that has ended needs no telling."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_events)

    def _post(self, work: Work) -> object:
        return self._index_thread.post(work)

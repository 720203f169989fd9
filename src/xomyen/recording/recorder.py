"""The recorder: streams in, sealed files and an index out; one object with one life, `async with`."""

import asyncio
import contextlib
import gc
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import structlog

from xomyen.bus.messages import CameraEvent, FragmentNotice
from xomyen.proof.keys import SigningKey
from xomyen.recording.chains import chain_heads, load_chains
from xomyen.recording.coverage import Coverage
from xomyen.recording.disk import Disk, LocalDisk
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.index_thread import IndexThread, Work
from xomyen.recording.jobs import CheckpointJob, Notice
from xomyen.recording.machine import boot_id, clock_is_synchronised
from xomyen.recording.open_segment import StreamChain
from xomyen.recording.policy import RecorderSettings, StreamPolicy, VolumeSettings
from xomyen.recording.recovery import Progress, RecoveryReport, Signer, accept_and_recover
from xomyen.recording.retention import Deleted, Retention, RoomOf
from xomyen.recording.rows import Gap, Hold
from xomyen.recording.sink import RecordingSink
from xomyen.recording.statistics import OutboxEvent, RecorderStatistics, StreamStatistics
from xomyen.recording.volume import Volume
from xomyen.terms.errors import InvalidRange, NoFootage, VolumeRefused, XomyenError
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock
from xomyen.terms.words import ClockState, GapReason, StreamName

__all__ = ["OutboxEvent", "Recorder", "RecorderStatistics", "StreamStatistics"]

_log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.25
_GATHER_NS = NS_PER_SECOND // 2
_STEP_NS = 200_000_000  # a change of wall against monotonic time beyond this is a step, not slewing
_CLOCK_STATE_SECONDS = 10.0
_VOLUME_SECONDS = 10.0
_CLOCK_ALARM_NS = 600 * NS_PER_SECOND


def _nothing(*_: object) -> None:
    return None


def _stop_the_process(why: str) -> None:
    """What was written may not be on the disk, and nothing may be promised any more: end at once, restart, recover."""
    _log.critical("recorder.fatal", why=why)
    os._exit(os.EX_IOERR)


class Recorder:
    """Records streams into a node's folder. Nothing starts before `async with`.

    Callbacks run on the event loop: `on_fragment(camera, stream, notice)` after a fragment of a watched stream is in
    its file, `on_state(event)` when a stream's state changed, `on_alarm(code, text)` for what somebody must look
    at, `on_events()` when the outbox has something. `on_progress(what, done, total)` tells of the recovery.
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
        on_events: Callable[[], None] = _nothing,
        on_progress: Progress = _nothing,
        on_fatal: Callable[[str], None] = _stop_the_process,
        synchronised: Callable[[], bool] | None = None,
    ) -> None:
        self.node = node
        self.clock: Clock = clock or SystemClock()
        self.settings = settings or RecorderSettings()
        self.report = RecoveryReport()
        self._folder = folder
        self._key = key
        self._disk: Disk = disk or LocalDisk()
        self._on_fragment = on_fragment
        self._on_state = on_state
        self._on_alarm = on_alarm
        self._on_events = on_events
        self._on_progress = on_progress
        self._on_fatal = on_fatal
        self._synchronised = synchronised or clock_is_synchronised
        self._index = Index(str(folder.index))
        self._index_thread = IndexThread(self._index, lambda text: self._alarm_soon("index", text))
        self._volume_settings = self.settings.volumes or (VolumeSettings(str(folder.default_volume)),)
        self._volumes: dict[str, Volume] = {}
        self._refused: dict[str, str] = {}
        self._scratch: Volume | None = None
        self._sinks: dict[tuple[str, StreamName], RecordingSink] = {}
        self._coverages: dict[tuple[str, StreamName], Coverage] = {}  # of streams that were recorded before
        self._chains: dict[tuple[str, str], StreamChain] = {}
        self._watched: set[tuple[str, StreamName]] = set()
        self._alarms: dict[str, str] = {}
        self._alive_ns: int | None = None
        self._boot = ""
        self._clock_state = ClockState.SYNCHRONISED
        self._wall_minus_monotonic = 0
        self._stepped_at_ns = 0  # monotonic
        self._tasks: list[asyncio.Task[None]] = []
        self._reader: IndexReader | None = None
        self._last_retention: Deleted | None = None

    # --- life

    async def __aenter__(self) -> "Recorder":
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._prepare)
        if not self._volumes:
            self._index.close()
            raise VolumeRefused(next(iter(self._refused.values()), "There is no volume to record to."))
        self._index_thread.on_events = lambda: self._soon(self._on_events)
        self._index_thread.start()
        self._reader = IndexReader(self._index.path)
        for volume in self._volumes.values():
            volume.start(self._loop)
        self._start_scratch()
        self._wall_minus_monotonic = self.clock.wall_ns() - self.clock.monotonic_ns()
        self._look_at_synchronisation()
        self._tasks = [
            asyncio.create_task(self._every(_TICK_SECONDS, self._tick)),
            asyncio.create_task(self._every(_CLOCK_STATE_SECONDS, self._look_at_synchronisation)),
            asyncio.create_task(self._every(self.settings.chain_seconds, self.post_chain_heads)),
            asyncio.create_task(self._keep_retention()),
            asyncio.create_task(self._retry_volumes()),
        ]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sink in self._sinks.values():
            sink.end_run()
            sink.coverage.end()
        volumes = [*self._volumes.values(), *([self._scratch] if self._scratch else [])]
        for volume in volumes:
            volume.flush()
        await asyncio.gather(*(asyncio.to_thread(volume.stop) for volume in volumes))
        self.post_chain_heads()
        await asyncio.to_thread(self._index_thread.stop)
        if self._reader is not None:
            self._reader.close()
        self._index.close()

    def _prepare(self) -> None:
        """Opens the index, accepts the volumes and reconciles them with it."""
        self._index.open()
        alive = self._index.meta("alive_ns")
        self._alive_ns = int(alive) if alive else None
        self._chains = load_chains(self._index)
        self._boot = boot_id()
        for settings in self._volume_settings:
            try:
                volume = self._accept(settings, self._index)
                self._volumes[volume.id] = volume
            except VolumeRefused as refusal:
                self._refused[settings.path] = refusal.message
                self._alarm_soon(f"volume:{settings.path}", refusal.message)
        gc.collect()
        gc.freeze()

    def _accept(self, settings: VolumeSettings, index: Index) -> Volume:
        """Raises VolumeRefused."""
        identity = accept_and_recover(
            settings.path,
            index,
            self._disk,
            Signer(self.node, self._key, self.clock),
            self._chains,
            self._on_progress,
            self.report,
            self._boot,
        )
        return self._make_volume(identity, settings, durable=True)

    def _make_volume(self, identity: str, settings: VolumeSettings, *, durable: bool) -> Volume:
        path = settings.path
        return Volume(
            identity,
            settings,
            self.settings,
            self._disk,
            self._key,
            self.clock,
            self._index_thread,
            durable=durable,
            on_notices=self._deliver,
            on_alarm=lambda what, text: self._alarm_soon(f"{what}:{path}", text),
            on_fatal=self._on_fatal,
        )

    def _start_scratch(self) -> None:
        """Streams that are only watched, not recorded; what an earlier process left is of no use."""
        path = str(self._folder.root / "scratch")
        for above, _, names in os.walk(path):
            for name in names:
                self._disk.remove(os.path.join(above, name))
        self._disk.make_folder(path)
        self._scratch = self._make_volume("scratch", VolumeSettings(path, 0), durable=False)
        self._scratch.start(self._loop)

    # --- streams

    def sink(
        self, camera: str, stream: StreamName, policy: StreamPolicy | None = None, late_from_ns: int | None = None
    ) -> RecordingSink:
        """Where a source of this stream delivers. Asked again, the same sink with the new policy.

        `late_from_ns`: the footage comes from the camera's own memory and began then; it gets a sink of its own.
        """
        policy = policy or StreamPolicy()
        key = (camera, stream)
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
            elif recorded:
                self._restore(coverage, camera, stream)
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

    def _restore(self, coverage: Coverage, camera: str, stream: StreamName) -> None:
        if self._reader is None:
            return
        where = "(SELECT id FROM stream WHERE camera = ? AND name = ?)"
        until = self._reader.query("SELECT max(end_ns) FROM span WHERE stream = " + where, camera, stream)  # noqa: S608
        rows = self._reader.query(
            "SELECT id, start_ns, end_ns, reason, detail FROM gap WHERE end_ns IS NULL AND stream = "  # noqa: S608
            + where
            + " ORDER BY start_ns",
            camera,
            stream,
        )
        coverage.restore(
            until[0][0] if until else None,
            [Gap(row[0], row[1], row[2], GapReason(row[3]), row[4]) for row in rows],
            self._alive_ns,
        )

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
        done: Future[str] = Future()
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
        events = chain_heads(self._chains, self.clock)

        def put(index: Index) -> None:
            for event in events:
                index.put_event("chain", event)

        if events:
            self._post(put)

    @property
    def statistics(self) -> RecorderStatistics:
        """A picture of now; cheap enough to ask every few seconds."""
        return RecorderStatistics(
            volumes=[volume.statistics for volume in self._volumes.values()],
            refused_volumes=dict(self._refused),
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
            alarms=dict(self._alarms),
            last_retention=self._last_retention,
        )

    # --- SinkHost

    @property
    def clock_state(self) -> ClockState:
        return self._clock_state

    def choose_volume(self, policy: StreamPolicy) -> Volume | None:
        """The policy's volume, or the one with most room above its floor; None when none takes bytes now."""
        if not policy.record:
            return self._scratch
        usable = [
            volume
            for volume in self._volumes.values()
            if not volume.paused and (policy.volume is None or policy.volume == volume.id)
        ]
        return max(usable, key=lambda volume: volume.statistics.free_bytes - volume.floor, default=None)

    def check_clock(self) -> None:
        now = self.clock.wall_ns() - self.clock.monotonic_ns()
        step_ns = now - self._wall_minus_monotonic
        self._wall_minus_monotonic = now
        if abs(step_ns) < _STEP_NS:
            return
        self._stepped_at_ns = self.clock.monotonic_ns()
        _log.warning("clock.stepped", step_ms=step_ns // 1_000_000)
        self._alarm("clock", f"The machine's clock was set by {step_ns / NS_PER_SECOND:+.3f} s.")
        for sink in self._sinks.values():
            sink.clock_stepped(step_ns)

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

    def _look_at_synchronisation(self) -> None:
        self._clock_state = ClockState.SYNCHRONISED if self._synchronised() else ClockState.UNSYNCHRONISED
        if self.clock.monotonic_ns() - self._stepped_at_ns > _CLOCK_ALARM_NS:
            self._alarms.pop("clock", None)

    async def _keep_retention(self) -> None:
        while True:
            await self.run_retention()
            await asyncio.sleep(self.settings.retention_seconds)

    async def run_retention(self) -> Deleted | None:
        """One round of deletion now; None when it could not be carried out (an alarm says why)."""
        retention = Retention(
            self.reader,
            self._index_thread,
            self._disk,
            self.clock,
            self.settings.default_policy,
            self.settings.tombstone_days,
        )
        policies: Mapping[tuple[str, str], StreamPolicy] = {
            (camera, str(stream)): sink.policy for (camera, stream), sink in self._sinks.items()
        }
        rooms = [RoomOf(volume.id, volume.path, volume.floor) for volume in self._volumes.values()]
        try:
            done = await asyncio.to_thread(retention.run, policies, rooms)
        except (OSError, sqlite3.Error) as error:
            self._alarm("retention", f"Old footage could not be deleted: {error}")
            return None
        self._last_retention = done
        for path, why in done.failing.items():
            self._alarm(f"retention:{path}", f"Old footage on {path} cannot be deleted: {why}.")
        for room in rooms:
            if room.path not in done.failing:
                self._alarms.pop(f"retention:{room.path}", None)
        for path in done.only_held:
            self._alarm(f"held:{path}", f"{path} is almost full and only held footage is left on it.")
        for room in rooms:
            if room.path not in done.only_held:
                self._alarms.pop(f"held:{room.path}", None)
        return done

    async def _retry_volumes(self) -> None:
        """A volume that was refused may have been mounted meanwhile; one that paused may be well again."""
        while True:
            await asyncio.sleep(_VOLUME_SECONDS)
            for volume in self._volumes.values():
                if not volume.paused:
                    self._alarms.pop(f"volume:{volume.path}", None)
            for settings in self._volume_settings:
                if settings.path in self._refused:
                    await self._retry(settings)

    async def _retry(self, settings: VolumeSettings) -> None:
        path = settings.path
        try:
            volume = await asyncio.to_thread(self._accept_late, settings)
            volume.start(self._loop)
        except (XomyenError, OSError, sqlite3.Error) as error:
            self._refused[path] = str(error)
            self._alarm(f"volume:{path}", str(error))
            return
        self._volumes[volume.id] = volume
        del self._refused[path]
        self._alarms.pop(f"volume:{path}", None)

    def _accept_late(self, settings: VolumeSettings) -> Volume:
        """On a connection of its own: a disk that is slow to recover holds up no commit of the others."""
        index = Index(self._index.path)
        index.open()
        try:
            return self._accept(settings, index)
        finally:
            index.close()

    # --- callbacks

    def _deliver(self, notices: list[Notice]) -> None:
        for camera, stream, notice in notices:
            self._on_fragment(camera, stream, notice)

    def _post(self, work: Work) -> object:
        return self._index_thread.post(work)

    def _soon(self, call: Callable[..., None], *values: Any) -> None:
        """From any thread to the loop; a loop that has ended needs no telling."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *values)

    def _alarm_soon(self, code: str, text: str) -> None:
        self._soon(self._alarm, code, text)

    def _alarm(self, code: str, text: str) -> None:
        if self._alarms.get(code) == text:
            return
        self._alarms[code] = text
        _log.error("recorder.alarm", code=code, text=text)
        self._on_alarm(code, text)

"""Has old footage deleted again and again, each volume on a thread of its own, and says what hinders it."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping

from xomyen.recording.alarms import Alarms
from xomyen.recording.disk import Disk
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.index_thread import IndexThread
from xomyen.recording.own_thread import in_own_thread
from xomyen.recording.policy import RecorderSettings, StreamPolicy
from xomyen.recording.retention import DAY_NS, Deleted, Retention, RoomOf
from xomyen.recording.volume import Volume
from xomyen.terms.time import NS_PER_SECOND, Clock

_HUNG_NS = 60 * NS_PER_SECOND

Policies = Mapping[tuple[str, str], StreamPolicy]


class RetentionRounds:
    """Lives on the event loop. `volumes` and `policies` are asked anew for each round."""

    def __init__(
        self,
        index_thread: IndexThread,
        disk: Disk,
        clock: Clock,
        settings: RecorderSettings,
        alarms: Alarms,
        volumes: Callable[[], Mapping[str, Volume]],
        policies: Callable[[], Policies],
        clock_is_plausible: Callable[[], bool],
    ) -> None:
        self._index_thread = index_thread
        self._disk = disk
        self._clock = clock
        self._settings = settings
        self._alarms = alarms
        self._volumes = volumes
        self._policies = policies
        self._clock_is_plausible = clock_is_plausible
        self._locks: dict[str, asyncio.Lock] = {}
        self._began_ns: dict[str, int] = {}  # monotonic; of the rounds that run
        self._rounds: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> "RetentionRounds":
        self._reader = IndexReader(self._index_thread.path)
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *exception: object) -> None:
        tasks = [self._keeping, *self._rounds]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reader.close()

    async def run(self) -> dict[str, Deleted]:
        """A round on every volume now; what each did, by path. Waits also for a disk that hangs."""
        done = await asyncio.gather(*(self._round(volume) for volume in self._volumes().values()))
        await self._forget()
        return {volume.path: deleted for volume, deleted in done}

    async def _keep(self) -> None:
        while True:
            # Waits first: after a start the cameras' configuration, changed meanwhile perhaps, comes before.
            await asyncio.sleep(self._settings.retention_seconds)
            for volume in self._volumes().values():
                if volume.id in self._began_ns:
                    self._look_at(volume)
                else:
                    task: asyncio.Task[object] = asyncio.create_task(self._round(volume))
                    self._rounds.add(task)
                    task.add_done_callback(self._rounds.discard)
            await self._forget()

    def _look_at(self, volume: Volume) -> None:
        """Its round still runs: a long one is work, a disk that does not answer is a fault."""
        if self._clock.monotonic_ns() - self._began_ns[volume.id] > _HUNG_NS:
            text = f"Old footage on {volume.path} cannot be deleted: the disk has not answered for a minute."
            self._alarms.say(f"retention:{volume.path}", text)

    async def _round(self, volume: Volume) -> tuple[Volume, Deleted]:
        async with self._locks.setdefault(volume.id, asyncio.Lock()):
            self._began_ns[volume.id] = self._clock.monotonic_ns()
            retention = Retention(
                self._reader,
                self._index_thread,
                self._disk,
                self._clock,
                RoomOf(volume.id, volume.path, volume.floor),
                list(self._volumes()),
                self._policies(),
                self._settings.default_policy,
                age_counts=self._clock_is_plausible(),
            )
            try:
                done = await in_own_thread(retention.run, "retention")
            except (OSError, sqlite3.Error) as error:
                done = Deleted(failing=str(error))
            finally:
                del self._began_ns[volume.id]
        self._tell(volume, done)
        return volume, done

    def _tell(self, volume: Volume, done: Deleted) -> None:
        path = volume.path
        if done.failing:
            self._alarms.say(f"retention:{path}", f"Old footage on {path} cannot be deleted: {done.failing}.")
        else:
            self._alarms.over(f"retention:{path}")
        full = bool(done.short and volume.paused)
        if full:
            self._alarms.say(f"full:{path}", f"{path} is full, nothing is recorded to it, and {done.short}.")
        else:
            self._alarms.over(f"full:{path}")
        if done.short and not full:
            self._alarms.say(f"almost_full:{path}", f"{path} is almost full, and {done.short}.")
        else:
            self._alarms.over(f"almost_full:{path}")
        if done.floor_age_ns is not None and done.floor_age_ns < DAY_NS:
            text = f"{path} has room for less than a day of footage: what was recorded today is being deleted already."
            self._alarms.say(f"short:{path}", text)
        elif done.floor_age_ns is not None or volume.statistics.free_bytes > 2 * volume.floor:
            self._alarms.over(f"short:{path}")

    async def _forget(self) -> None:
        """Gaps older than the footage that is kept, and old tombstones, say nothing any more."""
        if not self._clock_is_plausible():
            return
        now_ns = self._clock.wall_ns()
        policies, default = self._policies(), self._settings.default_policy
        tombstones_ns = now_ns - self._settings.tombstone_days * DAY_NS

        def forget() -> None:
            ends = [
                (number, now_ns - policies.get((camera, name), default).retention_days * DAY_NS)
                for number, camera, name in self._reader.query("SELECT id, camera, name FROM stream")
            ]
            self._index_thread.commit(lambda index: index.forget_gaps(ends))
            self._index_thread.commit(lambda index: index.forget_tombstones(tombstones_ns))

        try:
            await in_own_thread(forget, "retention-index")
        except sqlite3.Error as error:
            self._alarms.say("retention", f"What is too old cannot be forgotten: {error}")
        else:
            self._alarms.over("retention")

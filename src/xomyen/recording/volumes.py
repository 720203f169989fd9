"""The node's volumes: accepted and reconciled at the start or when they appear, chosen by room, ended together."""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable

import structlog

from xomyen.proof.keys import SigningKey
from xomyen.recording.alarms import Alarms
from xomyen.recording.disk import Disk
from xomyen.recording.index import Index
from xomyen.recording.index_thread import IndexThread
from xomyen.recording.jobs import Notice
from xomyen.recording.machine import boot_id
from xomyen.recording.open_segment import StreamChain
from xomyen.recording.own_thread import in_own_thread
from xomyen.recording.policy import RecorderSettings, StreamPolicy, VolumeSettings
from xomyen.recording.recovery import Progress, Signer, accept_and_recover
from xomyen.recording.recovery_report import RecoveryReport
from xomyen.recording.volume import Volume
from xomyen.terms.errors import VolumeRefused, XomyenError

_log = structlog.get_logger(__name__)
_RETRY_SECONDS = 10.0
_ANSWER_SECONDS = 10.0  # a disk that spins up takes some


def stop_the_process(why: str) -> None:
    """What was written may not be on the disk, and nothing may be promised any more: end at once, restart, recover."""
    _log.critical("recorder.fatal", why=why)
    os._exit(os.EX_IOERR)


class Volumes:
    """Those that take footage, by id in `at_work`; those that do not, by path in `refused`, with the reason."""

    def __init__(
        self,
        wanted: tuple[VolumeSettings, ...],
        settings: RecorderSettings,
        disk: Disk,
        signer: Signer,
        index_thread: IndexThread,
        chains: dict[tuple[str, str], StreamChain],
        alarms: Alarms,
        *,
        on_notices: Callable[[list[Notice]], None],
        on_progress: Progress,
        on_fatal: Callable[[str], None],
    ) -> None:
        self.at_work: dict[str, Volume] = {}
        self.refused: dict[str, str] = {}
        self.report = RecoveryReport()
        self._wanted = wanted
        self._settings = settings
        self._disk = disk
        self._signer = signer
        self._key: SigningKey = signer.key
        self._index_thread = index_thread
        self._chains = chains
        self._alarms = alarms
        self._on_notices = on_notices
        self._on_progress = on_progress
        self._on_fatal = on_fatal
        self._boot = ""
        self._looks: dict[str, threading.Event] = {}
        self._scratch: Volume | None = None

    def accept(self, index: Index) -> None:
        """Brings each volume and the index together. Blocks; raises VolumeRefused when none can be used."""
        self._boot = boot_id()
        for settings in self._wanted:
            try:
                volume = self._accept(settings, index)
            except VolumeRefused as refusal:
                self.refused[settings.path] = refusal.message
                self._alarms.say_soon(f"volume:{settings.path}", refusal.message)
            else:
                self.at_work[volume.id] = volume
        if not self.at_work:
            raise VolumeRefused(next(iter(self.refused.values()), "There is no volume to record to."))

    def start(self, loop: asyncio.AbstractEventLoop, scratch: str) -> None:
        """Starts the volumes' threads. `scratch` is the folder for streams that are only watched."""
        self._loop = loop
        for volume in self.at_work.values():
            volume.start(loop)
        self._scratch = self._empty_scratch(scratch)
        self._scratch.start(loop)

    async def stop(self) -> None:
        """Writes and syncs what waits."""
        volumes = [*self.at_work.values(), *([self._scratch] if self._scratch else [])]
        for volume in volumes:
            volume.flush()
        await asyncio.gather(*(in_own_thread(volume.stop, "volume-stop") for volume in volumes))

    def choose(self, policy: StreamPolicy) -> Volume | None:
        """The policy's volume, or the one with most room above its floor; None when none takes bytes now."""
        if not policy.record:
            return self._scratch
        usable = [
            volume
            for volume in self.at_work.values()
            if not volume.paused
            and volume.backlog <= self._settings.queue_bytes // 2  # one that stalls takes no more either
            and (policy.volume is None or policy.volume == volume.id)
        ]
        return max(usable, key=lambda volume: volume.statistics.free_bytes - volume.floor, default=None)

    async def retry_refused(self) -> None:
        """A volume that was refused may have been mounted meanwhile; one that paused may be well again."""
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            for volume in self.at_work.values():
                if not volume.paused:
                    self._alarms.over(f"volume:{volume.path}")
            for settings in self._wanted:
                if settings.path in self.refused:
                    await self._retry(settings)

    async def _retry(self, settings: VolumeSettings) -> None:
        path = settings.path
        try:
            volume = await in_own_thread(lambda: self._accept_late(settings), "volume-accept")
            volume.start(self._loop)
        except (XomyenError, OSError, sqlite3.Error) as error:
            self.refused[path] = str(error)
            self._alarms.say(f"volume:{path}", str(error))
            return
        self.at_work[volume.id] = volume
        del self.refused[path]
        self._alarms.over(f"volume:{path}")

    def _accept_late(self, settings: VolumeSettings) -> Volume:
        """On a connection of its own: a disk that is slow to recover holds up no commit of the others."""
        index = Index(self._index_thread.path)
        index.open()
        try:
            return self._accept(settings, index)
        finally:
            index.close()

    def _accept(self, settings: VolumeSettings, index: Index) -> Volume:
        """Raises VolumeRefused."""
        if not self._answers(settings.path):
            raise VolumeRefused(
                f"The disk of the volume at {settings.path} does not answer; it is tried again.", path=settings.path
            )
        found = RecoveryReport()
        identity = accept_and_recover(
            settings.path,
            index,
            self._disk,
            self._signer,
            self._chains,
            self._on_progress,
            found,
            self._boot,
        )
        self.report.add(found)
        if lost := found.lost():
            text = f"Recordings on {settings.path} were damaged while the node was away: {lost}."
            self._alarms.say_soon(f"lost:{settings.path}", f"{text} The log names the files; check the disk.")
        return self._make(identity, settings, durable=True)

    def _answers(self, path: str) -> bool:
        """Whether the disk answers at all; asked on a thread that may be given up, one for each path."""
        looked = self._looks.get(path)
        if looked is None or looked.is_set():
            looked = self._looks[path] = threading.Event()
            threading.Thread(target=self._look, args=(path, looked), name="volume-look", daemon=True).start()
        return looked.wait(_ANSWER_SECONDS)

    def _look(self, path: str, looked: threading.Event) -> None:
        with contextlib.suppress(OSError):  # an answer too: what it means is found out by accepting it
            self._disk.room(path)
        looked.set()

    def _make(self, identity: str, settings: VolumeSettings, *, durable: bool) -> Volume:
        path = settings.path
        return Volume(
            identity,
            settings,
            self._settings,
            self._disk,
            self._key,
            self._signer.clock,
            self._index_thread,
            durable=durable,
            on_notices=self._on_notices,
            on_alarm=lambda what, text: self._alarms.say_soon(f"{what}:{path}", text),
            on_fatal=self._on_fatal,
        )

    def _empty_scratch(self, path: str) -> Volume:
        """What an earlier process left for its viewers is of no use."""
        for above, _, names in os.walk(path):
            for name in names:
                self._disk.remove(os.path.join(above, name))
        self._disk.make_folder(path)
        return self._make("scratch", VolumeSettings(path, 0), durable=False)

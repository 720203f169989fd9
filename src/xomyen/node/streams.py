"""Keeps every configured stream's source running: live reconfiguration that disturbs nobody else."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, Self

from xomyen.bus.messages import CameraConfig, CameraEvent, CameraRecord, StreamConfig
from xomyen.camera.source import Source, StreamSink
from xomyen.node.secrets import Secrets
from xomyen.recording.policy import StreamPolicy
from xomyen.terms.errors import XomyenError
from xomyen.terms.ids import new_id
from xomyen.terms.tasks import end_task
from xomyen.terms.time import Clock
from xomyen.terms.words import RESTING, CameraState, GapReason, StreamName

_LOG = logging.getLogger(__name__)

_AFTER_FAULT_S = 5.0
_CLOSING_S = 2.0

StreamKey = tuple[str, StreamName]


class Recording(Protocol):
    """What is needed of the recorder."""

    def sink(self, camera: str, stream: StreamName, policy: StreamPolicy | None = None) -> StreamSink: ...

    def remove(self, camera: str, stream: StreamName, *, disabled: bool = False) -> None: ...

    def watch(self, camera: str, stream: StreamName, watched: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stream should do, as its configuration says."""

    url: str
    user: str
    sealed_password: str
    policy: StreamPolicy
    enabled: bool
    name: str  # for the log

    def same_session(self, other: "Wanted") -> bool:
        """Whether a running source can go on: only what retention looks at has changed."""
        mine = (self.url, self.user, self.sealed_password, self.enabled, self.policy.record, self.policy.volume)
        return mine == (
            other.url, other.user, other.sealed_password, other.enabled, other.policy.record, other.policy.volume
        )  # fmt: skip


def wanted_streams(config: CameraConfig) -> dict[StreamKey, Wanted]:
    """The streams of a camera as it is configured."""

    def wanted(stream: StreamConfig) -> Wanted:
        policy = StreamPolicy(stream.record, config.retention_days, config.retention_bytes, config.volume)
        return Wanted(stream.url, config.user, config.sealed_password, policy, config.enabled, config.name)

    streams = {(config.id, StreamName.MAIN): wanted(config.main)}
    if config.sub is not None:
        streams[config.id, StreamName.SUB] = wanted(config.sub)
    return streams


OpenSource = Callable[[Wanted, str | None, StreamSink], Source]
"""Makes the source of a stream; the text is its password."""


class Streams:
    """All streams of the node; `apply` brings them to the configuration, `watch` says which are looked at."""

    def __init__(
        self,
        recorder: Recording,
        open_source: OpenSource,
        secrets: Secrets,
        clock: Clock,
        on_state: Callable[[CameraEvent], None],
    ) -> None:
        self._recorder = recorder
        self._open_source = open_source
        self._secrets = secrets
        self._clock = clock
        self._on_state = on_state
        self._keepers: dict[StreamKey, _Keeper] = {}
        self._watched: set[StreamKey] = set()
        self.on_applied: Callable[[set[str]], None] | None = None  # told which cameras there are now

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._end(list(self._keepers))

    async def apply(self, cameras: Mapping[str, CameraRecord]) -> None:
        """Starts, changes and ends streams so that they are as configured; the others do not notice."""
        wanted: dict[StreamKey, Wanted] = {}
        for record in cameras.values():
            wanted.update(wanted_streams(record.config))
        await self._end([key for key in self._keepers if key not in wanted])
        for key, wish in wanted.items():
            keeper = self._keepers.get(key)
            if keeper is None:
                self._keepers[key] = keeper = _Keeper(
                    key, self._recorder, self._open_source, self._secrets, self._clock, self._on_state
                )
                keeper.watch(key in self._watched)
            keeper.want(wish)
        if self.on_applied is not None:
            self.on_applied(set(cameras))

    def watch(self, key: StreamKey, watched: bool) -> None:
        """Somebody began or ceased to look at a stream."""
        (self._watched.add if watched else self._watched.discard)(key)
        self._recorder.watch(*key, watched)
        keeper = self._keepers.get(key)
        if keeper is not None:
            keeper.watch(watched)

    async def _end(self, keys: list[StreamKey]) -> None:
        ending = [self._keepers.pop(key) for key in keys]
        if not ending:
            return
        # A camera that does not answer a TEARDOWN must not hold up the others.
        tasks = [asyncio.create_task(keeper.end()) for keeper in ending]
        _done, late = await asyncio.wait(tasks, timeout=_CLOSING_S)
        for task in late:
            task.cancel()
        for key in keys:
            self._recorder.remove(*key)


class _Keeper:
    """One stream: its source runs while the stream is recorded or watched."""

    def __init__(
        self,
        key: StreamKey,
        recorder: Recording,
        open_source: OpenSource,
        secrets: Secrets,
        clock: Clock,
        on_state: Callable[[CameraEvent], None],
    ) -> None:
        self._key = key
        self._recorder = recorder
        self._open_source = open_source
        self._secrets = secrets
        self._clock = clock
        self._on_state = on_state
        self._wanted: Wanted | None = None
        self._watched = False
        self._source: Source | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def want(self, wanted: Wanted) -> None:
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"stream {self._key}")

    def watch(self, watched: bool) -> None:
        self._watched = watched
        if self._source is not None:
            self._source.watch(watched)
        self._changed.set()

    async def end(self) -> None:
        await end_task(self._task)

    def _needed(self, wanted: Wanted | None) -> bool:
        return wanted is not None and wanted.enabled and (wanted.policy.record or self._watched)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            wanted = self._wanted
            try:
                await self._turn(wanted)
            except Exception as error:  # noqa: BLE001  # a fault met by one camera must never hurt another
                name = wanted.name if wanted else ""
                _LOG.exception("%s (%s): the source failed", name, self._key[1])
                if wanted is not None:
                    with suppress(Exception):  # the index may be what failed
                        self._refused(wanted, f"the source failed: {type(error).__name__}")
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AFTER_FAULT_S):
                        await self._changed.wait()

    async def _turn(self, wanted: Wanted | None) -> None:
        """Rests or plays until the stream is wanted otherwise."""
        if wanted is None or not self._needed(wanted):
            self._rest(wanted)
            await self._changed.wait()
            return
        try:
            await self._play(wanted)
        except XomyenError as error:
            self._refused(wanted, error.message)
            await self._changed.wait()

    async def _play(self, wanted: Wanted) -> None:
        """Runs the source until the stream is wanted otherwise. Raises XomyenError for what cannot be opened."""
        password = self._secrets.open(wanted.sealed_password) if wanted.sealed_password else None
        sink = self._recorder.sink(*self._key, wanted.policy)
        source = self._open_source(wanted, password, sink)
        async with source:
            self._source = source
            source.watch(self._watched)
            self._say(CameraState.CONNECTING, None, "")
            try:
                while True:
                    await self._changed.wait()
                    self._changed.clear()
                    now = self._wanted
                    if now is None or not wanted.same_session(now) or not self._needed(now):
                        break
                    if now.policy != wanted.policy:
                        self._recorder.sink(*self._key, now.policy)
                        wanted = now
            finally:
                self._source = None
                # The loop looks again at what is wanted.
                self._changed.set()
        # After the source's last pictures: what comes next is another session.
        sink.closed(GapReason.POLICY, "the configuration was changed")

    def _rest(self, wanted: Wanted | None) -> None:
        if wanted is not None and wanted.enabled:
            self._recorder.remove(*self._key)
            self._say(CameraState.CONNECTING, None, RESTING)
            return
        # The gap of a stream that is switched off has its reason from the sink, which must be there for it.
        if wanted is not None and wanted.policy.record:
            self._recorder.sink(*self._key, wanted.policy)
        self._recorder.remove(*self._key, disabled=True)
        self._say(CameraState.DISABLED, GapReason.POLICY, "switched off")

    def _refused(self, wanted: Wanted, detail: str) -> None:
        self._recorder.sink(*self._key, wanted.policy).closed(GapReason.REFUSED, detail)

    def _say(self, state: CameraState, reason: GapReason | None, detail: str) -> None:
        camera, stream = self._key
        self._on_state(
            CameraEvent(
                id=new_id(self._clock),
                camera=camera,
                stream=stream,
                state=state,
                since_ns=self._clock.wall_ns(),
                reason=reason,
                detail=detail,
            )
        )

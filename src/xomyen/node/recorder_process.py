"""The recorder's process: reads the cameras of the configuration and writes what they send, until told to stop."""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import uvloop
from nats.aio.client import Client

from xomyen.bus.configuration import follow
from xomyen.bus.connection import connected
from xomyen.camera.ingest import BUFFER_BYTES, Ingest
from xomyen.camera.libav import LibavPool
from xomyen.camera.open import open_source
from xomyen.camera.source import Source, StreamSink
from xomyen.node.home import read_identity
from xomyen.node.leases import Leases
from xomyen.node.logs import configure_logs
from xomyen.node.outbox import Outbox
from xomyen.node.recorder_service import RecorderService
from xomyen.node.secrets import Secrets
from xomyen.node.states import Notices
from xomyen.node.streams import Streams, Wanted
from xomyen.node.supervisor import trouble_file
from xomyen.proof.keys import SigningKey
from xomyen.recording.policy import RecorderSettings, StreamPolicy, VolumeSettings
from xomyen.recording.recorder import Recorder
from xomyen.terms.buffers import BufferPool
from xomyen.terms.errors import XomyenError
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings, load_settings
from xomyen.terms.tasks import end_task
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock

_LOG = logging.getLogger(__name__)

_QUIET_S = 0.3
_LAST_EVENTS_S = 2.0
_PROGRESS_S = 5


def recorder_settings(folder: NodeFolder, settings: Settings) -> RecorderSettings:
    """The recorder's part of the node's settings."""
    volumes = settings.volumes or (folder.default_volume,)
    return RecorderSettings(
        volumes=tuple(VolumeSettings(str(path), settings.reserve_bytes) for path in volumes),
        sync_seconds=settings.commit_seconds,
        queue_bytes=settings.queue_bytes,
        lease_bytes=min(RecorderSettings().lease_bytes, settings.queue_bytes),
        default_policy=StreamPolicy(),
    )


class _Wake:
    """Stands for the outbox until there is one: the recorder may speak first."""

    def __init__(self) -> None:
        self.outbox: Outbox | None = None

    def __call__(self) -> None:
        if self.outbox is not None:
            self.outbox.wake()


class _RecoveryLog:
    """Tells in the log how far a long recovery has come, every few seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_ns = clock.monotonic_ns()

    def __call__(self, what: str, done: int, total: int) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._told_ns >= _PROGRESS_S * NS_PER_SECOND:
            self._told_ns = now_ns
            _LOG.info("recovery of %s: %d of %d files looked at", what, done, total)


@asynccontextmanager
async def recording(folder: NodeFolder, settings: Settings, client: Client) -> AsyncIterator[Streams]:
    """Everything of the recorder but its configuration runs for the length of a block."""
    node = read_identity(folder)
    clock = SystemClock()
    secrets = Secrets.load_or_create(folder.secrets_key)
    pool = BufferPool(BUFFER_BYTES, settings.receive_buffers)
    libav = LibavPool()
    wake = _Wake()
    async with AsyncExitStack() as stack:
        notices = await stack.enter_async_context(Notices(client, node))
        ingest = await stack.enter_async_context(Ingest(clock, pool))

        def alarms_changed(*_what: str) -> None:
            notices.alarms_changed(recorder.alarms.standing)

        recorder = Recorder(
            folder,
            node,
            SigningKey.load_or_create(folder.signing_key),
            clock=clock,
            settings=recorder_settings(folder, settings),
            on_fragment=notices.fragment_written,
            on_state=notices.state_changed,
            on_alarm=alarms_changed,
            on_alarm_over=alarms_changed,
            on_events=wake,
            on_progress=_RecoveryLog(clock),
        )
        await stack.enter_async_context(recorder)
        wake.outbox = outbox = await stack.enter_async_context(Outbox(client, node, recorder))
        # What ending the streams tells (their last segments) still goes out while the bus is there.
        stack.push_async_callback(outbox.drained, _QUIET_S, _LAST_EVENTS_S)

        def open_stream(wanted: Wanted, password: str | None, sink: StreamSink) -> Source:
            return open_source(wanted.url, wanted.user or None, password, sink, ingest, libav, name=wanted.name)

        streams = await stack.enter_async_context(Streams(recorder, open_stream, secrets, clock, notices.state_changed))
        leases = await stack.enter_async_context(Leases(client, node, streams.watch))

        def counts() -> dict[str, int]:
            return {"notices_dropped": notices.dropped, "events_sent": outbox.sent}

        def gauges() -> dict[str, int]:
            return {"watched_streams": leases.count, "libav_processes": len(libav.process_ids)}

        await stack.enter_async_context(RecorderService(client, node, recorder, notices, pool, counts, gauges))
        streams.on_applied = notices.forget
        yield streams


async def run(folder: NodeFolder, settings: Settings) -> None:
    """Records until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with connected(folder, "recorder") as client, recording(folder, settings, client) as streams:
        trouble_file(folder, "recorder").unlink(missing_ok=True)
        following = asyncio.create_task(_follow(client, read_identity(folder), streams))
        freezing = asyncio.create_task(_freeze())
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        finally:
            for task in (following, freezing, stopped):
                await end_task(task)
    _LOG.info("recorder stopped")


async def _follow(client: Client, node: str, streams: Streams) -> None:
    async for cameras in follow(client, node):
        await streams.apply(cameras)


async def _freeze() -> None:
    """What start-up made stays: the collector need not look at it again and again."""
    await asyncio.sleep(10)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Runs the process; exit code 0 after a clean stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    folder = NodeFolder(parser.parse_args().dir)
    try:
        settings = load_settings(folder)
        configure_logs("recorder", settings)
        uvloop.run(run(folder, settings))
    except XomyenError as error:
        # The supervisor shows it to whoever asks for the node's health.
        with suppress(OSError):
            trouble_file(folder, "recorder").write_text(error.message, encoding="utf-8")
        _LOG.error("%s", error.message)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()

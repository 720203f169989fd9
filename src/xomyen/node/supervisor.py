"""Runs a node: bus, recorder, gateway and devices, each in its own process; restarts them, stops them in order."""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import sdnotify
from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.bus.address import write_private
from xomyen.bus.connection import connect, finish, prepare_streams
from xomyen.bus.events import publish_event
from xomyen.bus.messages import NodeEvent, NodeHealth, PartHealth
from xomyen.bus.requests import Empty, answer
from xomyen.bus.server import BusServer
from xomyen.bus.server_config import BusLimits, Remote, Uplink
from xomyen.node.child import Child, ChildState, PythonProgram
from xomyen.node.config_service import ConfigService
from xomyen.node.home import locked, prepare
from xomyen.node.secrets import Secrets
from xomyen.node.tls import read_tls
from xomyen.node.watchdog import Watchdog
from xomyen.terms.errors import InvalidConfiguration, NotRunning
from xomyen.terms.folder import NodeFolder
from xomyen.terms.ids import new_id
from xomyen.terms.settings import RemoteSettings, Settings
from xomyen.terms.tasks import end_task
from xomyen.terms.time import Clock, SystemClock

_LOG = logging.getLogger(__name__)

GATEWAY_PATIENCE_S = 3.0
RECORDER_PATIENCE_S = 20.0
"""Sealing the open segments takes a moment per camera on a slow disk; usually it is well under a second."""
GATEWAY_START_S = 60.0
"""A gateway that has not answered by then never will: it only opens what others have made."""
DEVICES_PATIENCE_S = 5.0
"""Long enough to stop a camera that moves."""
_PARTS = ("bus", "recorder", "gateway", "devices")


def gateway_file(folder: NodeFolder) -> Path:
    """Where the gateway writes the address it listens on, and which centre it knows."""
    return folder.run / "gateway.json"


def write_gateway(folder: NodeFolder, url: str, knows: Iterable[str] = ()) -> None:
    """`knows` are names of what it read of others when it started, see `trusted.Trusted.names`."""
    now = {"version": 1, "url": url, "pid": os.getpid(), "knows": sorted(knows)}
    write_private(gateway_file(folder), json.dumps(now))


def read_gateway(folder: NodeFolder) -> str:
    """The address of the running gateway. Raises NotRunning."""
    try:
        return str(json.loads(gateway_file(folder).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning("The gateway is not running yet.") from error


def known_to_gateway(folder: NodeFolder) -> frozenset[str]:
    """The names of what the running gateway read of others. Raises NotRunning; also when it is of a version before."""
    try:
        return frozenset(json.loads(gateway_file(folder).read_text(encoding="utf-8"))["knows"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning("The gateway does not say what it has read.") from error


def trouble_file(folder: NodeFolder, part: str) -> Path:
    """Where a part that cannot go on writes why, for the node's health."""
    return folder.run / f"{part}.trouble"


def _read_trouble(folder: NodeFolder, part: str) -> str:
    try:
        return trouble_file(folder, part).read_text(encoding="utf-8")
    except OSError:
        return ""


def _read_uplink(settings: Settings) -> Uplink | None:
    if settings.uplink is None:
        return None

    def remote(end: RemoteSettings) -> Remote:
        try:
            seed = end.seed_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidConfiguration(f"The seed file {end.seed_file} of the uplink cannot be read.") from error
        if end.ca_file is not None and not end.ca_file.is_file():
            raise InvalidConfiguration(f"There is no file {end.ca_file} (ca_file of the uplink).")
        return Remote(end.url, seed, end.ca_file)

    return Uplink(remote(settings.uplink.events), remote(settings.uplink.media))


class Supervisor:
    """A running node; made by `supervising`."""

    def __init__(self, folder: NodeFolder, node: str, clock: Clock) -> None:
        self.folder = folder
        self.node = node
        self._clock = clock
        self._client: Client | None = None
        self._unsent: list[NodeEvent] = []
        self._children: dict[str, Child] = {}

    @property
    def client(self) -> Client | None:
        """The connection to the bus, while there is one."""
        return self._client

    def child(self, name: str) -> Child:
        return self._children[name]

    async def health(self, _request: Empty) -> NodeHealth:
        """What runs, since when, and how what does not run ended."""
        parts = []
        for name in _PARTS:
            state = self._children[name].state if name in self._children else None
            parts.append(
                PartHealth(
                    name=name,
                    running=state.running if state else False,
                    pid=state.pid if state else None,
                    since_ns=state.since_ns if state else 0,
                    restarts=state.restarts if state else 0,
                    detail=_detail(state, _read_trouble(self.folder, name)) if state else "not started yet",
                )
            )
        return NodeHealth(node=self.node, parts=tuple(parts))

    async def add(self, child: Child) -> None:
        self._children[child.name] = child
        await child.start()

    async def changed(self, child: Child) -> None:
        """A part began or ended: tell the event stream, now or when it is back."""
        state = child.state
        what = "started" if state.running else ("stopped" if state.detail == "stopped" else "ended")
        detail = "" if state.running else _detail(state, _read_trouble(self.folder, child.name))
        self._unsent.append(
            NodeEvent(id=new_id(self._clock), at_ns=self._clock.wall_ns(), part=child.name, what=what, detail=detail)
        )
        await self._send()

    async def _send(self) -> None:
        while self._client is not None and self._client.is_connected and self._unsent:
            event = self._unsent[0]
            try:
                await publish_event(
                    self._client, self.node, "node", event.id, event.model_dump_json().encode(), seconds=1.0
                )
            except NotRunning:
                return
            if self._unsent and self._unsent[0] is event:
                self._unsent.pop(0)

    async def attend(self, client: Client) -> None:
        """From now on events and questions go over this connection."""
        self._client = client
        await answer(client, subjects.service(self.node, "node", "health"), Empty, self.health)
        await self._send()

    async def detach(self) -> None:
        await self._send()
        self._client = None


def _detail(state: ChildState, trouble: str) -> str:
    """How a part ended last, with its own words where it left some."""
    return f"{state.detail}: {trouble}" if trouble and state.detail else state.detail or trouble


def listenable(listen: str, what: str = "web") -> str:
    """HOST:PORT when it can be had; port 0 becomes a free one, the same each time the gateway starts again.

    Raises InvalidConfiguration, which names what cannot listen: a taken port is told at once instead of by a server
    that never comes.
    """
    host, _, port = listen.rpartition(":")
    bare = host.strip("[]")
    try:
        with socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bare, int(port)))
            return f"{host}:{probe.getsockname()[1]}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidConfiguration(f"The {what} cannot listen on {listen}: {reason}.", field="listen") from error


@asynccontextmanager
async def supervising(
    folder: NodeFolder, settings: Settings, listen: str | None = None, clock: Clock | None = None
) -> AsyncIterator[Supervisor]:
    """A node runs in the folder for the length of a block.

    Raises AlreadyRunning, InvalidConfiguration, NotRunning (the bus does not start).
    """
    clock = clock or SystemClock()
    node = prepare(folder)
    uplink = _read_uplink(settings)
    read_tls(settings)  # told now, instead of by a gateway that never comes
    with locked(folder, "serve") as lock:
        listen = listenable(listen or settings.listen)
        for stale in folder.run.iterdir():
            stale.unlink()
        supervisor = Supervisor(folder, node, clock)
        limits = BusLimits(store_bytes=settings.bus_store_bytes)
        bus = Child("bus", BusServer(folder, node, limits, uplink, (lock.descriptor,)), clock, supervisor.changed)
        await supervisor.add(bus)
        try:
            async with _services(supervisor, settings):
                recorder = _part("recorder", supervisor, lock.descriptor, RECORDER_PATIENCE_S, ())
                gateway = _part("gateway", supervisor, lock.descriptor, GATEWAY_PATIENCE_S, ("--listen", listen))
                await supervisor.add(recorder)
                devices = _part("devices", supervisor, lock.descriptor, DEVICES_PATIENCE_S, ())
                await supervisor.add(gateway)
                await supervisor.add(devices)
                # The recovery of a large volume may take its time, so that the recorder has no longest start.
                watches = (
                    Watchdog(recorder, node),
                    Watchdog(gateway, node, GATEWAY_START_S),
                    Watchdog(devices, node, GATEWAY_START_S),
                )
                watching = [
                    asyncio.create_task(dog.watch(lambda: supervisor.client), name=f"watch the {dog.name}")
                    for dog in watches
                ]
                try:
                    yield supervisor
                finally:
                    for task in watching:
                        await end_task(task)
                    # Viewers first, then the files are sealed; what that tells still reaches the event stream.
                    await asyncio.gather(gateway.stop(), devices.stop())
                    await recorder.stop()
        finally:
            await bus.stop()


def _part(name: str, supervisor: Supervisor, lock: int, patience_s: float, arguments: tuple[str, ...]) -> Child:
    command = ("-m", f"xomyen.node.{name}_process", "--dir", str(supervisor.folder.root), *arguments)
    program = PythonProgram(command, (lock,), patience_s)
    return Child(name, program, supervisor._clock, supervisor.changed)


@asynccontextmanager
async def _services(supervisor: Supervisor, settings: Settings) -> AsyncIterator[None]:
    """The configuration and health services, on a connection that comes back after a restart of the bus."""
    folder, node = supervisor.folder, supervisor.node
    client = await connect(folder, "supervisor")
    try:
        await prepare_streams(client, node, settings.event_bytes, settings.event_days)
        secrets = Secrets.load_or_create(folder.secrets_key)
        async with ConfigService(client, node, secrets, settings.cameras):
            await supervisor.attend(client)
            yield
            await supervisor.detach()
    finally:
        await finish(client)


async def serve(
    folder: NodeFolder, settings: Settings, listen: str | None, ready: Callable[[str], Awaitable[None]]
) -> None:
    """Runs a node until SIGTERM or SIGINT; `ready` is told the gateway's address once it answers."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    systemd = sdnotify.SystemdNotifier()
    async with supervising(folder, settings, listen):
        announcing = asyncio.create_task(_announce(folder, ready, systemd))
        beating = asyncio.create_task(_beat(systemd))
        await stopping.wait()
        _LOG.info("stopping")
        systemd.notify("STOPPING=1")
        for task in (announcing, beating):
            task.cancel()
        await asyncio.gather(announcing, beating, return_exceptions=True)


async def _announce(
    folder: NodeFolder, ready: Callable[[str], Awaitable[None]], systemd: sdnotify.SystemdNotifier
) -> None:
    while True:
        try:
            url = read_gateway(folder)
            break
        except NotRunning:
            await asyncio.sleep(0.05)
    await ready(url)
    systemd.notify("READY=1")


async def _beat(systemd: sdnotify.SystemdNotifier) -> None:
    """Tells systemd that the supervisor is alive (WatchdogSec= of the unit)."""
    while True:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(5)

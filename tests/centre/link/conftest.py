"""A node beside the centre: its real bus and its real configuration service, which go away and come back."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

import django.test
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from nats.aio.client import Client
from nats.js.client import JetStreamContext
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer
from tests.browser import chromium_beside_django, open_context
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.access.store import AccessStore
from xomyen.bus import devices as bus_devices
from xomyen.bus import subjects
from xomyen.bus.address import address_file
from xomyen.bus.configuration import Configuration
from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.messages import (
    CameraConfig,
    CameraEvent,
    CameraList,
    CameraRecord,
    NodeHealth,
    PartHealth,
    RecorderState,
)
from xomyen.bus.requests import Empty, answer, ask
from xomyen.bus.server import BusServer
from xomyen.camera.onvif.networks import Networks
from xomyen.camera.onvif.scan import Ports
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.services import STRONG
from xomyen.centre.cameras import discovery_views
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link import ask as link_ask
from xomyen.centre.link import devices
from xomyen.centre.link import ended as link_ended
from xomyen.centre.link.ask import configuration
from xomyen.centre.link.bus import bus
from xomyen.centre.link.ended import ended
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.roles import Role
from xomyen.node import device_probe, device_ptz
from xomyen.node.access_service import AccessService
from xomyen.node.config_service import ConfigService
from xomyen.node.device_search import SearchPlaces
from xomyen.node.device_service import DeviceService
from xomyen.node.home import prepare
from xomyen.node.secrets import Secrets
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import SystemClock

SignedIn = Callable[[User], django.test.Client]
Answer = TypeVar("Answer")
MOST = 6


def now(camera: Camera) -> Camera:
    return Camera.objects.select_related("site", "camera_class", "node").get(pk=camera.pk)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def nowhere() -> Iterator[int]:
    """A port that nobody listens on, nor begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


class RealNode:
    """Runs in a thread of its own, so that pages and duties ask it as in use."""

    def __init__(self, folder: NodeFolder) -> None:
        self.folder = folder
        self.id = prepare(folder)
        self.secrets = Secrets.load_or_create(folder.secrets_key)
        self.streams: tuple[CameraEvent, ...] = ()
        self.onvif_ports: list[int] = []
        self.late = 0  # questions that wait at nodes that hang
        self.group = ("239.255.255.250", free_port())
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="node", daemon=True).start()
        self._stack: AsyncExitStack | None = None
        self._client: Client | None = None

    def start(self) -> None:
        self._run(self._start())

    async def _start(self) -> None:
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(BusServer(self.folder, self.id))
        self._client = await self._stack.enter_async_context(connected(self.folder, "node"))
        await prepare_streams(self._client, self.id)
        await self._stack.enter_async_context(ConfigService(self._client, self.id, self.secrets, MOST))
        store = self._stack.enter_context(AccessStore(self.folder.access, SystemClock()))
        await self._stack.enter_async_context(AccessService(self._client, self.id, store))
        places = SearchPlaces(Networks(["127.0.0.0/8"]), Ports((), tuple(self.onvif_ports)), self.group)
        devices = DeviceService(self._client, self.id, self.secrets, places, SystemClock())
        await self._stack.enter_async_context(devices)
        await answer(self._client, subjects.service(self.id, "recorder", "state"), Empty, self._state)
        await answer(self._client, subjects.service(self.id, "node", "health"), Empty, self._health)
        await self._client.flush()

    async def _state(self, _request: Empty) -> RecorderState:
        return RecorderState(streams=self.streams)

    async def _health(self, _request: Empty) -> NodeHealth:
        part = PartHealth(name="recorder", running=True, pid=1, since_ns=1, restarts=2)
        return NodeHealth(node=self.id, parts=(part,))

    def go_away(self) -> None:
        """As when its power is cut: the bus and everything on it ends."""
        if self._stack is not None:
            self._run(self._stack.aclose())
            self._stack = None
            address_file(self.folder).unlink(missing_ok=True)

    def close(self) -> None:
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def run(self, thing: AbstractAsyncContextManager[Answer]) -> Answer:
        """Enters something in the node's loop for as long as the node is there, such as simulated cameras."""
        assert self._stack is not None
        found: Answer = self._run(self._stack.enter_async_context(thing))
        return found

    def ask(self, question: Callable[[Configuration], Any]) -> Any:
        """As somebody at the node asks or tells it."""
        assert self._client is not None
        return self._run(question(Configuration(self._client, self.id)))

    def cameras(self) -> dict[str, CameraRecord]:
        """What is in force, by name."""
        return {record.config.name: record for record in self.ask(lambda asked: asked.cameras())}

    def answer_late(self, node: str, free: asyncio.Event) -> None:
        """As a node that hangs: is asked for its cameras, and answers only once it is freed."""

        async def late(_request: Empty) -> CameraList:
            self.late += 1
            await free.wait()
            return CameraList(cameras=())

        assert self._client is not None
        self._run(answer(self._client, subjects.service(node, "config", "list"), Empty, late))

    def answer_strangely(self, node: str) -> None:
        """As a node of another version, whose list of cameras cannot be read."""

        async def strange(_request: Empty) -> Empty:
            return Empty()

        assert self._client is not None
        self._run(answer(self._client, subjects.service(node, "config", "list"), Empty, strange))

    def free(self, waiting: asyncio.Event) -> None:
        self._loop.call_soon_threadsafe(waiting.set)

    def change(self, camera: str, /, **changes: Any) -> CameraRecord:
        """As `xomyen camera edit` does."""
        record = self.cameras()[camera]
        changed = CameraConfig.model_validate({**record.config.model_dump(), **changes})
        found: CameraRecord = self.ask(lambda asked: asked.put(changed, record.revision))
        return found

    def remove(self, name: str) -> None:
        record = self.cameras()[name]
        self.ask(lambda asked: asked.remove(record.config.id, record.revision))


@pytest.fixture
def real_node(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealNode]:
    """In the centre's own folder, where the centre looks for one."""
    be_patient(monkeypatch, 40)
    _leave_nothing_running()  # of earlier tests: who has just found no bus looks for none for a second
    node = RealNode(settings.FOLDER.node)
    try:
        node.folder.run.mkdir(mode=0o700, exist_ok=True)
        address = {"version": 1, "url": "http://127.0.0.1:8460", "pid": 1}
        (node.folder.run / "gateway.json").write_text(json.dumps(address))
        node.start()
        for record in node.cameras().values():
            node.remove(record.config.name)
        yield node
        # Before the database is emptied under it.
        _leave_nothing_running()
    finally:
        node.close()


def _leave_nothing_running() -> None:
    soon.finish()
    ended.finish()
    bus.close()


def wait_for_stores(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Has everybody wait so long for what buses keep on disks."""
    opened = JetStreamContext.__init__

    def patiently(self: JetStreamContext, connection: Client, *arguments: Any, **options: Any) -> None:
        opened(self, connection, *arguments, **{**options, "timeout": seconds})

    monkeypatch.setattr(JetStreamContext, "__init__", patiently)


def be_patient(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Has the centre wait so long for answers, and its node for those of devices and of its bus.

    What is not answered within the few seconds of daily use the worker asks for again; here nobody does, and a machine
    on which much else is done may take them to write one file.
    """
    wait_for_stores(monkeypatch, seconds)
    monkeypatch.setattr(configuration, "__defaults__", (seconds,))
    monkeypatch.setattr(ask, "__defaults__", (seconds,))
    for module, name in (
        (link_ask, "PATIENCE_S"),
        (link_ask, "_LOOK_S"),
        (link_ended, "_PATIENCE_S"),
        (devices, "_PATIENCE_S"),
        (devices, "_STEER_S"),
        (bus_devices, "_PTZ_S"),
        (device_ptz, "_ANSWER_S"),
        (device_ptz, "_COMMAND_S"),
        (device_probe, "_STILL_S"),
    ):
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture
def registered(transactional_db: None, real_node: RealNode, province: Province) -> Node:
    """The real node as the centre knows it, in the commune, without cameras."""
    Node.objects.create(id=real_node.id, unit=province.commune, name="Đầu ghi thật", address="http://127.0.0.1:8460")
    return Node.objects.get(pk=real_node.id)


@pytest.fixture(autouse=True)
def shorter_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of streams do not move for longer than a test looks at them."""
    monkeypatch.setattr(discovery_views, "WATCH_S", 0.5)


@pytest.fixture
def technician(registered: Node, province: Province, appoint: Appoint, signed_in: SignedIn) -> django.test.Client:
    """The commune's, signed in where the real node is known."""
    return signed_in(appoint(Role.TECHNICIAN, unit=province.commune))


@pytest.fixture
def yard(registered: Node, province: Province) -> Camera:
    """An accepted camera that is to be on the real node and is not yet."""
    camera = make_camera(province.group, registered, "C30", "Sân kho", standing="pending")
    return Camera.objects.select_related("site", "camera_class").get(pk=camera.pk)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium_beside_django() as started:
        yield started


@pytest.fixture
def opened(
    browser: Browser, live_server: LiveServer, registered: Node, province: Province, appoint: Appoint
) -> Iterator[Callable[..., Page]]:
    """Opens an address as a technician of the commune."""
    person = appoint(Role.TECHNICIAN, unit=province.commune)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session[STRONG] = True
    session.create()
    contexts = []

    def at(path: str, **options: object) -> Page:
        context = open_context(browser, **options)
        key = session.session_key or ""
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield at
    for context in contexts:
        context.close()

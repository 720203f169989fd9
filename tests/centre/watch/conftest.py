"""A node with simulated cameras, the centre's pages in this process, and a browser that looks at both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext
from pytest_django.live_server_helper import LiveServer
from tests.browser import chromium_beside_django, open_context
from tests.centre.conftest import Appoint, Province, make_camera
from tests.centre.watch.line import Line
from tests.centre.watch.rights import Place, make_place
from tests.running_node import RunningNode, running_node, simulated_cameras

from xomyen.access.store import AccessStore
from xomyen.camera.simulator import demo_clip
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.services import STRONG
from xomyen.centre.cameras.models import Camera, Node, Site
from xomyen.centre.watch.tickets import GRANTED_S
from xomyen.proof.keys import SigningKey
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import NS_PER_SECOND, SystemClock

YARD, GATE = "Sân nhà văn hóa", "Cổng hộ số 17"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium_beside_django() as started:
        yield started


@pytest.fixture
def place(province: Province, appoint: Appoint) -> Place:
    return make_place(province, appoint)


@dataclass(frozen=True)
class Recording:
    """A node that records two cameras and takes the centre's tickets."""

    node: RunningNode
    id: str
    cameras: dict[str, str]  # ids by name


@pytest.fixture(scope="package")
def line(live_server: LiveServer) -> Iterator[Line]:
    """Another way to the centre's pages, which can be cut."""
    made = Line(live_server.url)
    yield made
    made.end()


@pytest.fixture(scope="package")
def recording(
    tmp_path_factory: pytest.TempPathFactory, live_server: LiveServer, line: Line, issuer_key: SigningKey
) -> Iterator[Recording]:
    folder = tmp_path_factory.mktemp("watched") / "node"
    trusted = NodeFolder(folder).issuers
    trusted.mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    (trusted / "centre.pem").write_bytes(issuer_key.public.pem)
    (folder / "settings.toml").write_text(f'origins = ["{live_server.url}", "{line.url}"]\n')
    pictures = tmp_path_factory.mktemp("pictures")
    with simulated_cameras(demo_clip(), pictures) as port, running_node(folder) as node:
        for number, name in enumerate((YARD, GATE), 1):
            url = f"rtsp://127.0.0.1:{port}/{number}"
            node.run("camera", "add", name, url, "--sub", f"{url}/sub", "--site", "Thôn Đông", "--order", str(number))
        for name in (YARD, GATE):
            node.wait_for(name, "recording")
        ids = {camera["name"]: camera["id"] for camera in node.json("camera", "list")}
        yield Recording(node, node.health()["node"], ids)


@dataclass(frozen=True)
class Watched:
    """The province, of which the first commune's node really runs."""

    province: Province
    url: str
    node: RunningNode
    public: Camera
    private: Camera


@pytest.fixture
def watched(
    browser: Browser, transactional_db: None, province: Province, recording: Recording, live_server: LiveServer
) -> Watched:
    Camera.objects.filter(node=province.node).delete()
    Site.objects.filter(cameras=None).delete()
    node = Node.objects.create(id=recording.id, unit=province.commune, name="Đầu ghi", address=recording.node.url)
    Node.objects.filter(pk=province.node.pk).delete()
    public = make_camera(province.group, node, "C14", YARD, id=recording.cameras[YARD], order=1)
    private = make_camera(province.group, node, "C21", GATE, id=recording.cameras[GATE], order=2, is_public=False)
    return Watched(province, live_server.url, recording.node, public, private)


def end_at(node: RunningNode, subject: str, ago_s: int = 0) -> None:
    """As the centre tells the node that access has ended (tests/centre/link/test_ended.py)."""
    now_s = SystemClock().wall_ns() // NS_PER_SECOND - ago_s
    with AccessStore(NodeFolder(node.folder).access, SystemClock()) as store:
        store.end([(subject, now_s, now_s + GRANTED_S)])


@pytest.fixture
def entered(
    browser: Browser, transactional_db: None, live_server: LiveServer
) -> Iterator[Callable[[User], BrowserContext]]:
    """A browser that is signed in at the centre as somebody."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    opened: list[BrowserContext] = []

    def enter(person: User) -> BrowserContext:
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[STRONG] = True
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.create()
        context = open_context(browser)
        key = session.session_key or ""
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        opened.append(context)
        return context

    yield enter
    for context in opened:
        context.close()

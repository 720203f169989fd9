"""Nine recordings side by side: as many as there may be, and all of them at one moment."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import serious, utc
from tests.centre.conftest import Appoint, Province, make_camera
from tests.django_centre import FOLDER
from tests.gateway_node import FRAME_NS, running_node
from tests.gateway_node import Node as GatewayNode
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Node
from xomyen.centre.permissions.roles import Role
from xomyen.proof.keys import SigningKey
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import NS_PER_SECOND, SystemClock, parse_time

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Entered = Callable[[User], BrowserContext]

NAMES = [f"Ngõ {number}" for number in range(1, 11)]
"""Nine with footage, and the tenth."""
FRAMES = 2000
FRAME_MS = FRAME_NS / 1e6
# Cameras do not take their pictures at the same instants.
APART_NS = 4_000_000

# Each picture is 4 by 4 blocks, the bits of its number: as many pixels tell it, of all the films at one instant.
_NUMBERS = """videos => videos.map(video => {
  if (!video.videoWidth || video.seeking) return null;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 4;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 4, 4);
  const {data} = context.getImageData(0, 0, 4, 4);
  return [...Array(16).keys()].reduce((number, bit) => number | (data[4 * bit + 1] > 128 ? 1 << bit : 0), 0);
})"""


@dataclass(frozen=True)
class Recorded:
    """A node of this process, with numbered footage of nine of its cameras."""

    node: str
    url: str
    cameras: list[str]
    starts_ms: list[float]
    """When picture 0 of each was taken, ms since 1970."""


async def _record(node: GatewayNode, cameras: list[str], starts_ns: list[int]) -> None:
    await asyncio.gather(*(node.record(*one) for one in zip(cameras, [FRAMES] * 9, starts_ns, strict=False)))


@pytest.fixture(scope="module")
def recorded(
    tmp_path_factory: pytest.TempPathFactory, live_server: LiveServer, issuer_key: SigningKey
) -> Iterator[Recorded]:
    root = tmp_path_factory.mktemp("nine")
    kept = NodeFolder(root / "node").issuer_key
    kept.parent.mkdir(mode=0o700, parents=True)
    shutil.copy(FOLDER / "centre" / "issuer.pem", kept)
    start_ns = (SystemClock().wall_ns() // NS_PER_SECOND - 180) * NS_PER_SECOND
    starts_ns = [start_ns + number * APART_NS for number in range(9)]
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_node(root, origins=frozenset({live_server.url}))) as node,
    ):
        assert node.issuer.public.fingerprint == issuer_key.public.fingerprint
        cameras = [portal.call(node.add_camera, name) for name in NAMES]
        portal.call(_record, node, cameras, starts_ns)
        yield Recorded(node.id, node.address.url, cameras, [at_ns / 1e6 for at_ns in starts_ns])


@dataclass(frozen=True)
class Nine:
    """A page with pictures of the past."""

    page: Page
    recorded: Recorded

    def moments(self) -> list[float] | None:
        """When the pictures on the screen were taken, ms since 1970; None while one shows none."""
        numbers = self.page.locator("xy-together xy-stage video").evaluate_all(_NUMBERS)
        if len(numbers) != 9 or None in numbers:
            return None
        return [start + n * FRAME_MS for start, n in zip(self.recorded.starts_ms, numbers, strict=True)]

    @property
    def asked(self) -> float:
        """The moment in the page's address, ms since 1970."""
        at: str = self.page.evaluate("new URLSearchParams(location.search).get('at')")
        return parse_time(at, 0) / 1e6

    def rest_at(self, ms: float) -> None:
        """Waits until each of them shows the picture of this moment: the newest that it had taken by then."""

        def so() -> bool:
            moments = self.moments()
            return moments is not None and all(ms - FRAME_MS - 1 < one <= ms + 1 for one in moments)

        wait_until(so, seconds=60)

    def run_in_step(self, beyond_ms: float) -> None:
        """Waits until all have played beyond the moment, and are as near to each other as playing keeps them."""

        def so() -> bool:
            moments = self.moments()
            return moments is not None and min(moments) > beyond_ms and max(moments) - min(moments) < 250

        wait_until(so, seconds=60)

    def speeds(self) -> list[float]:
        found: list[float] = self.page.locator("xy-together xy-stage video").evaluate_all(
            "videos => videos.map(video => video.paused ? 0 : video.playbackRate)"
        )
        return found


@pytest.fixture
def nine(
    transactional_db: None,
    province: Province,
    recorded: Recorded,
    live_server: LiveServer,
    appoint: Appoint,
    entered: Entered,
) -> Nine:
    node = Node.objects.create(id=recorded.node, unit=province.commune, name="Đầu ghi xóm", address=recorded.url)
    for number, (name, camera) in enumerate(zip(NAMES, recorded.cameras, strict=True), 1):
        make_camera(province.group, node, f"N{number:02}", name, id=camera, order=number)
    page = entered(appoint(Role.INVESTIGATOR, unit=province.commune)).new_page()
    at_ms = int(recorded.starts_ms[0]) + 10_000
    page.goto(f"{live_server.url}/together?cameras={recorded.cameras[0]}&at={utc(at_ms)}")
    return Nine(page, recorded)


def test_nine_recordings_are_sought_played_and_stopped_as_one_and_a_tenth_is_refused(nine: Nine) -> None:
    page = nine.page
    expect(page.locator("xy-together xy-stage")).to_have_count(1)
    page.get_by_role("button", name="Chọn tối đa 9 camera").click()
    listed = page.get_by_role("navigation", name="Camera theo đơn vị")
    for number in range(2, 11):
        listed.get_by_role("button", name=f"N{number:02} ").click()
        expect(page.locator("xy-together xy-stage")).to_have_count(min(number, 9))
    expect(page.locator("xy-notice")).to_contain_text("Đã đủ 9 camera")
    assert nine.recorded.cameras[9] not in page.url
    first = nine.asked
    nine.rest_at(first)
    page.get_by_role("button", name="+5 s").click()
    nine.rest_at(first + 5000)
    page.get_by_role("button", name="Phát").click()
    nine.run_in_step(first + 8000)
    page.get_by_role("button", name="Tạm dừng").click()
    # The clock that leads them; a picture may be a little ahead of it.
    assert nine.asked > first + 6000
    nine.rest_at(nine.asked)
    page.get_by_label("Tốc độ").select_option("2")
    page.get_by_role("button", name="Phát").click()
    # A player that is a little early or late is drawn to the others by up to a quarter of its speed.
    wait_until(lambda: all(1.5 <= speed <= 2.5 for speed in nine.speeds()), seconds=60)
    nine.run_in_step(nine.asked + 1000)
    page.get_by_role("button", name="−5 s").click()
    page.get_by_role("button", name="Tạm dừng").click()
    nine.rest_at(nine.asked)
    assert set(nine.speeds()) == {0}
    assert serious(page) == []

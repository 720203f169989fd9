"""A browser on the page of a camera: what came of saving appears by itself; nothing stands in anybody's way."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import chromium_beside_django, open_context, serious
from tests.centre.conftest import Appoint, Province
from tests.centre.link.conftest import RealNode

from xomyen.centre.accounts.services import STRONG
from xomyen.centre.cameras.models import Camera, Node
from xomyen.centre.link.apply import bring
from xomyen.centre.link.duty import one_round
from xomyen.centre.link.soon import soon
from xomyen.centre.permissions.roles import Role

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
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
    soon.finish()


def test_the_page_shows_by_itself_that_the_node_was_away_came_back_and_took_the_change(
    opened: Callable[..., Page], real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    real_node.go_away()
    page = opened(f"/cameras/{yard.pk}/edit/")
    page.get_by_label("Tên", exact=False).and_(page.locator("#id_name")).fill("Sân kho mới")
    page.get_by_role("button", name="Lưu", exact=True).click()
    state = page.locator("#state")
    expect(state).to_contain_text("chờ đầu ghi kết nối lại")
    expect(state).to_contain_text("C30 Sân kho mới")
    assert serious(page) == []
    soon.finish()
    real_node.start()
    one_round(everything=True)
    expect(state).to_contain_text("Đã áp dụng")
    assert "C30 Sân kho mới" in real_node.cameras()


def test_pages_are_open_to_everybody_on_a_pc_and_on_a_telephone(
    opened: Callable[..., Page], real_node: RealNode, yard: Camera
) -> None:
    bring(yard.node_id)
    paths = [
        "/cameras/",
        f"/cameras/{yard.pk}/",
        f"/cameras/{yard.pk}/edit/",
        "/cameras/import/",
        f"/sites/{yard.site_id}/",
        "/recorders/",
        f"/recorders/{yard.node_id}/",
        f"/recorders/{yard.node_id}/discover/",
    ]
    for size in ({"width": 1366, "height": 768}, {"width": 390, "height": 844}):
        page = opened(paths[0], viewport=size)
        origin = page.url.removesuffix(paths[0])
        for path in paths:
            page.goto(origin + path)
            assert serious(page) == [], path
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path

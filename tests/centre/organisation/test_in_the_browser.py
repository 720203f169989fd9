"""The tree as people use it: opened level by level, searched while typing, on a PC and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SIZES = ((1366, 768), (390, 844))


@pytest.fixture
def page(
    browser: Browser,
    transactional_db: None,
    live_server: LiveServer,
    province: Province,
    appoint: Appoint,
    signed_in: Callable[[User], Client],
) -> Iterator[Page]:
    """The tree before somebody who may change it; fails the test when the content policy stops anything."""
    client = signed_in(appoint(Role.ADMINISTRATOR, unit=province.province))
    context = open_context(browser)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)
    opened.goto(f"{live_server.url}/units/")
    yield opened
    context.close()
    assert complaints == []


def test_a_unit_is_added_under_one_found_in_the_tree_and_the_change_undone(page: Page) -> None:
    page.get_by_label("Đơn vị thuộc Xã Gia Khê").click()
    page.get_by_role("link", name="Thôn Đông").wait_for()
    page.get_by_role("link", name="Xã Gia Khê").click()
    page.get_by_role("link", name="Thêm đơn vị trực thuộc").click()
    page.get_by_label("Loại").fill("Thôn")
    page.get_by_label("Tên", exact=True).fill("Trại")
    page.get_by_role("button", name="Thêm").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thôn Trại 90001-04")
    page.get_by_role("button", name="Hoàn tác").click()
    expect(page.get_by_role("status")).to_contain_text("Đã hoàn tác")
    assert not Unit.objects.filter(name="Trại").exists()


def test_the_list_follows_what_is_typed_and_its_address_can_be_sent(page: Page, live_server: LiveServer) -> None:
    page.get_by_label("Tên hoặc mã").press_sequentially("thon dong")
    page.get_by_role("link", name="Thôn Đông").wait_for()
    expect(page.get_by_text("Xã Gia Khê · Tỉnh Bắc Ninh")).to_be_visible()
    page.wait_for_url("**q=thon*dong*")
    page.reload()
    expect(page.get_by_role("link", name="Thôn Đông")).to_be_visible()
    expect(page.get_by_label("Tên hoặc mã")).to_have_value("thon dong")

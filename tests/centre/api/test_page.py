"""The page of access tokens in a real browser."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_a_token_is_made_and_revoked_with_the_keyboard(
    browser: Browser,
    transactional_db: None,
    province: Province,
    appoint: Appoint,
    signed_in: Callable[[User], Client],
    live_server: LiveServer,
) -> None:
    cookie = signed_in(appoint(Role.SECURITY_TEAM, unit=province.commune)).cookies["xomyen_centre"]
    context = open_context(browser)
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/me/")
    page.get_by_role("link", name="Mã truy cập API").click()
    assert serious(page) == []
    page.get_by_label("Dùng cho", exact=True).fill("Báo cáo quý")
    page.get_by_label("xem đơn vị").press("Space")
    page.get_by_label("Dùng cho", exact=True).press("Enter")
    expect(page.locator("#new-token")).to_have_value(re.compile("^xyc_"))
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Thu hồi Báo cáo quý").press("Enter")
    page.get_by_role("button", name="Thu hồi mã này").press("Enter")
    expect(page.get_by_text("Mã truy cập đã được thu hồi.")).to_be_visible()
    context.close()

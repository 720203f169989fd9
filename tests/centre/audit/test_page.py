"""The page of the log as a person has it, in a real browser."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.audit.services import record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def page(
    browser: Browser,
    transactional_db: None,
    province: Province,
    appoint: Appoint,
    signed_in: Callable[[User], Client],
    live_server: LiveServer,
) -> Iterator[Page]:
    """An auditor before the log of a night."""
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    record("camera.live", officer, province.public)
    record("camera.past", officer, province.neighbour, purpose="Tìm xe máy bị lấy trộm lúc 2 giờ")
    province.public.name = "Sân nhà văn hóa thôn Đông"
    province.public.save()
    chain_pending()
    auditor = signed_in(appoint(Role.AUDITOR, unit=province.commune))
    context = open_context(browser)
    cookie = auditor.cookies["xomyen_centre"]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    opened = context.new_page()
    opened.goto(f"{live_server.url}/audit/")
    yield opened
    context.close()


def test_the_log_is_read_and_narrowed_down_with_the_keyboard_alone(page: Page) -> None:
    assert serious(page) == []
    page.get_by_label("Camera", exact=True).fill("vao xa")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    summary = page.locator("summary").filter(has_text="Xem lại")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tìm xe máy bị lấy trộm lúc 2 giờ")).to_be_visible()
    assert serious(page) == []


def test_the_log_fits_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []


def test_an_export_is_downloaded(page: Page) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Xuất nhật ký").click()
    assert waiting.value.suggested_filename.startswith("audit-")

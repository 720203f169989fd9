"""Beside each field of a date stands the day as people there write it, whatever language the browser has."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.services import one_time_link
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def page(browser: Browser, transactional_db: None) -> Iterator[Page]:
    """In a browser whose own language, and so the order in its fields, is English."""
    context = open_context(browser, locale="en-US")
    yield context.new_page()
    context.close()


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    head = appoint(Role.POLICE_HEAD, unit=province.province)
    return appoint(Role.AUDITOR, head, unit=province.province)


def test_the_day_is_said_in_the_pages_own_order_while_it_is_chosen(
    page: Page, live_server: LiveServer, person: User
) -> None:
    page.goto(live_server.url + one_time_link(person))
    page.wait_for_url("**/live")
    page.goto(f"{live_server.url}/regulations/enact/")
    field = page.get_by_label("Có hiệu lực từ")
    field.fill("2026-09-08")
    expect(page.locator(".day-said")).to_have_text("Thứ Ba, 08/09/2026")
    expect(field).to_have_accessible_description("Thứ Ba, 08/09/2026")
    assert serious(page) == []
    field.fill("")
    expect(page.locator(".day-said")).to_be_hidden()
    person.language = "en"
    person.save()
    page.reload()
    page.get_by_label("In force from").fill("2026-09-08")
    expect(page.locator(".day-said")).to_have_text("Tuesday, 8 Sep 2026")


def test_a_day_that_stands_there_already_is_said_and_is_no_part_of_the_fields_name(
    page: Page, live_server: LiveServer, person: User
) -> None:
    page.goto(live_server.url + one_time_link(person))
    page.wait_for_url("**/live")
    page.goto(f"{live_server.url}/units/?on=2026-11-08")
    field = page.locator("input[name=on]")
    expect(field).to_have_accessible_name("Tại ngày")
    expect(field).to_have_accessible_description("Chủ Nhật, 08/11/2026")
    page.goto(f"{live_server.url}/audit/?since=2026-09-08T07:30")
    expect(page.locator(".day-said")).to_have_text("Thứ Ba, 08/09/2026 07:30")

"""What somebody sees in the browser, or in the app on a phone, while the centre is out of reach."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.conftest import Appoint, Province
from tests.centre.watch.line import Line
from tests.waiting import wait_until

from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.accounts.screens import confirm
from xomyen.centre.accounts.services import one_time_link
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# All that the browser keeps beside what its HTTP cache holds.
_KEPT = """async () => {
  const kept = [];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) kept.push(request.url);
  }
  return kept;
}"""
_WORKER = "navigator.serviceWorker.ready.then((registration) => registration.active.scriptURL)"


@pytest.fixture
def line(transactional_db: None, live_server: LiveServer) -> Iterator[Line]:
    made = Line(live_server.url)
    made.join()
    yield made
    made.end()


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    return appoint(Role.POLICE_HEAD, unit=province.commune)


@pytest.fixture
def page(browser: Browser, line: Line, person: User) -> Iterator[Page]:
    """A phone on which somebody is signed in, and whose browser has what it keeps."""
    context = open_context(browser, viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.clock.install()
    complaints: list[str] = []
    opened.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)
    opened.goto(line.url + one_time_link(person))
    opened.wait_for_url("**/live")
    assert opened.evaluate(_WORKER) == f"{line.url}/away-worker.js"
    yield opened
    context.close()
    assert complaints == []


def _looked_at(page: Page) -> None:
    assert serious(page) == []
    for width, height in ((1366, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_the_centre_the_browser_says_so_and_goes_on_by_itself_once_it_is_back(page: Page, line: Line) -> None:
    line.cut()
    page.goto(f"{line.url}/people/?q=an")
    expect(page.get_by_role("heading", level=1)).to_have_text("Không kết nối được với trung tâm")
    expect(page.get_by_text("Trung tâm trả lời lần cuối lúc")).to_be_visible()
    expect(page.get_by_text("các đầu ghi tại chỗ vẫn ghi")).to_be_visible()
    expect(page.get_by_text("Thiết bị có mạng nhưng trung tâm không trả lời.")).to_be_visible()
    assert page.title() == "Không kết nối được · Xóm Yên"
    _looked_at(page)
    page.get_by_role("button", name="Thử lại").click()
    expect(page.get_by_role("status")).to_contain_text("chưa kết nối được")
    page.context.set_offline(True)
    expect(page.get_by_text("Thiết bị này đang không có mạng.")).to_be_visible()
    line.join()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Cán bộ, người dùng")
    assert page.url.endswith("/people/?q=an")


class _Proxy(ThreadingHTTPServer):
    """Stands before a centre that is away, at the end of a line that is cut."""

    allow_reuse_port = True


class _Away(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(502)

    def log_message(self, *_told: object) -> None:
        """Nobody reads it."""


def test_a_proxy_that_answers_for_a_centre_that_is_away_is_no_centre(page: Page, line: Line) -> None:
    line.cut()
    with _Proxy(("127.0.0.1", urlsplit(line.url).port or 0), _Away) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        page.goto(f"{line.url}/people/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Không kết nối được với trung tâm")
        page.get_by_role("button", name="Thử lại").click()
        expect(page.get_by_role("status")).to_contain_text("chưa kết nối được")
        proxy.shutdown()


class _Late(BaseHTTPRequestHandler):
    """A page that takes the centre longer than its proxy waits."""

    def do_GET(self) -> None:
        if self.path == "/well/":
            self.send_response(204)
            self.end_headers()
        else:
            self.send_error(504)

    def log_message(self, *_told: object) -> None:
        """Nobody reads it."""


def _asked_anew(page: Page) -> int:
    return int(page.evaluate("JSON.parse(sessionStorage.getItem('xomyen.in-vain'))?.[0] ?? 0"))


def test_a_page_that_the_centre_cannot_open_is_asked_for_less_and_less_often(page: Page, line: Line) -> None:
    held = page.get_by_text("Trang được tự mở lại lúc")
    line.cut()
    with _Proxy(("127.0.0.1", urlsplit(line.url).port or 0), _Late) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        page.goto(f"{line.url}/people/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Không kết nối được với trung tâm")
        for times, seconds in ((1, 11), (2, 11), (3, 21)):
            with page.expect_event("load"):
                page.clock.fast_forward(seconds * 1000)
            expect(page.get_by_role("heading", level=1)).to_have_text("Trung tâm chưa mở được trang này")
            expect(held).to_be_visible()
            assert _asked_anew(page) == times
        _looked_at(page)
        with page.expect_response("**/well/"):
            page.clock.fast_forward(11_000)  # of the 40 s that it waits now
        expect(held).to_be_visible()
        assert _asked_anew(page) == 3
        proxy.shutdown()
    line.join()
    page.get_by_role("button", name="Thử lại").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cán bộ, người dùng")
    assert _asked_anew(page) == 0


def test_to_say_that_it_answers_takes_the_centre_neither_session_nor_database(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/well/")
    assert (answer.status_code, answer.content, answer.cookies) == (204, b"", {})
    assert "no-store" in answer["Cache-Control"]


def test_nothing_that_anybody_was_shown_is_kept_for_that_page(page: Page, line: Line, person: User) -> None:
    page.goto(f"{line.url}/me/")
    expect(page.get_by_role("heading", level=1)).to_have_text(person.full_name)
    page.locator("[data-opens=way-round]").click()
    page.get_by_role("button", name="Đăng xuất", exact=True).click()
    page.wait_for_url("**/account/login/")
    line.cut()
    page.goto(f"{line.url}/me/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Không kết nối được với trung tâm")
    assert person.full_name not in page.content()
    kept = {urlsplit(url).path for url in page.evaluate(_KEPT)}
    assert "/static/away.html" in kept
    of_the_build = re.compile(r"/static/(away\.html|emblem\.svg|assets/[\w-]+\.(js|css|woff2))")
    assert [path for path in kept if not of_the_build.fullmatch(path)] == []


def test_it_speaks_the_language_that_was_chosen_last_and_tries_again_by_itself(page: Page, line: Line) -> None:
    page.goto(f"{line.url}/people/")
    page.locator("[data-opens=way-round]").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("People")
    line.cut()
    page.goto(f"{line.url}/people/")
    expect(page.get_by_role("heading", level=1)).to_have_text("The centre cannot be reached")
    expect(page.get_by_text("the recorders on site go on")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    _looked_at(page)
    line.join()
    page.clock.fast_forward("00:11")
    expect(page.get_by_role("heading", level=1)).to_have_text("People")


def test_a_browser_with_a_wall_of_its_own_keeps_that_instead(
    browser: Browser, line: Line, province: Province, person: User
) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{line.url}/pair/")
    confirm(person, PairedScreen.objects.waiting().get(), "TV nhà văn hóa", province.group)
    page.goto(f"{line.url}/live")
    # The page of the wall is kept last, behind the files it is made of.
    wait_until(lambda: page.evaluate("caches.match('/live').then(Boolean)"))
    # Somebody signs in there for a moment.
    page.goto(line.url + one_time_link(person))
    page.wait_for_url("**/live")
    page.goto(f"{line.url}/people/")
    page.wait_for_load_state("load")
    assert page.evaluate(_WORKER) == f"{line.url}/screen-worker.js"
    context.close()

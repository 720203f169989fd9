"""The way in as people go it: links, passkeys, pairing; and pages without hurdles."""

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.accounts.conftest import PASSWORD
from tests.centre.accounts.test_entry import code
from tests.centre.conftest import Appoint, Province
from tests.centre.watch.line import Line

from xomyen.centre.accounts.models import PairedScreen
from xomyen.centre.accounts.regulations import enact
from xomyen.centre.accounts.screens import begin, confirm, revoke
from xomyen.centre.accounts.services import invitation_link, lock, one_time_link, set_up_link
from xomyen.centre.dates import today
from xomyen.centre.link.bus import bus
from xomyen.centre.link.ended import ended
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.services import watched
from xomyen.centre.watch.tickets import Use, Wish, give

pytestmark = pytest.mark.timeout(600)
SIZES = ((1366, 768), (390, 844))


@pytest.fixture
def context(browser: Browser, transactional_db: None) -> Iterator[BrowserContext]:
    opened = open_context(browser)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that fails the test when the content policy stops anything."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)
    opened.on("close", lambda _page: pytest.fail(str(complaints)) if complaints else None)
    return opened


def looked_at(page: Page, name: str) -> None:
    """Nothing of the page shuts anybody out, on a PC and on a phone, and nothing has to be pushed sideways."""
    assert serious(page) == [], name
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} at {width}"
        # What hangs over the upper edge cannot be scrolled to.
        assert page.evaluate("document.querySelector('.brand').getBoundingClientRect().top + scrollY >= 0"), name
    page.set_viewport_size({"width": 1366, "height": 768})


def with_authenticator(page: Page) -> None:
    """A device with fingerprint, whose owner always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )


def test_an_empty_centre_is_set_up_from_its_link_to_the_first_camera(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + set_up_link())
    page.wait_for_url("**/account/set-up/")
    looked_at(page, "unit")
    page.get_by_text("Hoặc tự nhập").click()
    looked_at(page, "unit by hand")
    page.get_by_label("Mã", exact=True).fill("90001")
    page.get_by_label("Loại").fill("Xã")
    page.get_by_label("Tên", exact=True).fill("Gia Khê")
    page.get_by_role("button", name="Tiếp tục").click()
    page.wait_for_url("**/officer/")
    looked_at(page, "officer")
    page.get_by_label("Họ và tên").fill("Lương Khê Mẫn")
    page.get_by_label("Tên đăng nhập").fill("man.lk")
    page.get_by_label("Mật khẩu mới").fill(PASSWORD)
    page.get_by_label("Nhập lại mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Tiếp tục").click()
    page.wait_for_url("**/second-factor/**")
    looked_at(page, "second factor")
    page.get_by_role("link", name="Mã trên điện thoại").click()
    page.get_by_text("Không quét được?").click()
    secret = page.locator(".key-text").inner_text()
    looked_at(page, "code from the phone")
    page.get_by_label("Sáu chữ số").fill(code(secret))
    page.get_by_role("button", name="Xác nhận").click()
    page.wait_for_url("**/recovery-codes/")
    expect(page.locator(".codes li")).to_have_count(10)
    looked_at(page, "recovery codes")
    page.get_by_role("link", name="Đã lưu mã").click()
    page.wait_for_url("**/cameras/add/")


def test_the_code_of_a_link_stays_out_of_the_history(
    page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    link = one_time_link(appoint(Role.POLICE_HEAD, unit=province.commune))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(live_server.url + link)
    page.wait_for_url("**/live")
    secret = link.partition("#")[2]
    assert not [url for url in asked if secret in url]
    page.go_back()
    assert secret not in page.url


def test_pages_leave_what_they_show_when_their_session_ends(
    page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    line = Line(live_server.url)
    line.join()
    page.goto(live_server.url + one_time_link(person))
    page.wait_for_url("**/live")
    unused, other = page.context.new_page(), page.context.new_page()
    unused.clock.install()
    for opened, centre in ((unused, line.url), (other, live_server.url)):
        opened.goto(centre + "/people/")
        expect(opened.get_by_text(person.full_name).first).to_be_visible()
    # Whatever the centre answers by then: here it is out of reach.
    line.end()
    unused.clock.fast_forward("01:06:00")
    expect(unused.get_by_text(person.full_name)).to_have_count(0)
    page.goto(live_server.url + "/me/")
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url("**/account/login/")
    other.wait_for_url("**/account/login/")


def test_a_passkey_is_a_second_factor_and_later_lets_in_alone(
    page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    with_authenticator(page)
    page.goto(live_server.url + invitation_link(person, person))
    page.wait_for_url("**/welcome/")
    looked_at(page, "welcome")
    page.get_by_label("Mật khẩu mới").fill(PASSWORD)
    page.get_by_label("Nhập lại mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Lưu và đăng nhập").click()
    page.get_by_role("link", name="Khóa truy cập").click()
    page.wait_for_url("**/webauthn/add/")
    looked_at(page, "add a passkey")
    page.get_by_role("button", name="Thêm khóa truy cập").click()
    page.wait_for_url("**/recovery-codes/")
    assert Authenticator.objects.filter(user=person, type="webauthn").count() == 1
    page.goto(f"{live_server.url}/me/")
    page.get_by_role("button", name="Đăng xuất", exact=True).click()
    page.wait_for_url("**/account/login/")
    looked_at(page, "sign in")
    page.get_by_role("button", name="Đăng nhập bằng khóa truy cập").click()
    page.wait_for_url(lambda url: "/account/" not in url)
    page.goto(f"{live_server.url}/people/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cán bộ, người dùng")
    page.get_by_role("button", name="Đăng xuất", exact=True).click()
    page.get_by_label("Tên đăng nhập").fill(person.username)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()
    page.wait_for_url("**/2fa/authenticate/")
    looked_at(page, "second step")
    page.get_by_role("button", name="Dùng khóa truy cập").click()
    page.wait_for_url(lambda url: "/account/" not in url)


def test_a_television_goes_on_by_itself_once_an_officer_has_confirmed(
    browser: Browser, page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    television = open_context(browser)
    wall = television.new_page()
    wall.goto(f"{live_server.url}/pair/")
    looked_at(wall, "pair")
    page.goto(live_server.url + one_time_link(appoint(Role.DUTY_COMMANDER, unit=province.commune)))
    page.wait_for_url("**/live")
    page.goto(f"{live_server.url}/screens/?code={wall.locator('.pair-code').inner_text()}")
    looked_at(page, "screens")
    page.get_by_label("Tên màn hình").fill("Tivi nhà văn hóa thôn Đông")
    page.get_by_label("Phòng trực ban").check()
    page.get_by_role("button", name="Ghép nối").click()
    expect(page.locator("tbody")).to_contain_text("Tivi nhà văn hóa thôn Đông")
    looked_at(page, "screens with one")
    wall.wait_for_url("**/live")
    assert PairedScreen.objects.get().post == province.duty_room
    page.get_by_text("Hủy ghép nối", exact=True).click()
    page.get_by_role("button", name="Hủy ghép nối màn hình này").click()
    expect(page.locator(".empty-state")).to_be_visible()
    wall.reload()
    wall.wait_for_url("**/pair/")
    expect(wall.get_by_text("Màn hình này đã bị hủy ghép nối")).to_be_visible()
    looked_at(wall, "pair anew")
    television.close()


def test_the_unit_of_somebody_invited_is_found_by_typing(
    page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    enact(province.commune, head, today(), "Quy chế khai thác, sử dụng hệ thống camera", "Điều 1. Phạm vi\n\nĐiều 2.")
    page.goto(live_server.url + one_time_link(head))
    page.wait_for_url("**/account/regulations/**")
    looked_at(page, "regulation")
    page.goto(f"{live_server.url}/people/invite/")
    page.get_by_label("Tìm đơn vị").press_sequentially("thượng")
    expect(page.locator("#places label")).to_have_count(1)


def test_a_form_that_comes_back_begins_at_its_first_error(
    page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    page.goto(live_server.url + one_time_link(appoint(Role.GROUP_HEAD, unit=province.group)))
    page.wait_for_url("**/live")
    page.goto(f"{live_server.url}/me/tokens/")
    page.get_by_label("Dùng cho").fill("Báo cáo tháng")
    page.get_by_role("button", name="Tạo mã").click()
    expect(page.get_by_role("checkbox").first).to_be_focused()


def test_pages_say_at_which_recorders_access_has_not_ended_yet(
    page: Page, live_server: LiveServer, province: Province, appoint: Appoint
) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    give(officer, watched(officer), Wish(Use.LIVE))
    screen, _ = begin("192.0.2.7")
    confirm(head, screen, "TV nhà văn hóa", province.group)
    screen = PairedScreen.objects.get(pk=screen.pk)
    give(screen, watched(screen), Wish(Use.LIVE))
    lock(officer)
    revoke(head, screen)
    ended.finish()
    bus.close()
    page.goto(live_server.url + one_time_link(head))
    page.wait_for_url("**/live")
    for path, name in ((f"/people/{officer.pk}/", "a person"), ("/screens/", "screens")):
        page.goto(live_server.url + path)
        expect(page.get_by_role("status").filter(has_text=province.node.name)).to_be_visible()
        looked_at(page, name)

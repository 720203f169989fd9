"""What somebody is told when no passkey comes: in words that fit, where they are read out, with the way on in focus."""

from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, CDPSession, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.services import one_time_link
from xomyen.centre.permissions.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ADD, SIGN_IN = "Thêm khóa truy cập", "Đăng nhập bằng khóa truy cập"
LOGIN = "**/2fa/webauthn/login/"


@pytest.fixture
def page(browser: Browser, transactional_db: None) -> Iterator[Page]:
    context = open_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def person(province: Province, appoint: Appoint) -> User:
    return appoint(Role.POLICE_HEAD, unit=province.commune)


class Device:
    """A phone's own authenticator, whose owner may refuse, be slow or be somebody else."""

    def __init__(self, page: Page, **options: bool) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        usual = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        made = {**usual, "isUserVerified": True, "automaticPresenceSimulation": True, **options}
        self._id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": made})["authenticatorId"]

    def recognises(self, owner: bool) -> None:
        asked = {"authenticatorId": self._id, "isUserVerified": owner}
        self._session.send("WebAuthn.setUserVerified", asked)


def _told(page: Page, button: str, text: str) -> None:
    """Asked again, the page says this, aloud, and the button that tries again has the focus."""
    pressed = page.get_by_role("button", name=button)
    pressed.click()
    alert: Locator = page.get_by_role("alert")
    expect(alert).to_contain_text(text)
    expect(pressed).to_be_focused()
    expect(page.locator("[data-passkey-waiting]")).to_be_hidden()
    assert serious(page) == []


def _change(route: Route, change: Callable[[dict[str, object]], object]) -> None:
    response = route.fetch()
    told = response.json()
    change(told["request_options"]["publicKey"])
    route.fulfill(response=response, json=told)


def _answered(page: Page, change: Callable[[dict[str, object]], object]) -> None:
    """What the centre asks of the device at signing in, changed."""
    page.route(LOGIN, lambda route: _change(route, change))


def test_who_is_not_recognised_is_told_so_and_adds_the_passkey_at_the_next_try(
    page: Page, live_server: LiveServer, person: User
) -> None:
    device = Device(page, isUserVerified=False)
    page.goto(live_server.url + one_time_link(person))
    page.wait_for_url("**/live")
    page.goto(f"{live_server.url}/account/2fa/webauthn/add/")
    _told(page, ADD, "Chưa tạo được khóa truy cập")
    device.recognises(owner=True)
    page.get_by_role("button", name=ADD).click()
    page.wait_for_url("**/recovery-codes/")
    page.goto(f"{live_server.url}/account/2fa/webauthn/add/")
    _told(page, ADD, "Thiết bị này đã có khóa truy cập của tài khoản")
    assert Authenticator.objects.filter(user=person, type="webauthn").count() == 1


def test_a_passkey_that_was_removed_here_is_said_to_count_no_more(
    page: Page, live_server: LiveServer, person: User
) -> None:
    Device(page)
    page.goto(live_server.url + one_time_link(person))
    page.wait_for_url("**/live")
    page.goto(f"{live_server.url}/account/2fa/webauthn/add/")
    page.get_by_role("button", name=ADD).click()
    page.wait_for_url("**/recovery-codes/")
    Authenticator.objects.filter(user=person).delete()
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/account/login/")
    page.get_by_role("button", name=SIGN_IN).click()
    expect(page.get_by_text("Khóa truy cập này không được chấp nhận")).to_be_visible()
    expect(page.get_by_role("button", name=SIGN_IN)).to_be_visible()


def test_who_waits_too_long_is_told_and_may_try_again(page: Page, live_server: LiveServer) -> None:
    Device(page, automaticPresenceSimulation=False)
    asked: list[Route] = []

    def answer(route: Route) -> None:
        asked.append(route)
        if len(asked) > 1:
            _change(route, soon)

    def soon(options: dict[str, object]) -> None:
        options["timeout"] = 1000

    page.route(LOGIN, answer)
    page.goto(f"{live_server.url}/account/login/")
    button = page.get_by_role("button", name=SIGN_IN)
    button.click()
    expect(page.locator("[data-passkey-waiting]")).to_contain_text("Đang chờ thiết bị")
    # Pressed once more meanwhile: browsers refuse a second question, so none is asked.
    button.click()
    (route,) = asked
    _change(route, soon)
    expect(page.get_by_role("alert")).to_contain_text("Không nhận được khóa truy cập")
    _told(page, SIGN_IN, "Không nhận được khóa truy cập")


def test_a_centre_under_another_name_and_one_that_is_away_are_told_apart(page: Page, live_server: LiveServer) -> None:
    Device(page)
    page.goto(f"{live_server.url}/account/login/")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    _told(page, "Sign in with a passkey", "No passkey came")
    _answered(page, lambda asked: asked.update(rpId="other.example"))
    _told(page, "Sign in with a passkey", "The browser allows no passkeys at this address")
    page.unroute_all()
    page.route(LOGIN, lambda route: route.abort())
    _told(page, "Sign in with a passkey", "The centre did not answer")

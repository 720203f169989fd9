"""Signing in with an account of elsewhere, at a provider that nobody here wrote, in a browser."""

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, Route
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.accounts.test_entry import code
from tests.centre.conftest import Appoint, Province
from tests.openid_provider import CLIENT, SECRET, OpenIdProvider, openid_provider

from xomyen.centre.accounts.models import EntryLink, User
from xomyen.centre.accounts.services import digest, invitation_link, lock, one_time_link
from xomyen.centre.audit.models import Pending
from xomyen.centre.configuration import OidcSettings, django_providers
from xomyen.centre.permissions.roles import Role

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

pytestmark = pytest.mark.timeout(600)

BACK = "/account/oidc/oidc/login/callback/"
NOT_CONNECTED = "Chưa liên kết với tài khoản nào"


@pytest.fixture(scope="module")
def running(live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    with openid_provider(tmp_path_factory.mktemp("openid"), live_server.url + BACK) as provider:
        yield provider


@pytest.fixture
def provider(running: OpenIdProvider, settings: Settings) -> OpenIdProvider:
    """The provider, and the settings that name it."""
    oidc = OidcSettings(
        name="Cổng Công an tỉnh",
        server=running.issuer,
        client_id=CLIENT,
        client_secret_file=running.secret_file,
        ca_file=running.certificate,
    )
    settings.CENTRE = settings.CENTRE.model_copy(update={"oidc": oidc})
    settings.SOCIALACCOUNT_PROVIDERS = django_providers(settings.CENTRE)
    return running


@pytest.fixture
def context(browser: Browser, transactional_db: None) -> Iterator[BrowserContext]:
    opened = open_context(browser, ignore_https_errors=True)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def there(page: Page, name: str) -> None:
    """Signs in at the provider's own page and agrees."""
    page.wait_for_url("https://127.0.0.1:*/interaction/*")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "gi-cung-duoc")
    page.click("button.login-submit")
    page.locator("form input[name=prompt][value=consent]").wait_for(state="attached")
    page.click("button[type=submit]")


def to_provider(page: Page, url: str) -> None:
    page.goto(f"{url}/account/login/")
    page.get_by_role("button", name="Cổng Công an tỉnh").click()


def connected(person: User, provider: OpenIdProvider, name: str, page: Page, url: str) -> None:
    """The person connects the account on their own page."""
    page.goto(url + one_time_link(person))
    page.wait_for_url("**/live")
    page.goto(url + reverse("socialaccount_connections"))
    page.get_by_role("button", name="Cổng Công an tỉnh").click()
    there(page, name)
    page.wait_for_url("**/account/3rdparty/")
    assert SocialAccount.objects.get(user=person).extra_data["iss"] == provider.issuer
    page.context.clear_cookies()


def test_who_connected_an_account_gets_in_with_it(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    connected(person, provider, "khe.17", page, live_server.url)
    kept = SocialAccount.objects.get().extra_data
    assert set(kept) <= {"iss", "sub", "name", "preferred_username"}
    to_provider(page, live_server.url)
    there(page, "khe.17")
    page.wait_for_url("**/live")
    signed_in = Pending.objects.filter(action="account.signed_in").latest("id")
    assert (signed_in.person, signed_in.details_json) == (str(person.pk), '{"how":["oidc"]}')
    assert Pending.objects.filter(action="account.connected", person=str(person.pk)).exists()


def linked(person: User, provider: OpenIdProvider, name: str) -> User:
    """The person, as if they had connected the account before."""
    uid = digest(f"{provider.issuer}\n{name}")
    SocialAccount.objects.create(user=person, provider="oidc", uid=uid, extra_data={})
    return person


def test_who_connected_nothing_gets_neither_in_nor_an_account(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    # Not even where address or name are the same as somebody's.
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    User.objects.filter(pk=person.pk).update(username="khe.18", email="khe.18@example.vn")
    to_provider(page, live_server.url)
    there(page, "khe.18")
    page.get_by_text(NOT_CONNECTED).wait_for()
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 0)
    page.goto(f"{live_server.url}/me/")
    assert "/account/login/" in page.url
    refused = Pending.objects.get(action="account.sign_in_failed")
    assert refused.details_json == '{"how":"oidc","known":false}'


def test_an_account_of_another_provider_with_the_same_number_is_somebody_else(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    uid = digest("https://another.example.vn\nkhe.19")
    SocialAccount.objects.create(user=person, provider="oidc", uid=uid, extra_data={})
    to_provider(page, live_server.url)
    there(page, "khe.19")
    page.get_by_text(NOT_CONNECTED).wait_for()


def test_somebody_invited_signs_in_elsewhere_in_place_of_choosing_a_password(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    person.set_password("mật khẩu cũ đã lộ 2026")
    person.save()
    page.goto(live_server.url + invitation_link(person, person))
    page.wait_for_url("**/account/welcome/")
    assert serious(page) == []
    page.get_by_role("button", name="Cổng Công an tỉnh").click()
    there(page, "moi.01")
    page.wait_for_url("**/live")
    person.refresh_from_db()
    assert not person.has_usable_password()
    assert SocialAccount.objects.get().user == person
    page.context.clear_cookies()
    to_provider(page, live_server.url)
    there(page, "moi.01")
    page.wait_for_url("**/live")


def test_an_invitation_is_not_taken_up_with_somebody_elses_account(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    linked(appoint(Role.GROUP_HEAD, unit=province.group), provider, "khe.20")
    invited = appoint(Role.GROUP_HEAD, unit=province.group)
    page.goto(live_server.url + invitation_link(invited, invited))
    page.wait_for_url("**/account/welcome/")
    page.get_by_role("button", name="Cổng Công an tỉnh").click()
    there(page, "khe.20")
    page.get_by_role("heading", name="với người khác").wait_for()
    page.goto(f"{live_server.url}/me/")
    assert "/account/login/" in page.url
    assert EntryLink.objects.get(user=invited).used is None


def test_an_officer_shows_our_second_factor_whatever_the_provider_says_of_its_own(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    person = linked(appoint(Role.DUTY_OFFICER, unit=province.commune), provider, "truc.ban")
    to_provider(page, live_server.url)
    there(page, "truc.ban")  # its ID token says amr: mfa
    page.wait_for_url("**/account/second-factor/**")
    page.goto(f"{live_server.url}/people/")
    assert "/account/second-factor/" in page.url
    page.context.clear_cookies()
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    to_provider(page, live_server.url)
    there(page, "truc.ban")
    page.wait_for_url("**/account/2fa/authenticate/")
    page.fill("input[name=code]", code(secret))
    page.locator("form button[type=submit], form button.btn-primary").first.click()
    page.wait_for_url("**/live")
    signed_in = Pending.objects.filter(action="account.signed_in").latest("id")
    assert signed_in.details_json == '{"how":["oidc","totp"]}'


def test_who_is_locked_does_not_get_in_from_elsewhere(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    lock(linked(appoint(Role.GROUP_HEAD, unit=province.group), provider, "khe.21"))
    to_provider(page, live_server.url)
    there(page, "khe.21")
    page.wait_for_url("**/account/inactive/")


def changed(url: str, **parameters: str) -> str:
    """The address with other parameters."""
    query = {**dict(parse_qsl(urlsplit(url).query)), **parameters}
    return urlsplit(url)._replace(query=urlencode(query)).geturl()


def held_answer(page: Page, url: str, name: str) -> str:
    """The address with which the provider sends the person back, before it is opened here."""
    seen: list[str] = []

    def hold(route: Route) -> None:
        if "prompt=consent" not in (route.request.post_data or ""):
            route.continue_()
            return
        answer: Any = route.fetch(max_redirects=0)
        while not answer.headers["location"].startswith(url):
            answer = page.request.get(answer.headers["location"], max_redirects=0)
        seen.append(answer.headers["location"])
        route.fulfill(body="held")

    page.route("**/interaction/**", hold)
    to_provider(page, url)
    there(page, name)
    page.get_by_text("held").wait_for()
    page.unroute("**/interaction/**")
    return seen[0]


def refused(page: Page, url: str, answer: str) -> None:
    page.goto(answer)
    page.get_by_role("heading", name="không thành công").wait_for()
    page.goto(f"{url}/me/")
    assert "/account/login/" in page.url


def test_an_answer_counts_for_the_browser_and_the_sign_in_that_asked_for_it(
    browser: Browser,
    page: Page,
    live_server: LiveServer,
    provider: OpenIdProvider,
    province: Province,
    appoint: Appoint,
) -> None:
    linked(appoint(Role.GROUP_HEAD, unit=province.group), provider, "khe.22")
    url = live_server.url
    answer = held_answer(page, url, "khe.22")
    # In another browser: nobody is signed in as whoever sends them a link.
    elsewhere = open_context(browser)
    refused(elsewhere.new_page(), url, answer)
    # With a code of another sign-in put in: it was made for another PKCE verifier.
    own = page.context.cookies()
    page.context.clear_cookies()
    other = held_answer(page, url, "khe.22")
    page.context.clear_cookies()
    page.context.add_cookies(cast("list[SetCookieParam]", own))
    stolen = parse_qs(urlsplit(other).query)["code"][0]
    refused(page, url, changed(answer, code=stolen))
    # And once more with its own: a state counts once.
    refused(page, url, answer)
    elsewhere.close()


def test_a_code_is_nothing_without_the_verifier_that_stays_here(
    page: Page, live_server: LiveServer, provider: OpenIdProvider
) -> None:
    answer = held_answer(page, live_server.url, "khe.23")
    given = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(answer).query)["code"][0]}
    done = httpx.post(
        f"{provider.issuer}/token",
        data={**given, "redirect_uri": live_server.url + BACK},
        auth=(CLIENT, SECRET),
        verify=ssl.create_default_context(cafile=str(provider.certificate)),
        timeout=60,
    )
    assert (done.status_code, done.json()["error"]) == (400, "invalid_grant")


def test_an_identity_made_for_another_sign_in_is_refused(
    page: Page, live_server: LiveServer, provider: OpenIdProvider, province: Province, appoint: Appoint
) -> None:
    linked(appoint(Role.GROUP_HEAD, unit=province.group), provider, "khe.24")

    def other_nonce(route: Route) -> None:
        route.continue_(url=changed(route.request.url, nonce="of-another-sign-in"))

    page.route(f"{provider.issuer}/auth?**", other_nonce)
    to_provider(page, live_server.url)
    there(page, "khe.24")
    page.get_by_role("heading", name="không thành công").wait_for()
    why = Pending.objects.get(action="account.sign_in_failed")
    assert "another sign-in" in why.details_json


def test_the_page_that_leads_on_says_where_to_and_shuts_nobody_out(
    page: Page, live_server: LiveServer, provider: OpenIdProvider
) -> None:
    page.route(f"{provider.issuer}/**", lambda route: route.fulfill(status=204))
    to_provider(page, live_server.url)
    onward = page.get_by_role("link", name="Tiếp tục")
    asked: Any = parse_qs(urlsplit(onward.get_attribute("href") or "").query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) == 32
    assert set(asked["scope"][0].split()) == {"openid", "profile"}  # in whichever order
    assert serious(page) == []


def test_a_provider_that_does_not_answer_leaves_the_password(
    client: Any, provider: OpenIdProvider, settings: Settings, db: None
) -> None:
    silent = settings.CENTRE.oidc.model_copy(update={"server": "https://127.0.0.1:9"})
    settings.CENTRE = settings.CENTRE.model_copy(update={"oidc": silent})
    settings.SOCIALACCOUNT_PROVIDERS = django_providers(settings.CENTRE)
    answer = client.post("/account/oidc/oidc/login/")
    assert answer.status_code == 401
    assert "Hệ thống ngoài không phản hồi" in answer.content.decode()
    assert "/account/login/" in answer.content.decode()
    assert client.post("/account/oidc/another/login/").status_code == 404


def test_a_provider_that_calls_itself_otherwise_is_not_trusted(
    client: Any, provider: OpenIdProvider, settings: Settings, db: None
) -> None:
    renamed = settings.CENTRE.oidc.model_copy(update={"server": f"{provider.issuer}/.well-known/openid-configuration"})
    settings.CENTRE = settings.CENTRE.model_copy(update={"oidc": renamed})
    settings.SOCIALACCOUNT_PROVIDERS = django_providers(settings.CENTRE)
    assert client.post("/account/oidc/oidc/login/").status_code == 401

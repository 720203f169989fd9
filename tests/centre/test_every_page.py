"""Every page of the centre on a PC and on a phone: nobody is shut out, nothing hangs over the edge, no script fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer
from tests.browser import open_context, serious
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts import screens
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.regulations import accept, enact
from xomyen.centre.accounts.services import invitation_link
from xomyen.centre.cameras.models import ImportBatch
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import DocumentKind, MandateDocument, Scheme
from xomyen.centre.organisation.services.changes import close
from xomyen.centre.organisation.services.recording import Entry
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.models import Bookmark

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

PC: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
_OVER_THE_EDGE = """() => [...document.querySelectorAll('body *')]
  .filter(one => document.documentElement.scrollWidth > innerWidth && one.getBoundingClientRect().right > innerWidth + 1
    // What hangs over the upper edge cannot be scrolled to.
    || one.matches('.brand') && one.getBoundingClientRect().top + scrollY < 0)
  .slice(0, 3).map(one => `over the edge: ${one.outerHTML.slice(0, 80)}`)"""

SignedIn = Callable[[User], Client]

# Addresses that show no page of their own: forms are sent there, or parts and data of pages are taken from there.
_NO_PAGES = """
    account_confirm_login_code account_inactive account_signup account_email account_email_verification_sent
    account_confirm_email account_reset_password account_reset_password_done account_reset_password_from_key
    account_reset_password_from_key_done account_set_password mfa_authenticate mfa_reauthenticate
    mfa_reauthenticate_webauthn mfa_deactivate_totp mfa_view_recovery_codes mfa_generate_recovery_codes
    mfa_download_recovery_codes mfa_remove_webauthn mfa_edit_webauthn mfa_login_webauthn socialaccount_signup
    openid_connect_login openid_connect_callback set_language well
    accounts:onward accounts:set_up accounts:set_up_officer accounts:places accounts:end accounts:pair_state
    accounts:revoke_screen accounts:manage accounts:welcome accounts:second_factor accounts:regulations
    organisation:undo organisation:children cameras:import-template cameras:pick cameras:probe cameras:state
    cameras:mask-look cameras:mask-look-state cameras:steer cameras:step cameras:try-again cameras:take-recorders
    cameras:node-now cameras:search cameras:probe-state cameras:take-over
    watch:map_places watch:map_tiles watch:tickets watch:grants watch:screen_worker watch:cameras watch:layouts
    watch:layout watch:bookmarks watch:bookmark audit:export tokens:revoke
    """
NO_PAGES = frozenset(_NO_PAGES.split())
# Seen by people who are still on their way in.
ENTRIES = (
    "account_login",
    "accounts:link",
    "accounts:pair",
    "socialaccount_login_error",
    "socialaccount_login_cancelled",
)


def named() -> Iterator[str]:
    """The names of all addresses, but those of the API."""

    def walk(patterns: list[Any], spaces: tuple[str, ...]) -> Iterator[str]:
        for one in patterns:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, (*spaces, one.namespace) if one.namespace else spaces)
            elif isinstance(one, URLPattern) and one.name:
                yield ":".join((*spaces, one.name))

    return (name for name in walk(get_resolver().url_patterns, ()) if not name.startswith("tokens:api:"))


@dataclass(frozen=True)
class Centre:
    """A province with something on every page, and its addresses by name."""

    url: str
    person: User
    things: dict[str, list[dict[str, Any]]]  # what fills the addresses with parameters

    def addresses(self) -> Iterator[tuple[str, str]]:
        for name in named():
            if name in NO_PAGES or name in ENTRIES:
                continue
            for filled in self.things.get(name, [{}]):
                yield name, reverse(name, kwargs=filled)
        for lists in ("cameras:list", "accounts:people", "organisation:tree", "watch:bookmark_list"):
            yield f"{lists}, nothing found", f"{reverse(lists)}?q=zzzz"
        yield "organisation:tree, something found", f"{reverse('organisation:tree')}?q=thon"
        before = reverse("organisation:unit", kwargs=self.things["organisation:unit"][0])
        for dated in (reverse("organisation:tree"), before):
            yield "the organisation of another day", f"{dated}?on=2025-06-30"
        yield "audit:list, nothing found", f"{reverse('audit:list')}?who=zzzz"


@pytest.fixture
def centre(transactional_db: None, live_server: LiveServer, province: Province, appoint: Appoint) -> Centre:
    person = appoint(Role.POLICE_HEAD, unit=province.province)
    for role in Role:
        if role not in (Role.SCREEN, Role.POLICE_HEAD):
            appoint(role, person, unit=province.province)
    person.set_password("mot cau ngan de nho")
    person.save()
    regulation = enact(province.commune, person, today(), "Quy chế", "Điều 1.")
    accept(person, regulation, None)
    other = appoint(Role.DUTY_OFFICER, post=province.duty_room)
    User.objects.filter(pk=other.pk).update(rank="Đại úy, trực ban", phone="0912 345 678")
    appoint(Role.GROUP_HEAD, unit=province.group, valid_to=today())
    close(province.other_group, Entry(person, today()), province.group)
    paper = MandateDocument.objects.create(
        unit=province.commune, kind=DocumentKind.DECISION, number="1/QĐ", title="Quy chế", issuer="UBND", issued=today()
    )
    scheme = Scheme.objects.create(unit=province.commune, name="Camera an ninh")
    Bookmark.objects.create(camera=province.public, at=timezone.now(), note="Xe đỗ chắn lối", made_by=person)
    screens.confirm(person, screens.begin("127.0.0.1")[0], "Tivi nhà văn hóa", province.group)
    batch = ImportBatch.objects.create(by=person, unit=province.commune, file_name="camera.xlsx", rows=[{"row": "2"}])
    unit, camera, node = province.group.pk, province.public.pk, province.node.pk
    post, site, kind = province.duty_room, province.public.site_id, province.public.camera_class_id
    jurisdiction = post.jurisdictions.get().pk
    things: dict[str, list[dict[str, Any]]] = {
        "organisation:unit": [{"pk": one.pk} for one in (province.commune, province.group, province.other_group)],
        "organisation:change": [
            {"pk": unit, "sort": sort} for sort in ("rename", "move", "merge", "close", "correct", "hand-over")
        ] + [{"pk": province.commune.pk, "sort": sort} for sort in ("add", "split")],
        "organisation:add_scheme": [{"pk": province.commune.pk}],
        "organisation:end_jurisdiction": [{"pk": jurisdiction}],
        "cameras:edit-class": [{"key": kind}],
        "cameras:import-preview": [{"batch": batch.pk}],
        **{f"organisation:{name}": [{"pk": post.pk}] for name in ("post", "edit_post", "end_post", "add_jurisdiction")},
        **{f"organisation:{name}": [{"pk": scheme.pk}] for name in ("scheme", "edit_scheme", "end_scheme")},
        **{f"organisation:{name}": [{"pk": paper.pk}] for name in ("document", "edit_document")},
        **{f"accounts:{name}": [{"key": other.pk}] for name in ("person", "appoint")},
        **{f"cameras:{name}": [{"camera": camera}] for name in ("camera", "edit", "masks")},
        **{f"cameras:{name}": [{"site": site}] for name in ("site", "edit-site")},
        **{f"cameras:{name}": [{"node": node}] for name in ("node", "edit-node", "discover")},
        "watch:player": [{"camera": camera}],
        "accounts:regulation": [{"key": regulation.pk}],
    }  # fmt: skip
    return Centre(live_server.url, person, things)


@dataclass
class Walk:
    """A person on the way from page to page, and what was found wrong."""

    page: Page
    url: str
    faults: list[str]
    told: list[str]

    def look(self, name: str, address: str, status: int = 200) -> None:
        """Opens the page and notes what is wrong with it."""
        self.told.clear()
        try:
            answer = self.page.goto(self.url + address)
        except Error as error:
            self.faults.append(f"{name} ({address}): {error}")
            return
        found = [f"answers {answer and answer.status}"] if answer is None or answer.status != status else []
        for window in (PC, PHONE):
            self.page.set_viewport_size(window)
            found += [f"at {window['width']}: {one}" for one in serious(self.page) + self.page.evaluate(_OVER_THE_EDGE)]
        # The nodes of these tests do not run.
        found += [one for one in self.told if "ERR_CONNECTION_REFUSED" not in one and f" {status} " not in one]
        self.faults += [f"{name} ({address}): {one}" for one in found]


def walking(browser: Browser, url: str, client: Client | None = None) -> Walk:
    """A page with the client's session whose scripts' complaints are heard."""
    context = open_context(browser)
    if client is not None:
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])
    walk = Walk(context.new_page(), url, [], [])

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            walk.told.append(f"console: {message.text}")

    walk.page.on("console", hear)
    walk.page.on("pageerror", lambda error: walk.told.append(f"script: {error}"))
    return walk


def test_every_address_is_a_page_that_is_looked_at_or_is_known_to_be_none(centre: Centre) -> None:
    for name, address in centre.addresses():
        assert address, name
    assert set(named()) >= NO_PAGES | set(ENTRIES)


@pytest.mark.timeout(1200)
def test_no_page_shuts_anybody_out(browser: Browser, centre: Centre, signed_in: SignedIn) -> None:
    walk = walking(browser, centre.url, signed_in(centre.person))
    for name, address in centre.addresses():
        walk.look(name, address)
    walk.look("not found", "/not/here/", 404)
    walk.page.context.close()
    assert walk.faults == []


def test_no_page_on_the_way_in_shuts_anybody_out(
    browser: Browser, centre: Centre, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    weak = Client()
    weak.force_login(officer, "django.contrib.auth.backends.ModelBackend")
    outside = walking(browser, centre.url)
    for name in ENTRIES:
        outside.look(name, reverse(name))
    outside.page.goto(centre.url + invitation_link(officer, centre.person))
    outside.page.wait_for_url("**/account/welcome/")
    outside.look("accounts:welcome", reverse("accounts:welcome"))
    half = walking(browser, centre.url, weak)
    half.look("accounts:second_factor", reverse("accounts:second_factor"))
    new = walking(browser, centre.url, signed_in(officer))
    new.look("accounts:regulations", reverse("accounts:regulations"))
    stranger = walking(browser, centre.url, signed_in(appoint()))
    stranger.look("without a role", "/")
    stranger.look("not allowed", reverse("audit:list"), 403)
    walks = (outside, half, new, stranger)
    for walk in walks:
        walk.page.context.close()
    assert [fault for walk in walks for fault in walk.faults] == []


def test_the_keyboard_leads_past_the_menu_and_out_of_what_it_opened(
    browser: Browser, centre: Centre, province: Province, signed_in: SignedIn
) -> None:
    page = walking(browser, centre.url, signed_in(centre.person)).page
    page.goto(centre.url + reverse("organisation:unit", args=[province.commune.pk]))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Đến nội dung chính")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('main').contains(document.activeElement)")
    menu = page.locator("details.org-menu")
    menu.locator("summary").press("Enter")
    expect(menu.get_by_role("link").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link").first).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    page.set_viewport_size(PHONE)
    way = page.get_by_role("button", name="Trình đơn")
    way.press("Enter")
    expect(page.get_by_role("link", name="Camera", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Camera", exact=True)).to_be_hidden()
    expect(way).to_be_focused()
    page.context.close()

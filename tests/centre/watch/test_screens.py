"""The wall of a paired screen, which goes on by its own key while the centre is out of reach."""

import datetime
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, expect
from tests.browser import advanced, open_context, picture_of
from tests.centre.conftest import Appoint, Province
from tests.centre.watch.conftest import YARD, Watched, end_at
from tests.centre.watch.line import Line
from tests.waiting import wait_until

from xomyen.access.device_proof import thumbprint
from xomyen.access.grants import GRANT
from xomyen.access.tickets import TicketChecker
from xomyen.centre.accounts import screens
from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.audit.models import Pending
from xomyen.centre.link.ended import ended
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch import tickets
from xomyen.centre.watch.models import AccessEnd, TicketsAt
from xomyen.proof.keys import SigningKey
from xomyen.terms.time import SystemClock

KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
OTHER = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}


class _Nothing:
    def is_revoked(self, _ticket: str) -> bool:
        return False

    def is_ended(self, _subject: str, _issued_s: int) -> bool:
        return False


@pytest.fixture
def commander(province: Province, appoint: Appoint) -> User:
    return appoint(Role.DUTY_COMMANDER, unit=province.commune)


def _paired(commander: User, province: Province) -> tuple[PairedScreen, Client]:
    screen, secret = screens.begin("192.0.2.7")
    screens.confirm(commander, screen, "TV nhà văn hóa", province.group)
    television = Client()
    television.cookies[screens.COOKIE] = secret
    return PairedScreen.objects.get(pk=screen.pk), television


def _ask(client: Client, key: dict[str, str]) -> tuple[int, list[dict[str, object]]]:
    answer = client.post("/watch/grants", {"key": key}, content_type="application/json")
    return answer.status_code, answer.json().get("tickets", []) if answer.status_code == 200 else []


def test_a_screen_is_granted_its_own_cameras_for_days_by_its_key(
    province: Province, commander: User, issuer_key: SigningKey
) -> None:
    screen, television = _paired(commander, province)
    status, (given,) = _ask(television, KEY)
    assert status == 200
    checker = TicketChecker(str(province.node.pk), [issuer_key.public], SystemClock(), _Nothing())
    grant = checker.read_as(GRANT, str(given["ticket"]))
    assert grant.subject == f"screen:{screen.pk}"
    assert (grant.cameras, grant.actions, grant.greatest_width) == ((str(province.public.pk),), ("live",), 640)
    assert grant.confirmation.jkt == thumbprint(KEY)
    assert grant.expires_s - grant.issued_s == tickets.GRANTED_S
    # So that turning the screen off is told there for as long.
    assert TicketsAt.objects.get(subject=grant.subject).until.timestamp() == grant.expires_s
    assert Pending.objects.filter(action="screen.key_given", thing=str(screen.pk)).count() == 1


def test_a_screen_with_another_key_ends_what_the_one_before_was_granted(
    province: Province, commander: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    screen, television = _paired(commander, province)
    _ask(television, KEY)
    assert _ask(television, OTHER) == (200, [])
    assert AccessEnd.objects.filter(subject=f"screen:{screen.pk}").exists()
    status, given = _ask(television, OTHER)
    assert (status, len(given)) == (200, 1)
    assert Pending.objects.filter(action="screen.key_changed").count() == 1


def test_nobody_but_a_screen_is_granted_anything(
    province: Province, commander: User, signed_in: Callable[[User], Client]
) -> None:
    assert _ask(signed_in(commander), KEY)[0] == 404
    screen, television = _paired(commander, province)
    screens.revoke(commander, screen)
    assert _ask(television, KEY)[0] in (302, 401)
    assert _ask(Client(), KEY)[0] in (302, 401)


def test_a_screen_that_was_turned_off_is_told_to_forget_its_key_and_page(
    province: Province, commander: User, signed_in: Callable[[User], Client]
) -> None:
    screen, television = _paired(commander, province)
    assert "Clear-Site-Data" not in television.get("/live").headers
    screens.revoke(commander, screen)
    assert television.get("/live").headers["Clear-Site-Data"] == '"storage"'
    # Somebody signs in on the same machine: what is theirs stays.
    person = signed_in(commander)
    person.cookies[screens.COOKIE] = television.cookies[screens.COOKIE].value
    assert "Clear-Site-Data" not in person.get("/live").headers


def test_the_worker_that_opens_a_kept_wall_is_for_screens_alone(
    province: Province, commander: User, signed_in: Callable[[User], Client]
) -> None:
    _, television = _paired(commander, province)
    answer = television.get("/screen-worker.js")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript")
    assert signed_in(commander).get("/screen-worker.js").status_code == 404
    assert Client().get("/screen-worker.js").status_code in (302, 401)


@pytest.mark.parametrize("changed", [{"crv": "P-384"}, {"x": "A" * 42}, {"kty": "RSA"}, {"y": "%" * 43}])
def test_what_is_no_key_is_refused(province: Province, commander: User, changed: dict[str, str]) -> None:
    _, television = _paired(commander, province)
    assert _ask(television, {**KEY, **changed})[0] == 422


@pytest.fixture
def television(browser: Browser, watched: Watched, commander: User, line: Line) -> Iterator[BrowserContext]:
    """A browser that was paired at the group's house, and reaches the centre by the line."""
    line.join()
    context = open_context(browser)
    page = context.new_page()
    page.goto(f"{line.url}/pair/")
    waiting = PairedScreen.objects.waiting().get()
    screens.confirm(commander, waiting, "TV nhà văn hóa", watched.province.group)
    page.close()
    yield context
    context.close()
    line.cut()
    ended.finish()


@pytest.mark.browser
@pytest.mark.timeout(1200)
def test_the_wall_goes_on_and_opens_anew_while_the_centre_is_away_and_ends_when_it_is_turned_off(
    watched: Watched, commander: User, television: BrowserContext, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tickets, "LIFETIME_S", 6)
    page = television.new_page()
    with page.expect_response("**/watch/grants"):
        page.goto(f"{line.url}/live")
    film = picture_of(page, YARD).locator("video")
    # Two seconds: the end that follows lies behind what was granted at first.
    advanced(film, pictures=60)
    # The page of the wall is kept last, behind the files it is made of.
    wait_until(lambda: page.evaluate("caches.match('/live').then(Boolean)"))
    screen = PairedScreen.objects.get()
    with page.expect_response("**/watch/grants", timeout=60_000):
        # Rights have narrowed: what was granted is worth nothing, and what is left is granted anew at once.
        AccessEnd.objects.create(subject=f"screen:{screen.pk}", at=timezone.now() - datetime.timedelta(seconds=1))
        end_at(watched.node, f"screen:{screen.pk}", ago_s=1)
    advanced(film, pictures=10, seconds=60)
    line.cut()
    with page.expect_response(lambda answer: answer.url.endswith("/by-key") and answer.status == 200, timeout=60_000):
        pass
    # Twenty-five pictures a second: more than the life of the last ticket of the centre.
    advanced(film, pictures=200, seconds=90)
    # As after a power cut: the television begins where it was paired.
    page.goto(f"{line.url}/pair/")
    advanced(picture_of(page, YARD).locator("video"), pictures=10, seconds=90)
    key = page.evaluate(
        """() => new Promise((resolve) => {
          indexedDB.open("xomyen-screen").onsuccess = (opened) => {
            const kept = opened.target.result.transaction("kept").objectStore("kept").get("key");
            kept.onsuccess = () => resolve(kept.result.privateKey.extractable);
          };
        })"""
    )
    assert key is False
    # As the centre tells the node once it is back (tests/centre/link/test_ended.py).
    with page.expect_response(lambda answer: answer.url.endswith("/by-key") and answer.status == 401, timeout=60_000):
        end_at(watched.node, f"screen:{screen.pk}")
    expect(page.get_by_text("0/1 đang trực tiếp")).to_be_visible()
    # The centre is back: nobody at a television can sign in, so it shows a code, and why.
    screens.revoke(commander, screen)
    line.join()
    expect(page.get_by_text("Màn hình này đã bị hủy ghép nối")).to_be_visible(timeout=60_000)
    assert page.url == f"{line.url}/pair/"

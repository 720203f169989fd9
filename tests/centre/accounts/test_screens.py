"""Paired screens: what they may see, and how that begins and ends."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.centre.accounts.conftest import PASSWORD
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.accounts.screens import COOKIE, confirm, revoke, waiting_with
from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import today
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import may, picture_limits, visible
from xomyen.centre.permissions.giving import may_pair
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def commander(province: Province, appoint: Appoint) -> User:
    return appoint(Role.DUTY_COMMANDER, unit=province.commune)


def paired(client: Client, commander: User, place: Any) -> PairedScreen:
    """A television that a commander has confirmed."""
    screen = client.get("/pair/").context["screen"]
    confirm(commander, screen, "TV nhà văn hóa", place)
    return PairedScreen.objects.get(pk=screen.pk)


def test_a_television_shows_a_code_and_once_it_is_confirmed_the_pictures(
    province: Province, commander: User, signed_in: SignedIn
) -> None:
    television = Client()
    page = television.get("/pair/")
    code = page.context["screen"].code
    assert code in page.content.decode()
    assert television.get("/pair/").context["screen"].code == code  # a reload keeps it
    assert television.get("/pair/state/").headers.get("HX-Refresh") is None
    assert television.get("/live")["Location"].startswith("/account/login/")
    data = {"code": f" {code[:3].lower()} {code[3:]}", "name": "TV nhà văn hóa", "place": f"unit:{province.group.pk}"}
    assert signed_in(commander).post("/screens/", data)["Location"] == "/screens/"
    assert television.get("/pair/state/")["HX-Refresh"] == "true"
    assert television.get("/pair/")["Location"] == "/live"
    assert television.get("/live").status_code == 200
    assert waiting_with(code) is None


def test_the_secret_lies_where_no_script_reads_it_and_only_its_digest_is_kept(db: None) -> None:
    television = Client()
    television.get("/pair/")
    cookie = television.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert int(cookie["max-age"]) == 400 * 86400
    assert cookie.value not in str(PairedScreen.objects.values().get())


def test_a_paired_screen_sees_the_public_cameras_of_its_place_alone(province: Province, commander: User) -> None:
    screen = paired(Client(), commander, province.group)
    assert set(visible(screen, Action.VIEW_LIVE, Camera.objects.all())) == {province.public}
    limits = picture_limits(screen, Action.VIEW_LIVE, province.public)
    assert limits is not None
    assert (limits.greatest_width, limits.past, limits.public_only) == (640, datetime.timedelta(0), True)
    assert not may(screen, Action.VIEW_PAST)
    at_post = paired(Client(), commander, province.duty_room)
    assert set(visible(at_post, Action.VIEW_LIVE, Camera.objects.all())) == {province.public, province.neighbour}


def test_a_screen_is_nobody_on_other_pages(province: Province, commander: User) -> None:
    television = Client()
    paired(television, commander, province.group)
    for page in ("/", "/me/", "/people/", "/screens/"):
        assert television.get(page)["Location"].startswith("/account/login/")
    for place in television.get("/live").context["places"]:  # its way round leads to none of them
        assert television.get(place.url).status_code == 200


def test_a_revoked_screen_shows_nothing_more_and_starts_anew(
    province: Province, commander: User, signed_in: SignedIn
) -> None:
    television = Client()
    screen = paired(television, commander, province.group)
    client = signed_in(commander)
    assert "TV nhà văn hóa" in client.get("/screens/").content.decode()
    assert client.post(f"/screens/{screen.pk}/revoke/").status_code == 302
    assert television.get("/live")["Location"] == "/pair/"
    assert television.get("/live", headers={"Accept": "application/json"}).status_code == 401
    assert television.post("/watch/tickets", {}, content_type="application/json").status_code == 401
    screen.refresh_from_db()
    assert (screen.revoked_by, screen.is_active) == (commander, False)
    assert not visible(screen, Action.VIEW_LIVE, Camera.objects.all()).exists()
    page = television.get("/pair/")
    assert page.context["screen"].pk != screen.pk
    # Not what it was called, where it hung or who turned it off: whoever stands before it reads this.
    for untold in ("TV nhà văn hóa", str(province.group), commander.full_name):
        assert untold not in page.content.decode()
    assert not client.get("/screens/").context["screens"].object_list


OFF = "Màn hình này đã bị hủy ghép nối"


def test_a_screen_that_was_turned_off_says_so_until_it_is_paired_anew(
    province: Province, commander: User, signed_in: SignedIn
) -> None:
    television = Client()
    assert OFF not in television.get("/pair/").content.decode()
    assert television.get("/live")["Location"].startswith("/account/login/")  # nobody was let in here yet
    revoke(commander, paired(television, commander, province.group))
    for _code in range(2):  # the second comes when nobody has confirmed the first
        assert OFF in television.get("/pair/").content.decode()
        assert television.get("/live")["Location"] == "/pair/"  # as after a power cut
        assert television.get("/", follow=True).status_code == 200
        PairedScreen.objects.update(code_expires=timezone.now())
    paired(television, commander, province.group)
    assert television.get("/pair/")["Location"] == "/live"
    assert television.get("/live").status_code == 200
    # Whoever signs in there is a person, and not the television.
    revoke(commander, PairedScreen.objects.paired().get())
    person = signed_in(commander)
    person.cookies[COOKIE] = television.cookies[COOKIE].value
    assert person.get("/live").status_code == 200


def test_a_screen_past_its_time_or_still_waiting_holds_nothing(province: Province, commander: User) -> None:
    television = Client()
    screen = paired(television, commander, province.group)
    screen.valid_from, screen.valid_to = today() - DAY, today()
    screen.save()
    assert not may(screen, Action.VIEW_LIVE)
    assert television.get("/live")["Location"] == "/pair/"
    waiting = Client().get("/pair/").context["screen"]
    assert not may(waiting, Action.VIEW_LIVE)


def test_a_screen_past_its_time_says_so_and_goes_on_by_itself_once_that_is_extended(
    province: Province, commander: User
) -> None:
    television = Client()
    screen = paired(television, commander, province.group)
    PairedScreen.objects.update(valid_from=today() - DAY, valid_to=today())
    for _look in range(2):
        page = television.get("/pair/").content.decode()
        assert "Đã hết thời hạn ghép nối của màn hình này" in page
        assert OFF not in page
        assert 'href="/account/login/"' in page
        assert "HX-Refresh" not in television.get("/pair/state/").headers
    assert television.get("/live", headers={"Accept": "application/json"}).status_code == 401
    PairedScreen.objects.update(valid_to=today() + DAY)
    assert television.get("/pair/state/")["HX-Refresh"] == "true"
    assert television.get("/pair/")["Location"] == "/live"
    assert television.get("/live").status_code == 200
    assert PairedScreen.objects.get() == screen
    # Turned off it needs somebody who pairs it anew, whatever its dates.
    PairedScreen.objects.update(valid_to=today())
    revoke(commander, screen)
    assert television.get("/pair/state/")["HX-Refresh"] == "true"
    assert OFF in television.get("/pair/").content.decode()


def test_a_browser_of_staff_that_was_a_screen_once_has_a_way_to_sign_in(
    province: Province, appoint: Appoint, commander: User
) -> None:
    browser = Client()
    way_in = 'href="/account/login/"'
    assert way_in not in browser.get("/pair/").content.decode()  # nor on a television that was never turned off
    revoke(commander, paired(browser, commander, province.group))
    assert browser.get("/live")["Location"] == "/pair/"
    assert way_in in browser.get("/pair/").content.decode()
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    person.set_password(PASSWORD)
    person.save()
    assert browser.get("/account/login/").status_code == 200
    signed_in = browser.post("/account/login/", {"login": person.username, "password": PASSWORD}, follow=True)
    assert signed_in.redirect_chain[-1] == ("/live", 302)
    assert signed_in.status_code == 200


def test_a_code_runs_out_and_another_takes_its_place(province: Province, commander: User, signed_in: SignedIn) -> None:
    television = Client()
    first = television.get("/pair/").context["screen"]
    PairedScreen.objects.update(code_expires=timezone.now())
    data = {"code": first.code, "name": "TV", "place": f"unit:{province.group.pk}"}
    assert signed_in(commander).post("/screens/", data).context["form"].errors["code"]
    assert television.get("/pair/state/")["HX-Refresh"] == "true"
    assert television.get("/pair/").context["screen"].code != first.code
    assert PairedScreen.objects.count() == 1


def test_strangers_cannot_fill_the_register_with_waiting_screens(db: None) -> None:
    for _ in range(10):
        assert Client().get("/pair/").status_code == 200
    assert Client().get("/pair/").status_code == 429
    assert Client().get("/pair/", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_all_addresses_of_an_ipv6_network_wait_as_one(db: None) -> None:
    for number in range(10):
        assert Client().get("/pair/", REMOTE_ADDR=f"2001:db8::{number:x}").status_code == 200
    assert Client().get("/pair/", REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert Client().get("/pair/", REMOTE_ADDR="2001:db8:0:1::1").status_code == 200


def test_many_waiting_from_a_few_networks_push_out_each_other_and_no_television(db: None) -> None:
    television = Client(REMOTE_ADDR="192.0.2.9")
    code = television.get("/pair/").context["screen"].code
    for number in range(120):
        assert Client().get("/pair/", REMOTE_ADDR=f"2001:db8:0:{number // 8:x}::1").status_code == 200
    assert television.get("/pair/").context["screen"].code == code
    assert PairedScreen.objects.waiting().count() == 100


def test_however_many_wait_a_television_may_begin(db: None) -> None:
    for number in range(100):
        Client().get("/pair/", REMOTE_ADDR=f"2001:db8:0:{number:x}::1")
    assert Client().get("/pair/", REMOTE_ADDR="192.0.2.9").status_code == 200
    assert PairedScreen.objects.waiting().count() == 100


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SCREEN], ids=str)
def test_who_may_pair_does_so_in_their_units_alone(province: Province, appoint: Appoint, role: Role) -> None:
    person = appoint(role, unit=province.commune)
    pairs = role in (Role.DUTY_COMMANDER, Role.POLICE_HEAD, Role.COMMAND_CENTRE, Role.ADMINISTRATOR)
    for place in (province.commune, province.group, province.duty_room):
        assert may_pair(person, place) is pairs
    assert not may_pair(person, province.other_commune)
    assert not may_pair(person, province.province)


def test_pairing_elsewhere_is_refused_and_foreign_screens_are_not_there(
    province: Province, appoint: Appoint, commander: User, signed_in: SignedIn
) -> None:
    client = signed_in(commander)
    code = Client().get("/pair/").context["screen"].code
    data = {"code": code, "name": "TV", "place": f"unit:{province.other_commune.pk}"}
    assert client.post("/screens/", data).context["form"].errors["place"]
    assert waiting_with(code) is not None
    above = appoint(Role.COMMAND_CENTRE, unit=province.province)
    foreign = paired(Client(), above, province.other_commune)
    assert client.post(f"/screens/{foreign.pk}/revoke/").status_code == 404
    assert "TV nhà văn hóa" not in client.get("/screens/").content.decode()
    nobody = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert nobody.get("/screens/").status_code == 403

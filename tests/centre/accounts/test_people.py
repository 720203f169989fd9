"""The register of people."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.dates import today
from xomyen.centre.permissions.roles import Role

DAY = datetime.timedelta(days=1)
SignedIn = Callable[[User], Client]


def names(page: Any) -> set[str]:
    return {one.username for one in page.context["people"]}


@pytest.fixture
def head(province: Province, appoint: Appoint) -> User:
    return appoint(Role.POLICE_HEAD, unit=province.commune)


def test_the_list_shows_people_of_ones_units_and_narrows_by_what_is_asked(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User
) -> None:
    officer = appoint(Role.DUTY_OFFICER, post=province.duty_room)
    User.objects.filter(pk=officer.pk).update(last_login="2026-11-01T00:00Z")
    team = appoint(Role.SECURITY_TEAM, unit=province.group)
    former = appoint(Role.GROUP_HEAD, unit=province.group, valid_to=today())
    User.objects.filter(pk=former.pk).update(last_login="2026-11-01T00:00Z")
    appoint(Role.DUTY_OFFICER, unit=province.other_commune)
    appoint(Role.COMMAND_CENTRE, unit=province.province)
    locked = appoint(Role.GROUP_HEAD, unit=province.other_group)
    User.objects.filter(pk=locked.pk).update(is_active=False)
    tung = appoint(Role.INVESTIGATOR, unit=province.commune)
    tung.full_name = "Đỗ Khê Tùng"
    tung.save()
    client = signed_in(head)
    # Signing in for the test set the time of the head's last one.
    everybody = {one.username for one in (head, officer, team, former, locked, tung)}
    assert names(client.get("/people/")) == everybody
    for asked, found in (
        ({"q": "do khe tung"}, {tung}),
        ({"q": "Đỗ"}, {tung}),
        ({"at": "thôn đông"}, {team}),
        ({"at": "phòng trực"}, {officer}),
        ({"at": "90001-03"}, {team}),
        ({"role": "duty_officer"}, {officer}),
        ({"state": "locked"}, {locked}),
        ({"state": "former"}, {former}),
        ({"state": "invited"}, {team, tung}),
        ({"state": "active"}, {officer, head}),
        ({"at": "không có nơi này"}, set()),
    ):
        assert names(client.get("/people/", asked)) == {one.username for one in found}, asked


def test_roles_elsewhere_are_not_found_by_looking_for_them(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User
) -> None:
    person = appoint(Role.SECURITY_TEAM, unit=province.group)
    appoint(Role.ADMINISTRATOR, person, unit=province.other_commune)
    gone = appoint(Role.SECURITY_TEAM, unit=province.group, valid_to=today())
    appoint(Role.DUTY_OFFICER, gone, unit=province.other_commune)
    client = signed_in(head)
    for asked in ({"role": "administrator"}, {"role": "duty_officer"}, {"at": "Bên Sông"}, {"at": "90009"}):
        assert names(client.get("/people/", asked)) == set(), asked
    assert names(client.get("/people/", {"role": "security_team"})) == {person.username}
    assert names(client.get("/people/", {"state": "former"})) == {gone.username}


def test_the_number_of_queries_does_not_grow_with_people(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(head)
    client.get("/people/")
    for _ in range(40):
        appoint(Role.SECURITY_TEAM, unit=province.group)
    with django_assert_max_num_queries(14):
        page = client.get("/people/")
    assert len(page.context["people"]) == 41


def test_a_person_of_elsewhere_is_as_one_who_is_not_there(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User
) -> None:
    stranger = appoint(Role.DUTY_OFFICER, unit=province.other_commune)
    client = signed_in(head)
    nobody = uuid.uuid4()
    for key in (stranger.pk, nobody):
        assert client.get(f"/people/{key}/").status_code == 404
        assert client.get(f"/people/{key}/appoint/").status_code == 404
        for what in ("lock", "link", "sign-out", "second-factor", "unlock"):
            assert client.post(f"/people/{key}/{what}/").status_code == 404
        assert client.post(f"/people/{key}/appointments/{stranger.appointments.get().pk}/end/").status_code == 404


def test_roles_held_elsewhere_are_not_shown(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User
) -> None:
    person = appoint(Role.DUTY_OFFICER, unit=province.commune)
    appoint(Role.INVESTIGATOR, person, unit=province.other_commune)
    page = signed_in(head).get(f"/people/{person.pk}/").content.decode()
    assert "Gia Khê" in page
    assert "Bên Sông" not in page


def invitation(place: str, **values: str) -> dict[str, str]:
    return {
        "full_name": "Đỗ Khê Tùng",
        "username": "tung.dk",
        "rank": "Đại úy",
        "phone": "",
        "role": "duty_officer",
        "place": place,
        "valid_from": f"{today():%Y-%m-%d}",
        "last_day": "",
        **values,
    }


def test_inviting_makes_a_person_with_a_role_and_shows_the_link_once(
    province: Province, signed_in: SignedIn, head: User
) -> None:
    client = signed_in(head)
    last = f"{today() + 30 * DAY:%Y-%m-%d}"
    answer = client.post("/people/invite/", invitation(f"post:{province.duty_room.pk}", last_day=last))
    person = User.objects.get(username="tung.dk")
    assert answer["Location"] == f"/people/{person.pk}/"
    held = person.appointments.get()
    assert (held.role, held.post, held.made_by) == (Role.DUTY_OFFICER, province.duty_room, head)
    assert held.last_day == today() + 30 * DAY
    page = client.get(answer["Location"])
    link = page.context["link"]["url"]
    assert link in page.content.decode()
    assert page["Cache-Control"].count("no-store") == 1
    assert client.get(answer["Location"]).context["link"] is None
    guest = Client()
    assert guest.post("/account/link/", {"code": link.partition("#")[2]})["Location"] == "/account/welcome/"


@pytest.mark.parametrize(
    ("role", "where"),
    [
        ("administrator", "commune"),
        ("technician", "commune"),
        ("auditor", "commune"),
        ("duty_officer", "province"),
        ("duty_officer", "other_commune"),
        ("screen", "commune"),
        ("nonsense", "commune"),
    ],
)
def test_a_head_gives_neither_higher_roles_nor_roles_elsewhere(
    province: Province, signed_in: SignedIn, head: User, role: str, where: str
) -> None:
    data = invitation(f"unit:{getattr(province, where).pk}", role=role)
    assert signed_in(head).post("/people/invite/", data).status_code == 200
    assert not User.objects.filter(username="tung.dk").exists()


@pytest.mark.parametrize(
    "place", ["", "unit:", "unit:1", "post:x", "unit:01920000-0000-7000-8000-000000000000", "camera:1"]
)
def test_a_place_that_is_none_is_told(province: Province, signed_in: SignedIn, head: User, place: str) -> None:
    page = signed_in(head).post("/people/invite/", invitation(place))
    assert page.context["role"].errors["place"]


def test_a_user_name_that_is_taken_is_told(province: Province, signed_in: SignedIn, head: User) -> None:
    User.objects.create_user("tung.dk", full_name="Người khác")
    page = signed_in(head).post("/people/invite/", invitation(f"unit:{province.commune.pk}", username="Tung.DK"))
    assert "Tên đăng nhập này đã có người dùng" in page.content.decode()


def test_nobody_without_the_right_invites_appoints_or_locks(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    other = appoint(Role.SECURITY_TEAM, unit=province.group)
    for role in (Role.DUTY_COMMANDER, Role.COMMITTEE_CHAIR, Role.AUDITOR):
        client = signed_in(appoint(role, unit=province.commune))
        assert client.get("/people/").status_code == 200
        assert client.get(f"/people/{other.pk}/").status_code == 200
        assert client.get("/people/invite/").status_code == 403
        assert client.get("/people/places/").status_code == 403
        assert client.get(f"/people/{other.pk}/appoint/").status_code == 403
        assert client.post(f"/people/{other.pk}/lock/").status_code == 403
        assert client.post(f"/people/{other.pk}/appointments/{other.appointments.get().pk}/end/").status_code == 403
    assert signed_in(appoint(Role.GROUP_HEAD, unit=province.group)).get("/people/").status_code == 403


def test_an_appointment_begins_and_ends_and_takes_effect_at_once(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User
) -> None:
    person = appoint(Role.SECURITY_TEAM, unit=province.group)
    client = signed_in(head)
    data = {"role": "duty_officer", "place": f"unit:{province.commune.pk}", "valid_from": f"{today() - DAY:%Y-%m-%d}"}
    assert client.post(f"/people/{person.pk}/appoint/", data)["Location"] == f"/people/{person.pk}/"
    theirs = signed_in(person)
    assert theirs.get("/people/").status_code == 200
    given = person.appointments.get(role=Role.DUTY_OFFICER)
    client.post(f"/people/{person.pk}/appointments/{given.pk}/end/")
    given.refresh_from_db()
    assert given.valid_to == today()
    assert theirs.get("/people/").status_code == 403
    tomorrow = Appointment.objects.create(
        user=person, role=Role.DUTY_OFFICER, unit=province.commune, valid_from=today() + DAY
    )
    client.post(f"/people/{person.pk}/appointments/{tomorrow.pk}/end/")
    assert not Appointment.objects.filter(pk=tomorrow.pk).exists()


def test_nobody_appoints_or_locks_themselves(province: Province, signed_in: SignedIn, head: User) -> None:
    client = signed_in(head)
    assert client.get(f"/people/{head.pk}/appoint/").status_code == 403
    assert client.post(f"/people/{head.pk}/lock/").status_code == 403
    assert client.post(f"/people/{head.pk}/appointments/{head.appointments.get().pk}/end/").status_code == 403


def test_locking_signing_out_and_a_lost_phone(
    province: Province, appoint: Appoint, signed_in: SignedIn, head: User
) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    client = signed_in(head)
    for what in ("sign-out", "second-factor", "lock"):
        theirs = signed_in(User.objects.get(pk=person.pk))
        assert theirs.get("/me/").status_code == 200
        assert client.post(f"/people/{person.pk}/{what}/").status_code == 302
        assert theirs.get("/me/").status_code == 302, what
    person.refresh_from_db()
    assert not person.is_active
    client.post(f"/people/{person.pk}/unlock/")
    person.refresh_from_db()
    assert person.is_active
    assert client.post(f"/people/{person.pk}/nonsense/").status_code == 404


def test_places_are_found_without_tone_marks_in_ones_own_units(
    province: Province, signed_in: SignedIn, head: User
) -> None:
    client = signed_in(head)
    found = client.get("/people/places/", {"where": "thon"})
    assert {unit.name for unit in found.context["units"]} == {"Đông", "Thượng"}
    assert not client.get("/people/places/", {"where": "bên sông"}).context["units"]


def test_ones_own_page_tells_roles_sessions_and_what_was_accepted(
    province: Province, signed_in: SignedIn, head: User
) -> None:
    page = signed_in(head).get("/me/").content.decode()
    assert "Xã Gia Khê" in page
    assert "Đổi mật khẩu" in page or "Đặt mật khẩu" in page

"""What programs do about accounts and rules: lock, sign out, invite again; regulations, classes of cameras."""

import datetime
import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone
from tests.centre.api.conftest import Program, refused
from tests.centre.conftest import Appoint, Province, make_camera

from xomyen.centre.accounts.models import Appointment, EntryLink, Regulation, User
from xomyen.centre.accounts.regulations import accept
from xomyen.centre.api.models import AccessToken
from xomyen.centre.api.scopes import Scope
from xomyen.centre.audit.models import Record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import Camera, CameraClass
from xomyen.centre.dates import today
from xomyen.centre.permissions.roles import Role

Speak = Callable[..., Program]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def officer(province: Province, appoint: Appoint) -> User:
    return appoint(Role.DUTY_OFFICER, unit=province.commune)


def test_an_account_is_locked_unlocked_and_signed_out_everywhere(head: Program, officer: User, program: Speak) -> None:
    theirs = program(officer)
    path = f"people/{officer.pk}"
    assert head.get(f"{path}/access").json() == {
        "active": True, "signed_in_before": False, "second_factor": False, "sessions": 0, "tokens": 1, "still_open": []
    }  # fmt: skip
    assert head.send("POST", f"{path}/sign-out").status_code == 204
    assert theirs.get("me").status_code == 401
    assert head.send("POST", f"{path}/lock").status_code == 204
    assert [one["id"] for one in head.get("people", {"state": "locked"}).json()["items"]] == [str(officer.pk)]
    assert head.send("POST", f"{path}/unlock").status_code == 204
    assert head.get(path).json()["active"] is True
    chain_pending()
    assert Record.objects.filter(action="session.ended_everywhere", thing=str(officer.pk)).count() == 2


def test_only_who_could_give_all_of_somebodys_roles_manages_the_account(
    province: Province, appoint: Appoint, head: Program, officer: User
) -> None:
    above = appoint(Role.TECHNICIAN, unit=province.commune)
    stranger = appoint(Role.DUTY_OFFICER, unit=province.other_commune)
    oneself = Appointment.objects.get(role=Role.POLICE_HEAD).user
    for what in ("lock", "unlock", "sign-out", "invitation"):
        refused(head.send("POST", f"people/{above.pk}/{what}"), 403, "forbidden")
        refused(head.send("POST", f"people/{oneself.pk}/{what}"), 403, "forbidden")
        refused(head.send("POST", f"people/{stranger.pk}/{what}"), 404, "not_found")
    refused(head.get(f"people/{stranger.pk}/access"), 404, "not_found")
    assert User.objects.filter(is_active=False).count() == 0
    inviter = AccessToken.objects.get(user=oneself)
    inviter.scopes = [Scope.PEOPLE_WRITE.value]
    inviter.save()
    refused(head.send("POST", f"people/{officer.pk}/lock"), 403, "scope_missing")


def test_another_link_is_made_only_while_nobody_uses_the_account(head: Program, officer: User) -> None:
    officer.set_unusable_password()
    officer.save()
    path = f"people/{officer.pk}/invitation"
    first, second = (head.send("POST", path) for _ in range(2))
    assert second.status_code == 201, second.content
    assert first.json()["link"] != second.json()["link"]
    assert EntryLink.objects.filter(user=officer, expires__gt=timezone.now()).count() == 1
    officer.last_login = timezone.now()
    officer.save()
    refused(head.send("POST", path), 409, "account_in_use")


def test_former_and_coming_roles_are_listed(province: Province, head: Program, officer: User) -> None:
    past = {"valid_from": today() - 9 * DAY, "valid_to": today() - DAY}
    Appointment.objects.create(user=officer, role=Role.INVESTIGATOR, unit=province.commune, **past)
    Appointment.objects.create(user=officer, role=Role.AUDITOR, unit=province.other_commune)
    listed = head.get(f"people/{officer.pk}/appointments").json()["items"]
    assert {(one["role"], one["valid_to"]) for one in listed} == {
        ("duty_officer", None),
        ("investigator", str(past["valid_to"])),
    }
    assert [one["role"] for one in head.get(f"people/{officer.pk}").json()["appointments"]] == ["duty_officer"]


def test_ones_own_roles_come_in_pages(province: Province, officer: User, program: Speak) -> None:
    roles = [Appointment(user=officer, role=Role.DUTY_OFFICER, unit=province.group) for _ in range(60)]
    Appointment.objects.bulk_create(roles)
    own = program(officer, ["units:read"])
    me = own.get("me").json()
    assert len(me["roles"]) == 50
    rest = own.get("me/roles", {"cursor": me["next_roles"]}).json()
    assert (len(rest["items"]), rest["next"]) == (11, None)


def test_a_regulation_is_enacted_and_read_where_one_may(province: Province, head: Program, program: Speak) -> None:
    Regulation.objects.create(unit=province.other_commune, version=1, title="Bên Sông", text="Khác")
    new = {"unit": province.commune.pk, "title": "Quy chế sử dụng", "text": "Không chia sẻ.", "number": "5/QC"}
    made = head.send("POST", "regulations", new)
    assert (made.status_code, made.json()["version"], made.json()["text"]) == (201, 1, "Không chia sẻ."), made.content
    again = head.send("POST", "regulations", new | {"valid_from": str(today() + DAY)}).json()
    listed = head.get("regulations").json()["items"]
    assert [(one["version"], one["valid_to"]) for one in listed] == [(1, again["valid_from"]), (2, None)]
    assert "text" not in listed[0]
    refused(head.send("POST", "regulations", new | {"valid_from": str(today() - DAY)}), 422, "invalid")
    refused(head.send("POST", "regulations", new | {"unit": province.other_commune.pk}), 422, "invalid")
    refused(head.get(f"regulations/{Regulation.objects.get(title='Bên Sông').pk}"), 404, "not_found")
    reader = program(Appointment.objects.get(role=Role.POLICE_HEAD).user, ["rules:read"])
    refused(reader.send("POST", "regulations", new), 403, "scope_missing")


def test_a_regulation_is_read_by_who_accepted_it(province: Province, officer: User, program: Speak) -> None:
    found = Regulation.objects.create(unit=province.commune, version=1, title="Quy chế", text="Không chia sẻ.")
    own = program(officer)
    refused(own.get(f"regulations/{found.pk}"), 404, "not_found")
    refused(own.get("regulations"), 403, "forbidden")
    accept(officer, found, None)
    assert [one["regulation"] for one in own.get("me/regulations").json()["items"]] == [str(found.pk)]
    shown = own.get(f"regulations/{found.pk}").json()
    assert (shown["text"], shown["accepted"]) == ("Không chia sẻ.", None)


def test_a_class_is_changed_by_who_sets_the_rules_for_all_its_cameras(province: Province, head: Program) -> None:
    made = head.send("POST", "camera-classes", {"name": "Trường mầm non", "retention_days": 10})
    assert (made.status_code, made.json()["past_needs_purpose"]) == (201, False), made.content
    path = f"camera-classes/{made.json()['id']}"
    camera = make_camera(province.group, province.node, "C70", "Cổng trường", camera_class_id=made.json()["id"])
    changed = head.send("PATCH", path, {"retention_days": 7}, **{"If-Match": made["ETag"]})
    assert (changed.json()["retention_days"], changed.json()["name"]) == (7, "Trường mầm non")
    assert Camera.objects.get(pk=camera.pk).revision == camera.revision + 1
    refused(head.send("PATCH", path, {"retention_days": 9}, **{"If-Match": made["ETag"]}), 412, "stale")
    refused(head.send("PATCH", path, {"retention_days": 0}, **{"If-Match": "*"}), 422, "invalid")
    shared = CameraClass.objects.get(name="Công cộng")  # cameras of the other commune have it too
    refused(head.send("PATCH", f"camera-classes/{shared.pk}", {"name": "X"}, **{"If-Match": "*"}), 403, "forbidden")
    refused(head.get(f"camera-classes/{uuid.uuid4()}"), 404, "not_found")
    names, query = [], "limit=2"
    while query:
        page = head.get(f"camera-classes?{query}").json()
        names += [one["name"] for one in page["items"]]
        query = page["next"] and f"limit=2&cursor={page['next']}"
    assert sorted(names) == sorted(CameraClass.objects.values_list("name", flat=True))

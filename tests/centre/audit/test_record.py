"""What is recorded, by whom it is read, and that it survives what it tells of."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client, RequestFactory
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.audit.models import AppendOnly, Pending, Record
from xomyen.centre.audit.services import record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.cameras.models import Camera
from xomyen.centre.permissions.roles import Role

SignIn = Callable[[User], Client]


def newest(action: str) -> Record:
    """The newest record of an action; everything that waits is taken into the chain first."""
    chain_pending()
    found: Record = Record.objects.filter(action=action).latest("sequence")
    return found


def test_a_record_says_who_did_what_to_what_in_which_unit_why_and_from_where(
    province: Province, appoint: Appoint
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
    record("camera.live", officer, province.public, purpose="Tuần tra đêm", request=request, details={"width": 1280.5})
    found = newest("camera.live")
    assert (found.person, found.person_name) == (str(officer.pk), officer.full_name)
    assert (found.thing_type, found.thing, found.thing_label) == (
        "camera",
        str(province.public.pk),
        "C14 Sân nhà văn hóa",
    )
    assert (found.unit, found.unit_label) == (province.group.pk, str(province.group))
    assert (found.purpose, found.address) == ("Tuần tra đêm", "192.0.2.7")
    assert found.details == {"width": "1280.5"}


def test_a_record_and_its_deed_are_kept_or_given_up_together(province: Province) -> None:
    chain_pending()
    with transaction.atomic():
        record("camera.ptz", thing=province.public)
        assert Pending.objects.exists()
        transaction.set_rollback(True)
    assert not Pending.objects.exists()


def test_deleting_a_person_deletes_no_record_of_them(province: Province, appoint: Appoint) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    record("camera.live", officer, province.public)
    key, name = str(officer.pk), officer.full_name
    officer.delete()
    found = newest("camera.live")
    assert (found.person, found.person_name) == (key, name)
    assert newest("user.removed").thing == key


def test_rows_of_the_chain_are_neither_changed_nor_deleted_by_the_product(province: Province) -> None:
    record("camera.ptz", thing=province.public)
    row = newest("camera.ptz")
    row.purpose = "khác"
    with pytest.raises(AppendOnly):
        row.save()
    with pytest.raises(AppendOnly):
        row.delete()
    with pytest.raises(AppendOnly):
        Record.objects.all().delete()
    with pytest.raises(AppendOnly):
        Record.objects.update(purpose="khác")


def test_text_that_no_database_holds_is_mended(province: Province) -> None:
    record("camera.ptz", thing=province.public, purpose="a\0b\ud800", details={"x": ["\0", {1: None}]})
    found = newest("camera.ptz")
    assert found.purpose == "ab?"
    assert found.details == {"x": ["", {"1": None}]}


def test_changes_are_recorded_with_what_was_before_and_after(province: Province, appoint: Appoint) -> None:
    camera = province.public
    camera.name = "Sân mới"
    camera.save()
    found = newest("camera.changed")
    assert found.details == {"changes": {"name": ["Sân nhà văn hóa", "Sân mới"]}}
    assert (found.person_name, found.unit) == ("", province.group.pk)
    count = Record.objects.count()
    camera.in_force_revision = 7  # what the node has is no deed of anybody
    camera.save()
    chain_pending()
    assert Record.objects.count() == count


def test_appointing_and_dismissing_somebody_is_recorded_in_the_unit_it_is_for(
    province: Province, appoint: Appoint
) -> None:
    officer = appoint(Role.DUTY_OFFICER, post=province.duty_room)
    assert newest("appointment.added").unit == province.commune.pk
    held = Appointment.objects.get(user=officer)
    held.role = Role.DUTY_COMMANDER
    held.save()
    assert newest("appointment.changed").details["changes"]["role"] == ["duty_officer", "duty_commander"]
    key = str(held.pk)
    held.delete()
    assert newest("appointment.removed").thing == key


def test_of_a_persons_own_data_only_the_names_of_fields_are_kept(appoint: Appoint) -> None:
    person = appoint()
    person.phone = "0900000000"
    person.save()
    assert newest("user.changed").details == {"changes": {"phone": []}}


def test_signing_in_and_out_is_recorded(province: Province, appoint: Appoint, signed_in: SignIn) -> None:
    officer = appoint(Role.SECURITY_TEAM, unit=province.commune)
    client = signed_in(officer)
    assert newest("account.signed_in").person == str(officer.pk)
    client.post("/account/logout/")
    assert newest("account.signed_out").unit == province.commune.pk


def test_wrong_passwords_and_the_lock_are_recorded_without_what_was_typed(province: Province, appoint: Appoint) -> None:
    officer = appoint(Role.SECURITY_TEAM, unit=province.commune)
    client = Client(REMOTE_ADDR="192.0.2.8")
    client.post("/account/login/", {"login": "matkhau-bi-mat", "password": "sai"})
    unknown = newest("account.sign_in_failed")
    assert "matkhau" not in str(unknown.content())
    assert unknown.unit is None
    for _ in range(5):
        client.post("/account/login/", {"login": officer.username, "password": "sai-mat-khau"})
    failed = newest("account.sign_in_failed")
    assert (failed.thing, failed.address, failed.unit) == (str(officer.pk), "192.0.2.8", province.commune.pk)
    assert newest("account.locked").thing == str(officer.pk)
    assert not Record.objects.filter(details_json__contains="sai-mat-khau").exists()


def test_who_changes_something_on_a_page_is_named_without_being_told(
    province: Province, appoint: Appoint, rf: RequestFactory
) -> None:
    from simple_history.models import HistoricalRecords

    officer = appoint(Role.TECHNICIAN, unit=province.commune)
    request = rf.post("/", REMOTE_ADDR="192.0.2.9")
    request.user = officer
    HistoricalRecords.context.request = request
    try:
        Camera.objects.get(pk=province.public.pk).delete()
    finally:
        del HistoricalRecords.context.request
    found = newest("camera.removed")
    assert (found.person, found.address) == (str(officer.pk), "192.0.2.9")

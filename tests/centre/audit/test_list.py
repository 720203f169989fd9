"""The page of the log: what is found, how it is paged through, and who may read what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province, make_camera, make_unit

from xomyen.centre.accounts.models import User
from xomyen.centre.audit.models import Pending, Record
from xomyen.centre.audit.services import record
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.keys import new_key
from xomyen.centre.organisation.models import UnitKind
from xomyen.centre.permissions.roles import Role

SignIn = Callable[[User], Client]


@pytest.fixture
def auditor(province: Province, appoint: Appoint, signed_in: SignIn) -> Client:
    """Somebody who may read the log of the first commune."""
    return signed_in(appoint(Role.AUDITOR, unit=province.commune))


def shown(client: Client, query: str = "") -> list[Record]:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return [one.row for one in answer.context["shown"]]


def things(rows: list[Record]) -> set[str]:
    return {row.thing_label for row in rows}


def test_the_log_shows_ones_units_alone(province: Province, appoint: Appoint, auditor: Client) -> None:
    officer = appoint(Role.COMMAND_CENTRE, unit=province.province)
    record("camera.live", officer, province.public)
    record("camera.live", officer, province.secret)
    chain_pending()
    text = auditor.get("/audit/").content.decode()
    assert "C14 Sân nhà văn hóa" in text
    assert "X99" not in text
    assert "Bên Sông" not in text
    for query in ("?camera=X99", "?unit=90009", f"?camera={province.secret.pk}", f"?unit={province.other_commune.pk}"):
        assert not shown(auditor, query)


def test_without_the_right_to_read_it_the_log_is_refused(
    province: Province, appoint: Appoint, signed_in: SignIn
) -> None:
    officer = appoint(Role.SECURITY_TEAM, unit=province.commune)
    assert signed_in(officer).get("/audit/").status_code == 403


def test_filters_find_by_person_kind_unit_camera_and_span(
    province: Province, appoint: Appoint, auditor: Client
) -> None:
    first = appoint(Role.DUTY_OFFICER, unit=province.commune)
    first.full_name = "Đỗ Khê Tùng"
    first.save()
    second = appoint(Role.DUTY_OFFICER, unit=province.commune)
    record("camera.live", first, province.public)
    record("camera.past", second, province.neighbour)
    chain_pending()
    assert {row.person_name for row in shown(auditor, "?who=do+khe+tung")} == {"Đỗ Khê Tùng"}
    assert things(shown(auditor, "?kind=past")) == {"C01 Vào xã"}
    assert things(shown(auditor, "?kind=live&unit=thuong")) == set()
    assert things(shown(auditor, "?kind=past&unit=90001-01")) == {"C01 Vào xã"}
    assert {row.action for row in shown(auditor, "?camera=san+nha+van+hoa")} == {"camera.added", "camera.live"}
    assert shown(auditor, "?since=2020-01-01T00:00:00&kind=live")
    assert not shown(auditor, "?until=2020-01-01T00:00:00")


def test_what_is_gone_is_found_by_the_name_it_had(province: Province, appoint: Appoint, auditor: Client) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    officer.full_name = "Đỗ Khê Tùng"
    officer.save()
    record("camera.live", officer, province.public)
    officer.delete()
    province.public.delete()
    chain_pending()
    assert {row.action for row in shown(auditor, "?who=tung&kind=live")} == {"camera.live"}
    assert {row.action for row in shown(auditor, "?camera=C14")} == {"camera.added", "camera.live", "camera.removed"}


def test_of_a_name_that_many_have_nobody_is_left_out(province: Province, appoint: Appoint, auditor: Client) -> None:
    gone, renamed = appoint(Role.DUTY_OFFICER, unit=province.commune), appoint(Role.DUTY_OFFICER, unit=province.commune)
    for one, name in ((gone, "Nguyễn Khê Cũ"), (renamed, "Nguyễn Khê Trước")):
        one.full_name = name
        one.save()
        record("camera.live", one, province.public)
    people = {str(gone.pk), str(renamed.pk)}
    gone.delete()
    renamed.full_name = "Lương Khê Sau"
    renamed.save()
    User.objects.bulk_create(
        User(username=f"n{number}", full_name=f"Nguyễn {number}", folded=f"nguyen {number}") for number in range(120)
    )
    last = User.objects.get(username="n119")
    record("camera.live", last, make_camera(province.group, province.node, "C90", "Vào xã hai"))
    stranger = Pending.objects.get(action="camera.live", person=str(last.pk))  # as another issuer's ticket brings one
    stranger.pk, stranger.id, stranger.person, stranger.person_name = None, new_key(), "tinh:12", "Nguyễn Văn Khác"
    stranger.save(force_insert=True)
    province.public.delete()
    chain_pending()
    found = {row.person for row in shown(auditor, "?who=nguyen&kind=live")}
    assert found == people | {str(last.pk), stranger.person}
    # One that is gone is found beside one that is there.
    assert things(shown(auditor, "?camera=c&kind=live")) == {"C14 Sân nhà văn hóa", "C90 Vào xã hai"}


def test_a_span_that_ends_before_it_begins_is_said_and_shows_everything(auditor: Client) -> None:
    answer = auditor.get("/audit/?since=2026-01-02T00:00&until=2026-01-01T00:00")
    assert answer.context["form"].errors["until"]


def test_pages_go_to_and_fro_without_gaps(
    province: Province, appoint: Appoint, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(13):
        record("camera.ptz", thing=province.public, details={"number": number})
    chain_pending()
    monkeypatch.setattr("xomyen.centre.audit.views._PER_PAGE", 5)
    seen: list[Any] = []
    mark, marks = "", []
    while True:
        answer = auditor.get("/audit/", {"camera": "C14", "kind": "other", "page": mark})
        seen += [one.row.details["number"] for one in answer.context["shown"]]
        marks.append(answer.context["newer"])
        mark = answer.context["older"]
        if not mark:
            break
    assert seen == list(range(12, -1, -1))
    back = auditor.get("/audit/", {"camera": "C14", "kind": "other", "page": marks[-1]})
    assert [one.row.details["number"] for one in back.context["shown"]] == [7, 6, 5, 4, 3]
    assert auditor.get("/audit/", {"page": "nonsense"}).status_code == 200


def test_reading_the_log_is_recorded_with_what_was_looked_for(province: Province, auditor: Client) -> None:
    auditor.get("/audit/?kind=live&who=khe")
    chain_pending()
    found = Record.objects.filter(action="audit.read").latest("sequence")
    assert found.details == {"kind": "live", "who": "khe"}
    assert (found.person_name, found.unit) == ("Lương Khê Số 1", province.commune.pk)


def test_what_belongs_to_no_unit_is_read_by_those_above_whom_nobody_reads(
    province: Province, appoint: Appoint, signed_in: SignIn
) -> None:
    Client().post("/account/login/", {"login": "khong-co-ai", "password": "sai"})
    chain_pending()
    commune = signed_in(appoint(Role.AUDITOR, unit=province.commune))
    query = "?kind=sign_in&until=2999-01-01T00:00:00"
    assert "account.sign_in_failed" in {row.action for row in shown(commune, query)}
    above = signed_in(appoint(Role.AUDITOR, unit=province.province))
    assert "account.sign_in_failed" in {row.action for row in shown(above, query)}
    assert "account.sign_in_failed" not in {row.action for row in shown(commune, query)}


def test_the_number_of_queries_does_not_grow_with_the_rows(
    province: Province, auditor: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(60):
        record("camera.ptz", thing=province.public)
    chain_pending()
    auditor.get("/audit/")
    with django_assert_max_num_queries(20):
        assert len(shown(auditor)) == 50


def test_the_number_of_queries_does_not_grow_with_the_units_of_a_role(
    province: Province, appoint: Appoint, signed_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    appoint(Role.AUDITOR, unit=province.province)
    person = appoint(Role.AUDITOR, unit=province.commune)
    for number in range(30):
        group = make_unit(f"90001-{10 + number}", UnitKind.GROUP, "Thôn", f"Số {number}", province.commune)
        appoint(Role.AUDITOR, person, unit=group)
    client = signed_in(person)
    with django_assert_max_num_queries(20):
        assert client.get("/audit/").status_code == 200


def test_entries_that_nobody_takes_up_are_told_of(province: Province, auditor: Client) -> None:
    assert auditor.get("/audit/").context["late_since"] is None
    Pending.objects.update(at_ns=1_700_000_000 * 10**9)
    record("camera.ptz", thing=province.public)
    answer = auditor.get("/audit/")
    assert answer.context["late_since"] is not None
    assert "alert-warning" in answer.content.decode()


def test_an_empty_log_says_what_will_stand_there(province: Province, auditor: Client) -> None:
    assert "empty-state" in auditor.get("/audit/?who=nobody").content.decode()


def test_what_was_watched_is_told_in_words_with_its_two_ends_together(province: Province, auditor: Client) -> None:
    details = {"detail": "sub", "from_ns": 1, "ticket": "0192", "to_ns": 2}
    record("camera.past", thing=province.public, details=details)
    chain_pending()
    [one] = auditor.get("/audit/?kind=past").context["shown"]
    assert [name for name, _value in one.more] == ["Dữ liệu từ", "Dữ liệu đến", "Mã lượt cấp quyền xem", "Chi tiết"]
    assert dict(one.more)["Chi tiết"] == "luồng phụ"

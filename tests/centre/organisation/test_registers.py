"""Posts with their jurisdictions, schemes and mandate documents: who enters, changes and ends them."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import DocumentKind, MandateDocument, Post, PostKind, Scheme
from xomyen.centre.organisation.services.registers import (
    add_jurisdiction,
    create_post,
    end_jurisdiction,
    end_post,
    end_scheme,
    may_edit_post,
    save_scheme,
)
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def head(province: Province, appoint: Appoint) -> User:
    """Head of the commune police."""
    return appoint(Role.POLICE_HEAD, unit=province.commune)


@pytest.fixture
def office(head: User, signed_in: SignedIn) -> Client:
    head.language = "en"
    head.save()
    return signed_in(head)


def paper(province: Province, number: str = "12/NQ-ĐU", **values: Any) -> MandateDocument:
    fields = {
        "unit": province.commune,
        "kind": DocumentKind.RESOLUTION,
        "number": number,
        "title": "Nhân rộng mô hình",
        "issuer": "Đảng ủy xã",
        "issued": datetime.date(2026, 2, 1),
    }
    return MandateDocument.objects.create(**(fields | values))


def test_a_post_is_entered_answers_for_its_units_and_ends_with_its_jurisdictions(
    province: Province, head: User, office: Client, appoint: Appoint
) -> None:
    answer = office.post(
        "/posts/add/",
        {"name": "Nhà văn hóa thôn Đông", "kind": "culture_house", "units_answered": [str(province.group.pk)],
         "day": str(today() - DAY)},
    )  # fmt: skip
    post = Post.objects.get(name="Nhà văn hóa thôn Đông")
    assert answer.url == f"/posts/{post.pk}/"
    guard = appoint(Role.SECURITY_TEAM, post=post)
    assert set(visible(guard, Action.VIEW_LIVE, Camera.objects.all())) == {province.public, province.private}
    office.post(f"/posts/{post.pk}/units/add/", {"unit": str(province.other_group.pk), "day": str(today())})
    again = User.objects.get(pk=guard.pk)
    assert province.neighbour in visible(again, Action.VIEW_LIVE, Camera.objects.all())
    office.post(f"/posts/{post.pk}/edit/", {"name": "Nhà văn hóa Đông", "kind": "culture_house"})
    office.post(f"/posts/{post.pk}/end/", {"end": str(today() + DAY)})
    post.refresh_from_db()
    assert (post.name, post.last_day) == ("Nhà văn hóa Đông", today() + DAY)
    assert set(post.jurisdictions.values_list("valid_to", flat=True)) == {today() + 2 * DAY}


def test_an_answerability_ends_on_its_own(province: Province, head: User, office: Client) -> None:
    post = create_post(head, "Điểm trực", PostKind.DUTY_ROOM, [province.group, province.other_group], today() - DAY)
    ending = post.jurisdictions.get(unit=province.group)
    office.post(f"/posts/units/{ending.pk}/end/", {"end": str(today() - DAY)})
    ending.refresh_from_db()
    assert ending.last_day == today() - DAY
    with pytest.raises(ValidationError, match="already"):
        end_jurisdiction(head, ending, today() + DAY)
    # It may answer again afterwards, but never twice at a time.
    add_jurisdiction(head, post, province.group, today())
    with pytest.raises(ValidationError, match="already"):
        add_jurisdiction(head, post, province.group, today() + DAY)
    with pytest.raises(ValidationError, match="before it begins"):
        end_post(head, post, today() - DAY)


def test_a_post_is_changed_by_who_may_in_all_its_units(province: Province, appoint: Appoint, head: User) -> None:
    assert may_edit_post(head, province.duty_room)
    neighbour = appoint(Role.POLICE_HEAD, unit=province.other_commune)
    above = appoint(Role.ADMINISTRATOR, unit=province.province)
    assert not may_edit_post(neighbour, province.duty_room)
    add_jurisdiction(above, province.duty_room, province.other_commune, today())
    for one in (head, neighbour):
        assert not may_edit_post(one, province.duty_room)
        with pytest.raises(PermissionDenied):
            end_post(one, province.duty_room, today() + DAY)
    assert may_edit_post(above, province.duty_room)
    with pytest.raises(PermissionDenied):
        add_jurisdiction(
            head, create_post(head, "Mới", PostKind.POLICE, [province.group]), province.other_commune, today()
        )


def test_a_scheme_has_groups_of_its_unit_and_papers_of_it_or_above(
    province: Province, head: User, office: Client
) -> None:
    own, higher = paper(province), paper(province, "5/CT", unit=province.province)
    foreign = paper(province, "9/QĐ", unit=province.other_commune)
    answer = office.post(
        f"/units/{province.commune.pk}/schemes/add/",
        {"name": "Camera an ninh", "launched": "2026-03-01", "groups": [str(province.group.pk)],
         "documents": [str(own.pk), str(higher.pk)]},
    )  # fmt: skip
    scheme = Scheme.objects.get()
    assert answer.url == f"/schemes/{scheme.pk}/"
    assert set(scheme.documents.all()) == {own, higher}
    with pytest.raises(ValidationError, match="9/QĐ"):
        save_scheme(head, scheme, [province.group], [foreign])
    with pytest.raises(ValidationError, match="Bên Sông"):
        save_scheme(head, scheme, [province.other_commune], [own])
    page = office.get(f"/schemes/{scheme.pk}/").content.decode()
    assert "Thôn Đông" in page
    assert "12/NQ-ĐU" in page
    office.post(f"/schemes/{scheme.pk}/edit/", {"name": "Camera an ninh trật tự"})
    scheme.refresh_from_db()
    assert (scheme.name, scheme.groups.count()) == ("Camera an ninh trật tự", 0)
    end_scheme(head, scheme, today())
    assert "Camera an ninh" not in office.get("/schemes/").content.decode()
    assert "Camera an ninh" in office.get("/schemes/?ended=1").content.decode()


def test_a_paper_is_entered_once_and_found_by_its_number_or_words(province: Province, office: Client) -> None:
    values = {
        "unit": str(province.commune.pk), "kind": "decision", "number": "27/QĐ-UBND", "title": "Quy chế sử dụng",
        "issuer": "UBND xã", "issued": "2026-04-01", "valid_to": str(today() + 90 * DAY),
    }  # fmt: skip
    answer = office.post("/documents/add/", values)
    made = MandateDocument.objects.get()
    assert answer.url == f"/documents/{made.pk}/"
    assert made.last_day == today() + 90 * DAY
    assert "already in the register" in office.post("/documents/add/", values).content.decode()
    for typed in ("27/qd", "quy che", "Quy chế"):
        assert "27/QĐ-UBND" in office.get("/documents/", {"q": typed}).content.decode()
    assert "27/QĐ-UBND" not in office.get("/documents/", {"q": "quỳ chế"}).content.decode()
    office.post(f"/documents/{made.pk}/edit/", values | {"title": "Quy chế mới"})
    made.refresh_from_db()
    assert made.title == "Quy chế mới"


def test_registers_of_others_are_not_there_and_those_one_may_only_see_are_not_changed(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    scheme = Scheme.objects.create(unit=province.commune, name="Camera an ninh")
    document = paper(province)
    room = province.duty_room
    jurisdiction = room.jurisdictions.get()
    stranger = signed_in(appoint(Role.ADMINISTRATOR, unit=province.other_commune))
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    for address in (f"/posts/{room.pk}/", f"/schemes/{scheme.pk}/", f"/documents/{document.pk}/"):
        assert stranger.get(address).status_code == 404
        assert officer.get(address).status_code == 200
    for address in (
        f"/posts/{room.pk}/edit/", f"/posts/{room.pk}/end/", f"/posts/{room.pk}/units/add/",
        f"/posts/units/{jurisdiction.pk}/end/", f"/schemes/{scheme.pk}/edit/", f"/schemes/{scheme.pk}/end/",
        f"/documents/{document.pk}/edit/", f"/units/{province.commune.pk}/schemes/add/",
    ):  # fmt: skip
        assert stranger.post(address).status_code == 404
        assert officer.post(address).status_code == 403
    for address in ("/posts/add/", "/documents/add/"):
        assert officer.get(address).status_code == 403
    for address in ("/posts/", "/schemes/", "/documents/"):
        page = stranger.get(address).content.decode()
        assert not any(word in page for word in ("Gia Khê", "Camera an ninh", "12/NQ"))


def test_the_unit_of_a_new_paper_is_one_of_the_persons_own(province: Province, office: Client) -> None:
    answer = office.post(
        "/documents/add/",
        {"unit": str(province.other_commune.pk), "kind": "decision", "number": "1", "title": "x", "issuer": "x",
         "issued": "2026-04-01"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert not MandateDocument.objects.exists()


def test_no_list_asks_more_for_more_rows(
    province: Province, head: User, office: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        create_post(head, f"Điểm {number}", PostKind.DUTY_ROOM, [province.group])
        Scheme.objects.create(unit=province.commune, name=f"Mô hình {number}").groups.add(province.group)
        paper(province, f"{number}/QĐ")
    for address in ("/posts/", "/schemes/", "/documents/", "/posts/?q=điểm"):
        with django_assert_max_num_queries(25):
            assert office.get(address).status_code == 200

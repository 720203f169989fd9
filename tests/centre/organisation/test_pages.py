"""Pages of the tree and of units: what each person sees of which day, and what they may change there."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.centre.conftest import Appoint, Province, make_unit

from xomyen.centre.accounts.models import User
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import (
    Change,
    MandateDocument,
    Succession,
    SuccessionKind,
    Unit,
    UnitKind,
    UnitLink,
)
from xomyen.centre.organisation.services.changes import close, merge, rename
from xomyen.centre.organisation.services.recording import Entry
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
REFORM = datetime.date(2025, 7, 1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def clerk(province: Province, appoint: Appoint) -> User:
    return appoint(Role.ADMINISTRATOR, unit=province.province)


@pytest.fixture
def office(clerk: User, signed_in: SignedIn) -> Client:
    """The pages as somebody sees them who may change the whole province."""
    clerk.language = "en"
    clerk.save()
    return signed_in(clerk)


def names(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def old(province: Province) -> tuple[Unit, Unit, Unit]:
    """What the first commune came from: a whole commune, and a part of another, under an old province."""
    top = make_unit("27", UnitKind.PROVINCE, "Tỉnh", "Khê Cũ", valid_to=REFORM)
    whole = make_unit("90002", UnitKind.COMMUNE, "Xã", "Khê Thượng", top, valid_to=REFORM)
    part = make_unit("90003", UnitKind.COMMUNE, "Xã", "Khê Hạ", top, valid_to=REFORM)
    for before, after, wholly in (
        (top, province.province, True),
        (whole, province.commune, True),
        (part, province.commune, False),
    ):
        kind = SuccessionKind.MERGE if wholly else SuccessionKind.SPLIT
        Succession.objects.create(predecessor=before, successor=after, on=REFORM, kind=kind, whole=wholly)
        if wholly:
            UnitLink.objects.create(unit=before, parent=after, valid_from=REFORM)
    Unit.objects.filter(valid_to=None).update(valid_from=REFORM)
    return top, whole, part


def test_the_tree_begins_at_ones_own_units_and_opens_level_by_level(
    province: Province, appoint: Appoint, signed_in: SignedIn, office: Client
) -> None:
    page = names(office.get("/units/"))
    assert "Tỉnh Bắc Ninh" in page
    assert "Xã Gia Khê" in page
    assert "Thôn Đông" not in page
    opened = names(office.get(f"/units/{province.commune.pk}/children/"))
    assert "Thôn Đông" in opened
    assert "Xã Bên Sông" not in opened
    local = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    own = names(local.get("/units/"))
    assert "Thôn Đông" in own
    assert "Bên Sông" not in own
    assert "Tỉnh Bắc Ninh" not in own


def test_as_of_a_day_the_tree_is_that_of_the_units_one_has_it_from(
    province: Province, old: tuple[Unit, Unit, Unit], office: Client, appoint: Appoint, signed_in: SignedIn
) -> None:
    then = names(office.get("/units/?on=2025-06-30"))
    assert "Tỉnh Khê Cũ" in then
    assert "Tỉnh Bắc Ninh" not in then
    assert "Khê Thượng" in then
    local = names(signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune)).get("/units/?on=2025-06-30"))
    assert "Khê Thượng" in local
    assert "Khê Hạ" in local
    assert "Tỉnh Khê Cũ" not in local
    other = signed_in(appoint(Role.DUTY_OFFICER, unit=province.other_commune))
    stranger = names(other.get("/units/?on=2025-06-30"))
    assert "Khê Thượng" not in stranger
    assert "Khê Hạ" not in stranger


@pytest.mark.parametrize("day", ["2025-02-31", "gestern", "99999-01-01", ""])
def test_a_day_that_is_none_is_today(office: Client, day: str) -> None:
    assert "Xã Gia Khê" in names(office.get("/units/", {"on": day}))


@pytest.mark.parametrize(
    ("typed", "found"),
    [("gia khe", True), ("Gia Khê", True), ("GIA", True), ("90001", True), ("già khê", False), ("x" * 300, False)],
)
def test_units_are_found_without_tone_marks_and_typed_ones_are_meant(office: Client, typed: str, found: bool) -> None:
    page = names(office.get("/units/", {"q": typed}, HTTP_HX_TARGET="units"))
    assert ("Xã Gia Khê" in page) is found
    assert "<html" not in page


def test_ended_units_are_found_when_asked_for(old: tuple[Unit, Unit, Unit], office: Client) -> None:
    assert "Xã Khê Thượng" not in names(office.get("/units/?q=khe+thuong"))
    gone = names(office.get("/units/?q=khe+thuong&ended=1"))
    assert "Xã Khê Thượng" in gone
    assert "now handled by Xã Gia Khê" in gone
    then = names(office.get("/units/?q=khe+thuong&on=2025-06-30"))
    assert "Xã Khê Thượng" in then
    assert "Tỉnh Khê Cũ" in then
    assert "its matters" not in then


def test_a_unit_of_others_is_not_there(
    province: Province, old: tuple[Unit, Unit, Unit], appoint: Appoint, signed_in: SignedIn
) -> None:
    local = signed_in(appoint(Role.ADMINISTRATOR, unit=province.commune))
    for hidden in (province.other_commune.pk, province.province.pk, old[0].pk, uuid.uuid4()):
        for address in (f"/units/{hidden}/", f"/units/{hidden}/children/", f"/units/{hidden}/change/close/"):
            assert local.get(address).status_code == 404
    assert local.get(f"/units/{old[1].pk}/").status_code == 200
    assert local.get(f"/units/{old[2].pk}/").status_code == 200
    # The units above are named on the way, and lead nowhere.
    page = names(local.get(f"/units/{province.commune.pk}/"))
    assert "Tỉnh Bắc Ninh" in page
    assert f"/units/{province.province.pk}/" not in page


def test_the_page_of_a_unit_has_what_belongs_to_it(
    province: Province, old: tuple[Unit, Unit, Unit], office: Client
) -> None:
    MandateDocument.objects.create(
        unit=province.commune, kind="decision", number="12/QĐ-UBND", title="Quy chế", issuer="UBND xã", issued=today()
    )
    page = names(office.get(f"/units/{province.commune.pk}/"))
    for shown in (
        "90001", "Khê Thượng", "Khê Hạ", "in part", "Thôn Đông", "Phòng trực ban Công an xã Gia Khê", "12/QĐ-UBND"
    ):  # fmt: skip
        assert shown in page
    earlier = names(office.get(f"/units/{province.commune.pk}/", {"on": str(today() - DAY)}))
    assert "Phòng trực ban Công an xã Gia Khê" in earlier
    assert "12/QĐ-UBND" not in earlier
    before = names(office.get(f"/units/{old[1].pk}/"))
    assert "Tỉnh Khê Cũ" in before
    assert "Xã Gia Khê" in before


def test_only_who_may_edit_finds_and_opens_the_forms(
    province: Province, appoint: Appoint, signed_in: SignedIn, office: Client
) -> None:
    address = f"/units/{province.commune.pk}/change/rename/"
    assert address in names(office.get(f"/units/{province.commune.pk}/"))
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert "/change/" not in names(officer.get(f"/units/{province.commune.pk}/"))
    for sort in ("add", "correct", "rename", "move", "merge", "split", "close", "hand-over"):
        assert officer.get(f"/units/{province.commune.pk}/change/{sort}/").status_code == 403
        assert officer.post(f"/units/{province.commune.pk}/change/{sort}/").status_code == 403
        assert office.get(f"/units/{province.commune.pk}/change/{sort}/").status_code == 200
    assert office.get(f"/units/{province.commune.pk}/change/conquer/").status_code == 404


def post(client: Client, unit: Unit, sort: str, **values: Any) -> Any:
    return client.post(f"/units/{unit.pk}/change/{sort}/", {"day": str(today()), **values})


def test_a_residential_group_is_added_renamed_moved_and_closed_on_its_page(province: Province, office: Client) -> None:
    answer = post(office, province.commune, "add", kind="group", type_name="Thôn", name="Trại")
    made = Unit.objects.get(name="Trại")
    assert answer.url == f"/units/{made.pk}/"
    assert made.code == "90001-04"
    Unit.objects.filter(pk=made.pk).update(valid_from=today() - 9 * DAY)
    UnitLink.objects.filter(unit=made).update(valid_from=today() - 9 * DAY)
    post(office, made, "correct", type_name="Thôn", name="Trại", latitude="21.03", longitude="106.09")
    post(office, made, "rename", type_name="Tổ dân phố", name="Trại")
    post(office, made, "move", parent=str(province.other_commune.pk))
    made.refresh_from_db()
    assert (str(made), made.latitude) == ("Tổ dân phố Trại", 21.03)
    assert made in Unit.objects.below(province.other_commune.pk)
    post(office, made, "close")
    made.refresh_from_db()
    assert made.last_day == today()
    page = names(office.get(f"/units/{made.pk}/"))
    assert "was renamed Tổ dân phố Trại" in page
    assert "went from Xã Gia Khê to Xã Bên Sông" in page


def test_communes_are_merged_and_divided_on_their_pages(province: Province, office: Client) -> None:
    answer = post(
        office, province.commune, "merge",
        others=[str(province.other_commune.pk)], type_name="Phường", name="Khê Sông", code="90030",
    )  # fmt: skip
    merged = Unit.objects.get(code="90030")
    assert answer.url == f"/units/{merged.pk}/"
    Unit.objects.filter(pk=merged.pk).update(valid_from=today() - DAY)
    UnitLink.objects.filter(parent=merged).update(valid_from=today() - DAY)
    UnitLink.objects.filter(unit=merged).update(valid_from=today() - DAY)
    parts = {
        "type_name_1": "Xã", "name_1": "Một", "code_1": "90031",
        "type_name_2": "Xã", "name_2": "Hai", "code_2": "90032", "parts": "2",
        f"child_{province.group.pk.hex}": "1",
    }  # fmt: skip
    again = names(post(office, merged, "split", more="1", **parts))
    assert 'name="name_3"' in again
    assert 'value="Một"' in again  # what was typed is kept
    assert "Thôn Thượng" in names(post(office, merged, "split", **parts))  # has no place yet
    post(office, merged, "split", **parts, **{f"child_{province.other_group.pk.hex}": "2"})
    assert province.other_group in Unit.objects.below(Unit.objects.get(code="90032").pk).on(today())


def test_what_is_wrong_is_said_on_the_form_and_nothing_is_changed(province: Province, office: Client) -> None:
    page = names(post(office, province.commune, "close"))
    assert "There are 2 units below it" in page
    assert "The new unit needs this" in names(
        post(office, province.commune, "merge", others=[str(province.other_commune.pk)])
    )
    assert not Change.objects.exists()


def test_the_last_change_is_undone_with_a_button(
    province: Province, office: Client, clerk: User, appoint: Appoint, signed_in: SignedIn
) -> None:
    rename(province.group, "Thôn", "Khác", Entry(clerk, today()))
    change = Change.objects.get()
    undo = f"/units/changes/{change.pk}/undo/"
    assert undo in names(office.get(f"/units/{province.group.pk}/"))
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    assert undo not in names(officer.get(f"/units/{province.group.pk}/"))
    assert officer.post(undo).status_code == 403
    stranger = signed_in(appoint(Role.ADMINISTRATOR, unit=province.other_commune))
    assert stranger.post(undo).status_code == 404
    assert office.post(undo, {"from": str(province.group.pk)}).url == f"/units/{province.group.pk}/"
    province.group.refresh_from_db()
    assert str(province.group) == "Thôn Đông"
    assert office.post(undo, {"from": "nonsense"}).url == "/units/"
    assert undo not in names(office.get(f"/units/{province.group.pk}/"))


def test_what_needs_a_decision_is_shown_where_it_is_and_handed_over(
    province: Province, office: Client, clerk: User, appoint: Appoint, signed_in: SignedIn
) -> None:
    appoint(Role.DUTY_OFFICER, unit=province.commune)
    assert "Nothing to decide" in names(office.get("/units/open/"))
    close(province.commune, Entry(clerk, today()), province.other_commune)
    for address in ("/units/open/", f"/units/{province.commune.pk}/"):
        page = names(office.get(address))
        assert "is still appointed here" in page
        assert "Phòng trực ban" in page
    assert "1 unit that ended" in names(office.get("/units/"))
    # Who can do nothing about it is not shown who is still appointed.
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.other_commune))
    assert officer.get("/units/open/").status_code == 403
    assert "/units/open/" not in names(officer.get("/units/"))
    assert "org-matters" not in names(officer.get(f"/units/{province.commune.pk}/"))
    hand_over = f"/units/{province.commune.pk}/change/hand-over/"
    office.post(hand_over, {"successor": str(province.other_commune.pk)})
    page = names(office.get("/units/open/"))
    assert "Phòng trực ban" not in page
    assert "is still appointed here" in page


def test_no_page_asks_more_for_more_units(
    province: Province, office: Client, clerk: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        group = make_unit(f"90001-{number + 10}", UnitKind.GROUP, "Thôn", f"Số {number}", province.commune)
        if number < 5:
            merge([group, province.group], province.group, Entry(clerk, today()))
    for address in (
        "/units/", "/units/?q=thon", "/units/?q=thôn", "/units/?on=2025-06-30", "/units/open/",
        f"/units/{province.commune.pk}/", f"/units/{province.group.pk}/", f"/units/{province.commune.pk}/children/",
    ):  # fmt: skip
        with django_assert_max_num_queries(40):
            assert office.get(address).status_code == 200

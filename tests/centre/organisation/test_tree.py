"""The tree of units as of a day."""

import datetime
import uuid

import pytest
from tests.centre.conftest import Appoint, Province, make_unit

from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Unit, UnitKind, UnitLink
from xomyen.centre.organisation.seeing import paths, seen_among, tops_on
from xomyen.centre.organisation.tree import lines_above
from xomyen.centre.permissions.roles import Role

MERGED = datetime.date(2025, 7, 1)


@pytest.fixture
def merged(province: Province) -> tuple[Province, Unit, Unit]:
    """Before the merger the commune's predecessor hung under a district of another province."""
    old_province = make_unit("24", UnitKind.PROVINCE, "Tỉnh", "Bắc Giang", valid_from=None, valid_to=MERGED)
    district = make_unit("218", UnitKind.DISTRICT, "Huyện", "Cũ", old_province, valid_to=MERGED)
    old = make_unit("90002", UnitKind.COMMUNE, "Xã", "Khê Thượng", district, valid_to=MERGED)
    return province, old_province, old


def test_what_is_below_a_unit_is_found_at_any_depth(province: Province) -> None:
    assert set(Unit.objects.below(province.commune.pk)) == {province.commune, province.group, province.other_group}
    assert Unit.objects.below(province.province.pk).count() == 5
    assert set(Unit.objects.above(province.group.pk)) == {province.group, province.commune, province.province}
    assert not Unit.objects.below([]).exists()


def test_the_tree_of_a_day_is_that_of_its_links(merged: tuple[Province, Unit, Unit]) -> None:
    province, old_province, old = merged
    before = MERGED - datetime.timedelta(days=1)
    assert old in Unit.objects.below(old_province.pk, before)
    assert old not in Unit.objects.below(old_province.pk, MERGED)
    assert old not in Unit.objects.below(province.province.pk, today())
    assert set(Unit.objects.on(before).filter(code="24")) >= {old_province}
    assert list(Unit.objects.on(MERGED).filter(code="24", name="Bắc Giang")) == []


def test_what_lies_ever_so_deep_is_seen_and_has_its_whole_way(province: Province, appoint: Appoint) -> None:
    deepest = province.group
    for level in range(12):
        deepest = make_unit(f"90001-03-{level}", UnitKind.GROUP, "Xóm", f"Cấp {level}", deepest)
    person = appoint(Role.DUTY_OFFICER, unit=province.province)
    assert seen_among(person, [deepest.pk]) == {deepest.pk}
    way = paths(person, [deepest], today())[deepest.pk]
    assert [step.called for step in way[:4]] == ["Tỉnh Bắc Ninh", "Xã Gia Khê", "Thôn Đông", "Xóm Cấp 0"]
    assert (len(way), all(step.seen for step in way)) == (14, True)
    assert list(tops_on(person, today())) == [province.province]


def test_links_that_form_a_ring_do_not_hang_the_query(province: Province) -> None:
    UnitLink.objects.create(unit=province.province, parent=province.group)
    assert Unit.objects.below(province.commune.pk).count() == 5


@pytest.mark.parametrize("typed", ["gia khe", "Gia Khê", "GIA", "90001"])
def test_units_are_found_without_tone_marks_and_by_code(province: Province, typed: str) -> None:
    assert province.commune in Unit.objects.search(typed)


def test_the_line_of_each_unit_goes_up_to_the_top_as_of_the_day(merged: tuple[Province, Unit, Unit]) -> None:
    province = merged[0]
    there, nowhere = province.group.pk, uuid.uuid4()
    assert lines_above([there, nowhere], today()) == {there: {there, province.commune.pk, province.province.pk}}


def test_thousands_of_units_are_one_value_of_the_query(province: Province) -> None:
    many = [province.group.pk, *(uuid.uuid4() for _ in range(40_000))]
    assert list(Unit.objects.below(many)) == [province.group]

"""The official units of Viet Nam in the database: those of today, those before 1 July 2025, what became what."""

import datetime
from collections.abc import Iterator

import pytest
from django.db import transaction

from xomyen.centre.dates import in_force
from xomyen.centre.organisation.models import Succession, SuccessionKind, Unit, UnitKind, UnitLink
from xomyen.centre.organisation.services.imports import Imported, import_units
from xomyen.centre.organisation.services.register import REFORM

pytestmark = pytest.mark.timeout(600)  # thousands of units are brought in

BEFORE = REFORM - datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def imported(django_db_setup: None, django_db_blocker) -> Iterator[Imported]:
    """The lists brought in once for the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield import_units()
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("day", "kind", "count"),
    [
        (REFORM, UnitKind.PROVINCE, 34),
        (REFORM, UnitKind.COMMUNE, 3321),
        (REFORM, UnitKind.DISTRICT, 0),
        (BEFORE, UnitKind.PROVINCE, 63),
        (BEFORE, UnitKind.DISTRICT, 696),
        (BEFORE, UnitKind.COMMUNE, 10035),
    ],
)
def test_each_day_has_its_units(imported: Imported, db: None, day: datetime.date, kind: str, count: int) -> None:
    assert Unit.objects.on(day).filter(kind=kind).count() == count
    assert not imported.conflicts


def test_a_code_given_anew_is_of_one_unit_on_each_day(imported: Imported, db: None) -> None:
    old = Unit.objects.coded("24", UnitKind.PROVINCE, BEFORE).get()
    new = Unit.objects.coded("24", UnitKind.PROVINCE, REFORM).get()
    assert (str(old), str(new)) == ("Tỉnh Bắc Giang", "Tỉnh Bắc Ninh")
    taken_over = new.took_over_from.filter(predecessor__kind=UnitKind.PROVINCE)
    before = {(str(one.predecessor), one.predecessor.code, one.whole) for one in taken_over}
    assert before == {("Tỉnh Bắc Giang", "24", True), ("Tỉnh Bắc Ninh", "27", True)}
    assert old.valid_to == new.valid_from == REFORM


def test_no_two_units_of_a_kind_have_a_code_on_the_same_day(imported: Imported, db: None) -> None:
    for day in (BEFORE, REFORM):
        codes = list(Unit.objects.on(day).values_list("kind", "code"))
        assert len(codes) == len(set(codes))


def test_every_unit_but_provinces_hangs_under_one_parent_on_each_day(imported: Imported, db: None) -> None:
    for day in (BEFORE, REFORM):
        units = Unit.objects.on(day).exclude(kind=UnitKind.PROVINCE)
        placed = UnitLink.objects.filter(in_force(day), unit__in=units.values("pk"))
        assert sorted(placed.values_list("unit", flat=True)) == sorted(units.values_list("pk", flat=True))
    new = Unit.objects.coded("24", UnitKind.PROVINCE, REFORM).get()
    assert Unit.objects.below(new.pk, REFORM).on(REFORM).filter(kind=UnitKind.COMMUNE).count() == 99


def test_what_went_on_unchanged_is_one_unit_and_what_was_renamed_keeps_its_old_name(
    imported: Imported, db: None
) -> None:
    hanoi = Unit.objects.get(kind=UnitKind.PROVINCE, code="01")
    assert (hanoi.valid_from, hanoi.valid_to) == (None, None)
    town = Unit.objects.get(kind=UnitKind.COMMUNE, code="14845")
    assert str(town) == "Xã Mường Lát"
    assert [(str(name), name.valid_to) for name in town.former_names.all()] == [("Thị trấn Mường Lát", REFORM)]
    assert town in Unit.objects.search("thi tran muong lat")
    # Another way to write it is no other name.
    assert not Unit.objects.get(kind=UnitKind.COMMUNE, code="23650").former_names.exists()


def test_a_commune_that_was_divided_has_its_parts_in_several_and_hangs_under_the_greatest(
    imported: Imported, db: None
) -> None:
    divided = Unit.objects.get(name="Bùi Hữu Nghĩa", valid_to=REFORM, parent_links__parent__kind=UnitKind.DISTRICT)
    parts = {str(one.successor): (one.kind, one.whole) for one in divided.succeeded_by.all()}
    assert parts == dict.fromkeys(("Phường Bình Thủy", "Phường Cái Khế"), (SuccessionKind.SPLIT, False))
    assert str(divided.parent_links.get(valid_to=None).parent) == "Phường Bình Thủy"


def test_districts_end_with_their_matters_at_the_province_and_island_districts_become_special_zones(
    imported: Imported, db: None
) -> None:
    district = Unit.objects.get(kind=UnitKind.DISTRICT, code="213")
    assert [(str(one.successor), one.kind) for one in district.succeeded_by.all()] == [
        ("Tỉnh Bắc Ninh", SuccessionKind.ABOLISH)
    ]
    island = Unit.objects.get(kind=UnitKind.DISTRICT, name="Côn Đảo")
    assert [(str(one.successor), one.kind) for one in island.succeeded_by.all()] == [
        ("Đặc khu Côn Đảo", SuccessionKind.RENAME)
    ]
    ended = Unit.objects.filter(valid_to=REFORM)
    assert not ended.exclude(pk__in=Succession.objects.values("predecessor")).exists()


def test_a_second_import_adds_nothing_and_keeps_what_people_changed(imported: Imported, db: None) -> None:
    renamed = Unit.objects.coded("07210", UnitKind.COMMUNE, REFORM).get()
    renamed.name = "Tên Mới"
    renamed.save()
    closed = Unit.objects.coded("07228", UnitKind.COMMUNE, REFORM).get()
    closed.valid_to = datetime.date(2026, 5, 1)
    closed.save()
    again = import_units()
    assert (again.units, again.links, again.successions, again.conflicts) == (0, 0, 0, [])
    renamed.refresh_from_db()
    assert renamed.name == "Tên Mới"

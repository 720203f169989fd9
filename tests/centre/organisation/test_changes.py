"""Changes of the tree: each leaves a tree on every day, is recorded, and can be undone the same day."""

import contextlib
import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from tests.centre.conftest import Appoint, Province, make_unit
from tests.waiting import wait_until

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Camera
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import (
    Change,
    FormerName,
    Succession,
    SuccessionKind,
    Unit,
    UnitKind,
    UnitLink,
)
from xomyen.centre.organisation.services.changes import Fresh, close, correct, create, merge, move, rename, split
from xomyen.centre.organisation.services.handover import hand_over
from xomyen.centre.organisation.services.history import told
from xomyen.centre.organisation.services.matters import all_open, count_open, open_matters
from xomyen.centre.organisation.services.recording import Entry, undo
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible
from xomyen.centre.permissions.roles import Role

DAY = datetime.timedelta(days=1)
THEN = datetime.date(2026, 3, 1)
BEFORE = THEN - DAY


@pytest.fixture
def clerk(province: Province, appoint: Appoint) -> User:
    """May change every unit of the province."""
    return appoint(Role.ADMINISTRATOR, unit=province.province)


@pytest.fixture
def entry(clerk: User) -> Entry:
    return Entry(clerk, THEN, basis="NQ 05/NQ-HĐND")


def table() -> list[object]:
    """Everything that a change may touch."""
    return [
        sorted(model.objects.values_list(*columns), key=str)
        for model, columns in (
            (Unit, ("id", "code", "type_name", "name", "valid_from", "valid_to")),
            (UnitLink, ("unit", "parent", "valid_from", "valid_to")),
            (Succession, ("predecessor", "successor", "on", "kind", "whole")),
            (FormerName, ("unit", "name", "valid_from", "valid_to")),
        )
    ]


def below(unit: Unit, day: datetime.date) -> set[Unit]:
    """What exists under the unit on the day."""
    return set(Unit.objects.below(unit.pk, day).on(day)) - {unit}


def test_a_residential_group_gets_a_code_that_is_never_given_twice(province: Province, entry: Entry) -> None:
    fresh = Fresh(UnitKind.GROUP, "Thôn", "Trại")
    first = create(fresh, province.commune, entry)
    assert (first.code, first.official) == ("90001-04", False)
    close(first, Entry(entry.person, today()))
    assert create(fresh, province.commune, entry).code == "90001-05"
    assert create(fresh, province.other_commune, entry).code == "90009-01"
    assert create(Fresh(UnitKind.GROUP, "Xóm", "Trong"), province.group, entry).code == "90001-03-01"


def test_groups_within_groups_have_codes_however_deep_they_lie(province: Province, entry: Entry) -> None:
    made = [province.group]
    for level in range(8):
        for name in ("Trong", "Ngoài"):
            made.append(create(Fresh(UnitKind.GROUP, "Xóm", f"{name} {level}"), made[-1 - (name == "Ngoài")], entry))
    codes = [unit.code for unit in made]
    assert codes[1:4] == ["90001-03-01", "90001-03-02", "90001-03-02-01"]
    assert len(set(codes)) == len(codes)
    assert max(len(code) for code in codes) <= 20


def test_groups_that_are_entered_at_once_under_several_parents_get_codes_of_their_own(
    transactional_db: None, province: Province, entry: Entry
) -> None:
    deep = province.group
    for level in range(2):
        deep = create(Fresh(UnitKind.GROUP, "Xóm", f"Cấp {level}"), deep, entry)
    one, other = (create(Fresh(UnitKind.GROUP, "Xóm", name), deep, entry) for name in ("Trong", "Ngoài"))

    def enter(parent: Unit) -> Unit:
        with contextlib.closing(connection):
            return create(Fresh(UnitKind.GROUP, "Xóm", "Sau"), parent, entry)

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            first = create(Fresh(UnitKind.GROUP, "Xóm", "Trước"), one, entry)
            second = thread.submit(enter, other)
            # On SQLite it waits where it begins, or will begin later.
            wait_until(lambda: connection.vendor == "sqlite" or waits_for_a_lock())
        assert {first.code, second.result().code} == {"90001-03-01-01-03", "90001-03-01-01-04"}


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


@pytest.mark.parametrize("code", ["1", "0090002", "9000A", ""])
def test_an_official_code_has_its_number_of_digits(province: Province, entry: Entry, code: str) -> None:
    with pytest.raises(ValidationError):
        create(Fresh(UnitKind.COMMUNE, "Xã", "Mới", code), province.province, entry)


def test_a_code_is_of_one_unit_at_a_time_and_can_be_given_anew_afterwards(province: Province, entry: Entry) -> None:
    again = Fresh(UnitKind.COMMUNE, "Xã", "Mới", province.other_commune.code)
    with pytest.raises(ValidationError, match="Bên Sông"):
        create(again, province.province, entry)
    close(province.other_commune, entry)
    anew = create(again, province.province, entry)
    assert Unit.objects.coded("90009", UnitKind.COMMUNE, THEN).get() == anew
    assert Unit.objects.coded("90009", UnitKind.COMMUNE, BEFORE).get() == province.other_commune


def test_a_unit_that_moves_takes_what_is_below_along_from_the_day_on(province: Province, entry: Entry) -> None:
    move(province.group, province.other_commune, entry)
    assert province.group in below(province.commune, BEFORE)
    assert province.group in below(province.other_commune, THEN)
    assert province.group not in below(province.commune, THEN)
    assert told(Change.objects.get()) == "Thôn Đông went from Xã Gia Khê to Xã Bên Sông"


def test_no_unit_comes_under_its_own_or_a_lower_level_or_one_that_is_not_there(
    province: Province, entry: Entry
) -> None:
    sub = create(Fresh(UnitKind.GROUP, "Xóm", "Trong"), province.group, entry)
    later = Entry(entry.person, THEN + DAY)
    with pytest.raises(ValidationError, match="above the other"):
        move(province.group, sub, later)
    with pytest.raises(ValidationError, match="higher level"):
        move(province.commune, province.other_commune, entry)
    with pytest.raises(ValidationError, match="higher level"):
        move(province.commune, province.group, entry)
    close(province.other_commune, later)
    with pytest.raises(ValidationError, match="does not exist"):
        move(province.group, province.other_commune, Entry(entry.person, THEN + 5 * DAY))


def test_a_ring_that_would_close_on_a_later_day_is_refused_today(province: Province, entry: Entry) -> None:
    coming = Entry(entry.person, THEN + 30 * DAY)
    move(province.other_group, province.group, coming)
    with pytest.raises(ValidationError, match="above the other"):
        move(province.group, province.other_group, entry)


def test_what_is_recorded_for_a_later_day_is_not_overtaken(province: Province, entry: Entry) -> None:
    move(province.group, province.other_commune, entry)
    with pytest.raises(ValidationError, match="recorded already"):
        move(province.group, province.other_group, Entry(entry.person, BEFORE))


def test_a_renamed_unit_stays_itself_and_is_found_by_both_names(province: Province, entry: Entry) -> None:
    rename(province.commune, "Phường", "Khê Mới", entry)
    province.commune.refresh_from_db()
    assert str(province.commune) == "Phường Khê Mới"
    former = province.commune.former_names.get()
    assert (str(former), former.last_day) == ("Xã Gia Khê", BEFORE)
    for typed in ("gia khe", "khe moi"):
        assert province.commune in Unit.objects.search(typed)
    with pytest.raises(ValidationError):
        rename(province.commune, "Xã", "Gia Khê", Entry(entry.person, BEFORE))
    with pytest.raises(ValidationError):
        rename(province.commune, "Xã", "Gia Khê", Entry(entry.person, today() + DAY))


def test_a_new_code_of_a_unit_counts_from_its_day(province: Province, entry: Entry) -> None:
    rename(province.commune, "Xã", "Gia Khê", entry, code="90005")
    assert Unit.objects.coded("90005", UnitKind.COMMUNE, THEN).get() == province.commune
    assert Unit.objects.coded("90001", UnitKind.COMMUNE, BEFORE).get() == province.commune
    assert not Unit.objects.coded("90001", UnitKind.COMMUNE, THEN).exists()
    with pytest.raises(ValidationError, match="90009"):
        rename(province.commune, "Xã", "Gia Khê", Entry(entry.person, THEN + DAY), code="90009")


def test_units_merge_into_a_new_one_that_has_all_below_them(province: Province, entry: Entry) -> None:
    fresh = Fresh(UnitKind.COMMUNE, "Phường", "Khê Sông", province.commune.code)
    merged = merge([province.commune, province.other_commune], fresh, entry)
    assert below(merged, THEN) == {province.group, province.other_group}
    assert below(province.commune, BEFORE) == {province.group, province.other_group}
    assert below(province.province, THEN) == {merged, province.group, province.other_group}
    assert {(row.predecessor, row.kind, row.whole) for row in merged.took_over_from.all()} == {
        (province.commune, SuccessionKind.MERGE, True),
        (province.other_commune, SuccessionKind.MERGE, True),
    }
    assert Unit.objects.coded("90001", UnitKind.COMMUNE, THEN).get() == merged


def test_a_unit_takes_in_another_and_goes_on(province: Province, entry: Entry) -> None:
    assert merge([province.commune, province.other_commune], province.other_commune, entry) == province.other_commune
    assert below(province.other_commune, THEN) == {province.group, province.other_group}
    province.other_commune.refresh_from_db()
    assert province.other_commune.valid_to is None


def test_cameras_of_a_merged_unit_stay_in_sight_of_the_successors_people(
    province: Province, entry: Entry, appoint: Appoint
) -> None:
    merge([province.commune, province.other_commune], province.commune, entry)
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    assert province.secret in visible(officer, Action.VIEW_LIVE, Camera.objects.all())
    left = appoint(Role.DUTY_OFFICER, unit=province.other_group)
    assert province.secret not in visible(left, Action.VIEW_LIVE, Camera.objects.all())


def test_no_unit_merges_into_what_is_below_it(province: Province, entry: Entry) -> None:
    sub = create(Fresh(UnitKind.GROUP, "Xóm", "Trong"), province.group, Entry(entry.person, BEFORE))
    before = table()
    with pytest.raises(ValidationError, match="above the other"):
        merge([province.group, sub], sub, entry)
    with pytest.raises(ValidationError, match="above the other"):
        merge([province.group, province.other_group], Fresh(UnitKind.GROUP, "Thôn", "Mới"), entry, parent=sub)
    assert table() == before
    merge([sub], province.group, entry)
    assert below(province.group, THEN) == set()


def test_only_units_of_one_level_merge_and_at_least_two(province: Province, entry: Entry) -> None:
    with pytest.raises(ValidationError):
        merge([province.commune, province.group], province.commune, entry)
    with pytest.raises(ValidationError):
        merge([province.commune], Fresh(UnitKind.COMMUNE, "Xã", "Mới", "90010"), entry)


def test_a_unit_that_is_divided_needs_a_place_for_each_below(province: Province, entry: Entry) -> None:
    parts = [Fresh(UnitKind.COMMUNE, "Xã", name, code) for name, code in (("Khê Trên", "90011"), ("Khê Dưới", "90012"))]
    with pytest.raises(ValidationError, match="Thôn Thượng"):
        split(province.commune, parts, entry, children={province.group: 1})
    assert Unit.objects.filter(code="90011").count() == 0  # all or nothing
    upper, lower = split(province.commune, parts, entry, children={province.group: 1, province.other_group: 0})
    assert (below(upper, THEN), below(lower, THEN)) == ({province.other_group}, {province.group})
    assert all(not row.whole for row in province.commune.succeeded_by.all())
    assert not Unit.objects.on(THEN).filter(pk=province.commune.pk).exists()
    # Its matters are with the first part until they are handed over.
    assert province.commune in Unit.objects.below(upper.pk, THEN)


def test_a_part_is_taken_out_of_a_unit_that_goes_on(province: Province, entry: Entry) -> None:
    part = Fresh(UnitKind.COMMUNE, "Xã", "Khê Trên", "90011")
    (made,) = split(province.commune, [part], entry, goes_on=True, children={province.group: 0})
    assert below(made, THEN) == {province.group}
    assert below(province.commune, THEN) == {province.other_group}


def test_a_unit_with_others_below_ends_only_when_somebody_takes_them(province: Province, entry: Entry) -> None:
    with pytest.raises(ValidationError, match="2 units"):
        close(province.commune, entry)
    close(province.commune, entry, province.other_commune)
    assert below(province.other_commune, THEN) == {province.group, province.other_group}
    with pytest.raises(ValidationError, match="has an end"):
        close(province.commune, Entry(entry.person, THEN + DAY), province.other_commune)


def test_a_change_counts_with_what_others_changed_since_the_page_was_opened(province: Province, entry: Entry) -> None:
    opened_before = Unit.objects.get(pk=province.group.pk)
    close(province.group, entry, province.other_group)
    with pytest.raises(ValidationError, match="has an end"):
        merge([opened_before, province.other_group], province.other_group, Entry(entry.person, THEN + DAY))


def test_a_change_before_the_unit_began_is_refused(province: Province, entry: Entry) -> None:
    made = create(Fresh(UnitKind.GROUP, "Thôn", "Trại"), province.commune, entry)
    for day in (BEFORE, THEN):
        with pytest.raises(ValidationError, match="exists from"):
            close(made, Entry(entry.person, day))


def test_what_is_still_at_an_ended_unit_is_shown_until_it_is_handed_over(
    province: Province, entry: Entry, appoint: Appoint
) -> None:
    officer = appoint(Role.DUTY_OFFICER, unit=province.commune)
    close(province.commune, entry, province.other_commune)
    assert count_open(entry.person) == 1
    [(unit, matters)] = all_open(entry.person)
    assert unit == province.commune
    assert [one.user for one in matters.appointments] == [officer]
    assert [one.post for one in matters.jurisdictions] == [province.duty_room]
    assert [node.name for node in matters.nodes] == [province.node.name]
    hand_over(province.commune, province.other_commune, entry.person)
    left = open_matters(province.commune)
    assert (left.jurisdictions, left.nodes, len(left.appointments)) == ([], [], 1)
    province.node.refresh_from_db()
    assert province.node.unit == province.other_commune
    now = province.duty_room.jurisdictions.get(valid_to=None)
    assert (now.unit, now.valid_from) == (province.other_commune, today())


def test_sites_of_one_code_are_not_handed_over_into_each_other(province: Province, entry: Entry) -> None:
    site = province.secret.site
    site.unit, site.code = province.group, "S-1"
    site.save()
    other = province.neighbour.site
    other.code = "S-1"
    other.save()
    close(province.group, entry, province.other_group)
    with pytest.raises(ValidationError, match="S-1"):
        hand_over(province.group, province.other_group, entry.person)


@pytest.mark.parametrize("change", ["create", "rename", "move", "merge", "split", "close", "correct"])
def test_each_change_can_be_undone_the_same_day(province: Province, entry: Entry, change: str) -> None:
    extra = make_unit("90020", UnitKind.COMMUNE, "Xã", "Thứ Ba", province.province)
    before = table()
    fresh = Fresh(UnitKind.COMMUNE, "Xã", "Mới", "90021")
    match change:
        case "create":
            create(fresh, province.province, entry)
        case "rename":
            rename(province.commune, "Xã", "Khác", entry)
        case "move":
            move(province.group, province.other_commune, entry)
        case "merge":
            merge([province.commune, extra], fresh, entry)
        case "split":
            where = {province.group: 0, province.other_group: 1}
            split(province.commune, [fresh, Fresh(UnitKind.COMMUNE, "Xã", "Nữa", "90022")], entry, children=where)
        case "close":
            close(province.commune, entry, extra)
        case "correct":
            correct(province.commune, entry.person, name="Gia Khe", latitude=21.03)
    assert table() != before
    done = Change.objects.get()
    undo(done, entry.person)
    assert table() == before
    with pytest.raises(ValidationError, match="already"):
        undo(done, entry.person)


def test_a_change_is_not_undone_under_a_later_one_nor_on_another_day_nor_when_it_is_in_use(
    province: Province, entry: Entry, appoint: Appoint
) -> None:
    made = create(Fresh(UnitKind.GROUP, "Thôn", "Trại"), province.commune, entry)
    first = Change.objects.get()
    rename(made, "Thôn", "Trại Mới", Entry(entry.person, THEN + DAY))
    with pytest.raises(ValidationError, match="later change"):
        undo(first, entry.person)
    undo(Change.objects.exclude(pk=first.pk).get(), entry.person)
    appoint(Role.GROUP_HEAD, unit=made)
    with pytest.raises(ValidationError, match="in use"):
        undo(first, entry.person)
    Change.objects.filter(pk=first.pk).update(made_at=first.made_at - DAY)
    with pytest.raises(ValidationError, match="on the day"):
        undo(first, entry.person)


def test_only_who_may_edit_every_unit_concerned_changes_them(province: Province, appoint: Appoint) -> None:
    local = Entry(appoint(Role.ADMINISTRATOR, unit=province.commune), THEN)
    police = Entry(appoint(Role.POLICE_HEAD, unit=province.province), THEN)
    with pytest.raises(PermissionDenied):
        move(province.group, province.other_commune, local)
    with pytest.raises(PermissionDenied):
        merge([province.commune, province.other_commune], province.commune, local)
    with pytest.raises(PermissionDenied):
        create(Fresh(UnitKind.COMMUNE, "Xã", "Mới", "90010"), province.province, local)
    with pytest.raises(PermissionDenied):
        close(province.group, police)
    done = Change.objects
    create(Fresh(UnitKind.GROUP, "Thôn", "Trại"), province.commune, local)
    with pytest.raises(PermissionDenied):
        undo(done.get(), police.person)

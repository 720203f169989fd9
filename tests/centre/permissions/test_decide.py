"""Who may do what to which rows: every role, every action, inside and outside its unit, in force and not."""

import datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.cameras.models import Acceptance, Camera, Node
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import (
    limits_of,
    may,
    may_in,
    needs_second_factor,
    picture_limits,
    require,
    turning_rank,
    visible,
)
from xomyen.centre.permissions.roles import RULES, Role
from xomyen.terms.ids import new_id

DAY = datetime.timedelta(days=1)
# What each role may, written down a second time by hand: a change of the rules has to be made here too.
TABLE = {
    "group_head": "camera.see unit.see camera.live",
    "security_team": "camera.see unit.see camera.live camera.still",
    "duty_officer": "camera.see unit.see camera.live camera.past camera.search camera.still camera.bookmark node.see "
    "camera.clip camera.export camera.ptz user.see",
    "duty_commander": "camera.see unit.see camera.live camera.past camera.search camera.still camera.bookmark node.see "
    "camera.clip camera.export camera.ptz user.see screen.pair layout.edit",
    "investigator": "camera.see unit.see camera.live camera.past camera.search camera.still camera.bookmark node.see "
    "camera.clip camera.export camera.ptz user.see",
    "police_head": "camera.see unit.see camera.live camera.past camera.search camera.still camera.bookmark node.see "
    "camera.clip camera.export camera.ptz user.see screen.pair layout.edit camera.edit camera.discover post.edit "
    "scheme.edit user.edit regulation.edit",
    "committee_chair": "camera.see unit.see camera.live node.see user.see scheme.edit regulation.edit",
    "steering_member": "camera.see unit.see camera.live node.see",
    "command_centre": "camera.see unit.see camera.live camera.past camera.search camera.still camera.bookmark node.see "
    "camera.clip camera.export camera.ptz user.see screen.pair layout.edit",
    "technician": "camera.see unit.see camera.live camera.still camera.ptz camera.edit camera.accept camera.discover "
    "node.see node.edit",
    "auditor": "camera.see unit.see node.see user.see audit.read audit.export",
    "administrator": "camera.see unit.see camera.edit camera.discover node.see node.edit unit.edit post.edit "
    "scheme.edit user.see user.edit regulation.edit screen.pair audit.read",
    "screen": "camera.see unit.see camera.live",
}
# Within which limits pictures are seen, likewise: width, how far back, public cameras alone; all others without these.
LIMITS = {
    "group_head": (640, datetime.timedelta(0), True),
    "screen": (640, datetime.timedelta(0), True),
    "security_team": (1280, datetime.timedelta(0), False),
}
# Who takes a camera that turns from whom, likewise.
RANKS = {"duty_commander": 20, "police_head": 30, "command_centre": 40}


def holder(appoint: Appoint, role: Role, **where: Any) -> User | PairedScreen:
    """Somebody with the role, or the screen that has it, at a unit or post for a time."""
    if role != Role.SCREEN:
        return appoint(role, **where)
    now = timezone.now()
    return PairedScreen.objects.create(name="TV", code_expires=now, digest=new_id(), confirmed=now, **where)


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_each_role_may_what_the_table_says_in_its_unit_and_nothing_elsewhere(
    province: Province, appoint: Appoint, role: Role
) -> None:
    meant = set(TABLE[role.value].split())
    own = {province.commune, province.group, province.other_group}
    at_unit = holder(appoint, role, unit=province.commune)
    at_post = holder(appoint, role, post=province.duty_room)
    past = holder(appoint, role, unit=province.commune, valid_to=today())
    coming = holder(appoint, role, unit=province.commune, valid_from=today() + DAY)
    for person, allowed in ((at_unit, meant), (at_post, meant), (past, set()), (coming, set())):
        assert {action.value for action in Action if may(person, action, province.public)} == allowed
        assert {action.value for action in Action if may_in(person, action, province.group)} == allowed
        for action in Action:
            seen = own if action.value in allowed else set()
            assert set(visible(person, action, Unit.objects.all())) == seen, action
        # Outside, whatever the role and its time.
        assert not [action for action in Action if may(person, action, province.secret)]
        for unit in (province.other_commune, province.province):
            assert not [action for action in Action if may_in(person, action, unit)]


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_who_turns_a_camera_goes_before_whom_the_table_says(province: Province, appoint: Appoint, role: Role) -> None:
    turns = "camera.ptz" in TABLE[role.value].split()
    person = holder(appoint, role, unit=province.commune)
    assert turning_rank(person, province.public) == (RANKS.get(role.value, 10) if turns else 0)
    assert turning_rank(person, province.secret) == 0


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_each_role_sees_pictures_within_the_limits_of_the_table_and_masked(
    province: Province, appoint: Appoint, role: Role
) -> None:
    person = holder(appoint, role, unit=province.commune)
    width, past, public_only = LIMITS.get(role.value, (None, None, False))
    limits = limits_of(person, Action.VIEW_LIVE, [province.public, province.private, province.secret])
    watches = "camera.live" in TABLE[role.value].split()
    assert set(limits) == ({province.public} | (set() if public_only else {province.private}) if watches else set())
    assert {(one.greatest_width, one.past, one.masked) for one in limits.values()} <= {(width, past, True)}


def test_a_role_at_a_post_reaches_the_units_of_its_jurisdictions_while_they_last(
    province: Province, appoint: Appoint
) -> None:
    person = appoint(Role.DUTY_OFFICER, post=province.duty_room)
    assert set(visible(person, Action.VIEW_LIVE, Camera.objects.all())) == {
        province.public,
        province.private,
        province.neighbour,
    }
    province.duty_room.jurisdictions.update(valid_to=today())
    again = type(person).objects.get(pk=person.pk)
    assert not visible(again, Action.VIEW_LIVE, Camera.objects.all()).exists()
    province.duty_room.jurisdictions.update(valid_to=None)
    province.duty_room.valid_to = today()
    province.duty_room.save()
    again = type(person).objects.get(pk=person.pk)
    assert not visible(again, Action.VIEW_LIVE, Camera.objects.all()).exists()


def test_the_head_of_a_group_sees_its_accepted_public_cameras_alone(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    assert list(visible(person, Action.VIEW_LIVE, Camera.objects.all())) == [province.public]
    limits = picture_limits(person, Action.VIEW_LIVE, province.public)
    assert limits is not None
    assert (limits.greatest_width, limits.past, limits.masked) == (640, datetime.timedelta(0), True)
    for other in (province.private, province.neighbour, province.secret):
        assert picture_limits(person, Action.VIEW_LIVE, other) is None
        with pytest.raises(PermissionDenied):
            require(person, Action.VIEW_LIVE, other)
    province.public.acceptance = Acceptance.SUSPENDED
    province.public.save()
    assert not visible(person, Action.VIEW_LIVE, Camera.objects.all()).exists()


def test_two_roles_give_the_wider_limits_each_where_it_is_held(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    appoint(Role.SECURITY_TEAM, person, unit=province.commune)
    limits = picture_limits(person, Action.VIEW_LIVE, province.public)
    assert limits is not None
    assert (limits.greatest_width, limits.past, limits.public_only) == (1280, datetime.timedelta(0), False)
    assert picture_limits(person, Action.VIEW_PAST, province.public) is None
    appoint(Role.DUTY_OFFICER, person, post=province.duty_room)
    limits = picture_limits(person, Action.VIEW_LIVE, province.public)
    assert limits is not None
    assert (limits.greatest_width, limits.past) == (None, None)


def test_somebody_locked_out_holds_nothing(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.POLICE_HEAD, unit=province.commune)
    person.is_active = False
    assert not may(person, Action.CAMERA_SEE)
    assert not visible(person, Action.NODE_SEE, Node.objects.all()).exists()


def test_officers_need_a_second_factor_and_group_heads_do_not(province: Province, appoint: Appoint) -> None:
    for role in Role:
        if role == Role.SCREEN:
            continue
        person = appoint(role, unit=province.commune)
        assert needs_second_factor(person) is (role not in (Role.GROUP_HEAD, Role.SECURITY_TEAM))


def test_what_is_visible_is_asked_in_one_query(province: Province, appoint: Appoint, django_assert_num_queries) -> None:
    person = appoint(Role.COMMAND_CENTRE, unit=province.province)
    with django_assert_num_queries(2):  # the roles held, and the rows
        assert len(visible(person, Action.CAMERA_SEE, Camera.objects.all())) == 4


def test_every_role_has_its_rule_and_its_line_in_the_table() -> None:
    assert set(RULES) == set(Role)
    assert set(TABLE) == {role.value for role in Role}


def test_roles_at_ever_so_many_units_ask_no_more(
    province: Province, appoint: Appoint, django_assert_num_queries
) -> None:
    person = appoint(Role.TECHNICIAN, unit=province.province)
    for role in (Role.TECHNICIAN, Role.GROUP_HEAD, Role.POLICE_HEAD):
        for unit in (province.commune, province.group, province.other_group):
            appoint(role, person, unit=unit)
    cameras = [province.public, province.private, province.neighbour, province.secret]
    with django_assert_num_queries(4):  # the roles held; the rows; the lines of units above, twice
        assert visible(person, Action.CAMERA_SEE, Camera.objects.all()).count() == len(cameras)
        limits = limits_of(person, Action.VIEW_LIVE, cameras)
        assert may_in(person, Action.CAMERA_EDIT, province.other_group)
    assert set(limits) == set(cameras)


def test_a_role_held_twice_counts_where_either_is_held(province: Province, appoint: Appoint) -> None:
    person = appoint(Role.GROUP_HEAD, unit=province.group)
    appoint(Role.GROUP_HEAD, person, unit=province.other_group)
    assert set(visible(person, Action.CAMERA_SEE, Camera.objects.all())) == {province.public, province.neighbour}
    assert may(person, Action.CAMERA_SEE, province.neighbour)
    assert not may(person, Action.CAMERA_SEE, province.private)
    assert not may(person, Action.CAMERA_SEE, province.secret)

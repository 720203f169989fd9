"""Who may give which role where, and who may manage whose account: no way leads to more than one's own office."""

import datetime

import pytest
from tests.centre.conftest import Appoint, Province

from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Post, PostKind
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.giving import GIVES, may_end, may_give, may_manage, roles_given
from xomyen.centre.permissions.roles import RULES, Role

DAY = datetime.timedelta(days=1)
PEOPLE = [role for role in Role if role != Role.SCREEN]
# Written down a second time by hand: a change of the rules has to be made here too.
TABLE = {
    "police_head": "group_head security_team duty_officer duty_commander investigator police_head committee_chair "
    "steering_member",
    "administrator": "group_head security_team duty_officer duty_commander investigator police_head committee_chair "
    "steering_member command_centre technician auditor administrator",
}


@pytest.mark.parametrize("giver", PEOPLE, ids=str)
def test_each_role_gives_what_the_table_says_in_its_unit_and_nothing_elsewhere(
    province: Province, appoint: Appoint, giver: Role
) -> None:
    person = appoint(giver, unit=province.commune)
    past = appoint(giver, unit=province.commune, valid_to=today())
    meant = TABLE.get(giver.value, "").split()
    assert [role.value for role in PEOPLE if role in roles_given(person)] == meant
    for role in Role:
        given = role.value in meant
        for place in (province.commune, province.group, province.duty_room):
            assert may_give(person, role, place) is given
            assert not may_give(past, role, place)
        assert not may_give(person, role, province.province)
        assert not may_give(person, role, province.other_commune)


def test_who_gives_roles_may_edit_people_and_the_head_gives_none_with_more_than_their_own() -> None:
    for giver in GIVES:
        assert Action.USER_EDIT in RULES[giver].actions
    assert {role for role in RULES if Action.USER_EDIT in RULES[role].actions} == set(GIVES)
    for role in GIVES[Role.POLICE_HEAD]:
        assert RULES[role].actions <= RULES[Role.POLICE_HEAD].actions


def test_a_post_that_also_answers_for_a_foreign_unit_is_out_of_reach(province: Province, appoint: Appoint) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    shared = Post.objects.create(name="Trung tâm liên xã", kind=PostKind.COMMAND_CENTRE)
    assert not may_give(head, Role.DUTY_OFFICER, shared)  # answers for nothing yet
    shared.jurisdictions.create(unit=province.commune)
    assert may_give(head, Role.DUTY_OFFICER, shared)
    later = shared.jurisdictions.create(unit=province.other_commune, valid_from=today() + 30 * DAY)
    assert not may_give(head, Role.DUTY_OFFICER, shared)
    later.valid_from, later.valid_to = today() - 30 * DAY, today()
    later.save()
    assert may_give(head, Role.DUTY_OFFICER, shared)


def test_an_account_is_managed_by_who_may_give_all_of_its_roles(province: Province, appoint: Appoint) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    keeper = appoint(Role.ADMINISTRATOR, unit=province.commune)
    above = appoint(Role.ADMINISTRATOR, unit=province.province)
    officer = appoint(Role.DUTY_OFFICER, post=province.duty_room)
    auditor = appoint(Role.AUDITOR, unit=province.commune)
    stranger = appoint(Role.DUTY_OFFICER, unit=province.other_commune)
    managed = {
        (manager, other)
        for manager in (head, keeper, above, officer)
        for other in (head, keeper, above, officer, auditor, stranger)
        if may_manage(manager, other)
    }
    assert managed == {
        (head, officer),
        (keeper, head),
        (keeper, officer),
        (keeper, auditor),
        (above, head),
        (above, keeper),
        (above, officer),
        (above, auditor),
        (above, stranger),
    }


def test_a_small_role_below_does_not_put_a_mighty_account_into_the_hands_of_the_unit(
    province: Province, appoint: Appoint
) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    mighty = appoint(Role.ADMINISTRATOR, unit=province.province)
    small = mighty.appointments.create(role=Role.GROUP_HEAD, unit=province.group)
    assert not may_manage(head, mighty)
    assert may_end(head, small)
    coming = appoint(Role.GROUP_HEAD, unit=province.group)
    appoint(Role.COMMAND_CENTRE, coming, unit=province.province, valid_from=today() + DAY)
    assert not may_manage(head, coming)


def test_whose_roles_have_all_ended_is_managed_by_who_could_give_the_last(province: Province, appoint: Appoint) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    former = appoint(Role.DUTY_OFFICER, unit=province.commune, valid_to=today())
    assert may_manage(head, former)
    appoint(Role.DUTY_OFFICER, former, unit=province.other_commune, valid_from=today() - DAY, valid_to=today() + DAY)
    former.appointments.filter(unit=province.other_commune).update(valid_to=today())
    former.appointments.filter(unit=province.commune).update(valid_to=today() - DAY)
    assert not may_manage(head, former)
    assert not may_manage(head, appoint())


def test_nobody_ends_a_role_of_their_own(province: Province, appoint: Appoint) -> None:
    head = appoint(Role.POLICE_HEAD, unit=province.commune)
    assert not may_end(head, head.appointments.get())
    deputy = appoint(Role.POLICE_HEAD, unit=province.commune)
    assert may_end(head, deputy.appointments.get())

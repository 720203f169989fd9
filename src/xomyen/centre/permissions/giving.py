"""Who may give which role where: nobody makes anybody more than their own office can.

Two things have to hold. The role stands in the giver's line of `GIVES`, and the place lies where the giver holds
that office: a unit at or under theirs, or a post that answers for nothing else. Nobody gives a role to themselves.
"""

from typing import Any

from django.db.models import Q

from xomyen.centre.dates import today
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import held_by, roots
from xomyen.centre.permissions.roles import RULES, Role

GIVES: dict[Any, frozenset[Any]] = {
    # No role with more actions than their own: neither technicians, auditors nor administrators.
    Role.POLICE_HEAD: frozenset(
        {
            Role.GROUP_HEAD,
            Role.SECURITY_TEAM,
            Role.DUTY_OFFICER,
            Role.DUTY_COMMANDER,
            Role.INVESTIGATOR,
            Role.POLICE_HEAD,
            Role.COMMITTEE_CHAIR,
            Role.STEERING_MEMBER,
        }
    ),
    # Keeps the register of people: every role, and so that it is not a way to pictures, never their own.
    Role.ADMINISTRATOR: frozenset(role for role in RULES if role != Role.SCREEN),
}


def roles_given(person: Any) -> list[Any]:
    """The roles the person may give somewhere, in the order of the table."""
    mine = {role for held in held_by(person) for role in GIVES.get(held.role, ())}
    return [role for role in RULES if role in mine]


def may_give(person: Any, role: Any, place: Any) -> bool:
    """Whether the person may appoint somebody else to the role at the place, a unit or a post."""
    offices = {unit for held in held_by(person) if role in GIVES.get(held.role, ()) for unit in held.units}
    return bool(offices) and _reaches(below_sql(sorted(offices), today()), place)


def _reaches(reach: Any, place: Any) -> bool:
    """Whether the units contain the place: the unit, or all that the post answers for, now or later."""
    from xomyen.centre.organisation.models import Post, Unit

    if not isinstance(place, Post):
        return Unit.objects.filter(pk=place.pk, id__in=reach).exists()
    answers_for = place.jurisdictions.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today()))
    return answers_for.exists() and not answers_for.exclude(unit__in=reach).exists()


def may_manage(person: Any, other: Any) -> bool:
    """Whether the person may lock the other, sign them out, give them a way in: whoever does so could act as them.

    So every role that the other holds or will hold has to be one that the person may give. Of somebody who holds
    none any more it is the role held last.
    """
    if person.pk == other.pk:
        return False
    appointments = other.appointments.select_related("unit", "post")
    held = list(appointments.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=today())))
    if not held:
        held = list(appointments.order_by("-valid_to")[:1])
    return bool(held) and all(may_give(person, Role(one.role), one.unit or one.post) for one in held)


def may_end(person: Any, appointment: Any) -> bool:
    """Whether the person may end this appointment of somebody else."""
    place = appointment.unit or appointment.post
    return person.pk != appointment.user_id and may_give(person, Role(appointment.role), place)


def may_pair(person: Any, place: Any) -> bool:
    """Whether the person may pair a screen at the place; a post may answer for no unit out of the person's reach."""
    return _reaches(below_sql(roots(person, Action.SCREEN_PAIR), today()), place)

"""The register of people: who is seen by whom, inviting, appointing, ending."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.accounts.services import invitation_link
from xomyen.centre.dates import in_force, today
from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import Jurisdiction, Post, Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units, roots
from xomyen.centre.permissions.giving import may_end, may_give

STATES = ("active", "invited", "locked", "former")


def _at(units: Any) -> Q:
    """Appointments at these units, or at posts that answer for one of them."""
    posts = Jurisdiction.objects.filter(in_force(today()), unit__in=units).values("post")
    return Q(unit__in=units) | Q(post__in=posts)


def seen_appointments(person: Any) -> QuerySet[Appointment]:
    """Appointments, past ones too, in the units where the person may see people."""
    return Appointment.objects.filter(_at(allowed_units(person, Action.USER_SEE)))


def seen_people(person: Any) -> QuerySet[User]:
    """The people whose appointments the person may see."""
    if not roots(person, Action.USER_SEE):
        return User.objects.none()
    return User.objects.filter(pk__in=seen_appointments(person).values("user"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of people is narrowed to."""

    text: str = ""
    place: str = ""
    role: str = ""
    state: str = ""


def listed(person: Any, wanted: Wanted) -> QuerySet[User]:
    """The people the person may see and looks for, each with `held`: the appointments in force that may be seen."""
    people = seen_people(person)
    # Of roles elsewhere not even whether there are any.
    held_now = seen_appointments(person).filter(in_force(today()), user=OuterRef("pk"))
    if wanted.text:
        people = people.filter(Q(folded__contains=fold(wanted.text)) | Q(phone__contains=wanted.text))
    if wanted.place:
        found = Unit.objects.on(today()).search(wanted.place).values_list("id", flat=True)
        posts = Post.objects.filter(name__icontains=wanted.place)
        # All under a found unit is meant too; so many as a name of places has.
        below = Unit.objects.below(list(found[:200])).values("id")
        people = people.filter(Exists(held_now.filter(_at(below) | Q(post__in=posts))))
    if wanted.role:
        people = people.filter(Exists(held_now.filter(role=wanted.role)))
    if wanted.state == "locked":
        people = people.filter(is_active=False)
    elif wanted.state == "invited":
        people = people.filter(is_active=True, last_login__isnull=True)
    elif wanted.state == "former":
        people = people.filter(~Exists(held_now), is_active=True)
    elif wanted.state == "active":
        people = people.filter(Exists(held_now), is_active=True, last_login__isnull=False)
    shown = seen_appointments(person).filter(in_force(today())).select_related("unit", "post")
    return people.prefetch_related(Prefetch("appointments", shown, to_attr="held")).order_by("full_name", "username")


def places(person: Any, text: str, at_most: int = 12) -> tuple[list[Unit], list[Post]]:
    """Units and posts where the person may appoint, by name or code; without a text the topmost."""
    mine = allowed_units(person, Action.USER_EDIT)
    units = Unit.objects.on(today()).filter(id__in=mine)
    posts = Post.objects.filter(
        in_force(today()), Exists(Jurisdiction.objects.filter(in_force(today()), post=OuterRef("pk"), unit__in=mine))
    )
    if text:
        units = units.search(text)
        posts = posts.filter(name__icontains=text)
    return list(units.order_by("kind", "code")[:at_most]), list(posts.order_by("name")[:at_most])


def appoint(
    by: User,
    person: User,
    role: Any,
    place: Unit | Post,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
) -> Appointment:
    """Gives the role from a day until before another. Raises PermissionDenied."""
    if by.pk == person.pk or not may_give(by, role, place):
        raise PermissionDenied(f"{role} at {place}")
    where = {"post": place} if isinstance(place, Post) else {"unit": place}
    return Appointment.objects.create(
        user=person, role=role, valid_from=valid_from, valid_to=valid_to, made_by=by, **where
    )


def end(by: User, appointment: Appointment) -> None:
    """The role ends today, at once; one that had not begun before today never was. Raises PermissionDenied."""
    if not may_end(by, appointment):
        raise PermissionDenied(str(appointment))
    if appointment.valid_from is not None and appointment.valid_from >= today():
        appointment.delete()
        return
    appointment.valid_to = today()
    appointment.save(update_fields=["valid_to"])


def invite(
    by: User,
    person: User,
    role: Any,
    place: Unit | Post,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
) -> str:
    """Makes the person (not saved yet) with a role, and the link for them to choose a password; its path."""
    with transaction.atomic():
        person.set_unusable_password()
        person.save()
        appoint(by, person, role, place, valid_from, valid_to)
        return invitation_link(person, by)

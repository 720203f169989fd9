"""People and the roles they hold."""

import datetime
import uuid
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from xomyen.centre.accounts import people
from xomyen.centre.accounts.forms import PersonForm
from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.rows import filled, listed, told
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.values import Closed, Sought
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Post, Unit
from xomyen.centre.organisation.seeing import seen_among
from xomyen.centre.organisation.services.registers import posts_seen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.permissions.roles import Role

router = Router(auth=bearer(Scope.PEOPLE_READ), tags=["people"])


class AppointmentOut(Schema):
    id: uuid.UUID
    person: uuid.UUID
    role: str
    unit: uuid.UUID | None
    post: uuid.UUID | None
    valid_from: datetime.date | None
    valid_to: datetime.date | None  # the first day on which it does not hold any more


class AppointmentPage(Schema):
    items: list[AppointmentOut]
    next: str | None


class PersonOut(Schema):
    id: uuid.UUID
    username: str
    full_name: str
    rank: str
    active: bool
    appointments: list[AppointmentOut]  # in force, in one's own units


class PersonPage(Schema):
    items: list[PersonOut]
    next: str | None


class PersonFilter(Paged):
    q: Sought = ""
    place: Sought = ""  # name or code of a unit, name of a post
    role: Role | None = None
    state: Literal["active", "invited", "locked", "former"] | None = None


class Appointing(Schema):
    """A role at a unit or at a post, from a day until before another."""

    model_config = ConfigDict(extra="forbid")
    person: uuid.UUID
    role: Role
    unit: uuid.UUID | None = None
    post: uuid.UUID | None = None
    valid_from: datetime.date | None = None  # today
    valid_to: datetime.date | None = None


class Inviting(Closed):
    """Somebody new, with a first role at a unit or at a post."""

    full_name: Annotated[str, Field(max_length=150)]
    username: Annotated[str, Field(max_length=150)]
    rank: Annotated[str, Field(max_length=80)] = ""
    phone: Annotated[str, Field(max_length=30)] = ""
    role: Role
    unit: uuid.UUID | None = None
    post: uuid.UUID | None = None
    valid_from: datetime.date | None = None  # today
    valid_to: datetime.date | None = None


class InvitedOut(Schema):
    """Give the link to the person alone: whoever has it chooses the password. It counts once and is not told again."""

    id: uuid.UUID
    link: str


@router.get("/people", response=PersonPage)
def list_people(request: HttpRequest, wanted: Query[PersonFilter]) -> Any:
    """The people of one's units. Scope `people:read`."""
    require(request.user, Action.USER_SEE)
    asked = people.Wanted(text=wanted.q, place=wanted.place, role=wanted.role or "", state=wanted.state or "")
    return listed(people.listed(request.user, asked), wanted, _person)


@router.get("/people/{person}", response=PersonOut)
def get_person(request: HttpRequest, person: uuid.UUID) -> Any:
    """One person. Scope `people:read`."""
    require(request.user, Action.USER_SEE)
    found = people.listed(request.user, people.Wanted()).filter(pk=person).first()
    if found is None:
        raise Http404
    return _person(found)


@router.get("/people/{person}/appointments", response=AppointmentPage)
def list_appointments(request: HttpRequest, person: uuid.UUID, wanted: Query[Paged]) -> Any:
    """The roles of a person in one's own units: those in force, ended ones and those to come. Scope `people:read`."""
    require(request.user, Action.USER_SEE)
    found = get_object_or_404(people.seen_people(request.user), pk=person)
    return listed(people.seen_appointments(request.user).filter(user=found), wanted, appointment_shown)


@router.post("/people", response={201: InvitedOut}, auth=bearer(Scope.PEOPLE_WRITE))
def invite_person(request: HttpRequest, body: Inviting) -> Any:
    """Enters somebody with a first role, and makes the link with which they choose a password. Scope `people:write`."""
    require(request.user, Action.USER_EDIT)
    start = _start(body)
    place = _place(request.user, body)
    form = filled(PersonForm(body.model_dump(include={"full_name", "username", "rank", "phone"})))
    made = form.save(commit=False)
    path = people.invite(request.user, made, body.role, place, start, body.valid_to)
    return Status(201, {"id": made.pk, "link": request.build_absolute_uri(path)})


@router.post("/appointments", response={201: AppointmentOut}, auth=bearer(Scope.PEOPLE_WRITE))
def add_appointment(request: HttpRequest, body: Appointing) -> Any:
    """Gives somebody a role. Scope `people:write`."""
    require(request.user, Action.USER_EDIT)
    start = _start(body)
    person = get_object_or_404(people.seen_people(request.user), pk=body.person)
    place = _place(request.user, body)
    made = people.appoint(request.user, person, body.role, place, start, body.valid_to)
    return Status(201, appointment_shown(made))


@router.post("/appointments/{appointment}/end", response={204: None}, auth=bearer(Scope.PEOPLE_WRITE))
def end_appointment(request: HttpRequest, appointment: uuid.UUID) -> Any:
    """Ends a role today. Scope `people:write`."""
    require(request.user, Action.USER_EDIT)
    people.end(request.user, get_object_or_404(people.seen_appointments(request.user), pk=appointment))
    return Status(204, None)


def _start(body: Appointing | Inviting) -> datetime.date:
    """The first day. Raises a Problem when the role would be nowhere, or never."""
    if (body.unit is None) == (body.post is None):
        raise Problem(422, "unit_or_post")
    start = body.valid_from or today()
    if body.valid_to is not None and body.valid_to <= start:
        raise Problem(422, "period_is_empty")
    return start


def _place(person: Any, body: Appointing | Inviting) -> Unit | Post:
    """The unit or post, when the person can see it at all; whether they may appoint there is asked later."""
    found: Unit | Post | None
    if body.unit is not None:
        found = Unit.objects.on(today()).filter(pk__in=seen_among(person, [body.unit])).first()
    else:
        found = posts_seen(person).filter(pk=body.post).first()
    if found is None:
        raise Http404
    return found


def _person(found: User) -> dict[str, Any]:
    roles = [appointment_shown(one) for one in found.held]
    return told(found, "username", "full_name", "rank", active=found.is_active, appointments=roles)


def appointment_shown(held: Appointment) -> dict[str, Any]:
    """A role of somebody."""
    role = str(held.role)
    return told(held, "valid_from", "valid_to", person=held.user_id, role=role, unit=held.unit_id, post=held.post_id)

"""Whom a token speaks for."""

import datetime
import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.api.bearer import ANY
from xomyen.centre.api.endpoints.people import AppointmentOut, AppointmentPage, appointment_shown
from xomyen.centre.api.paging import Paged
from xomyen.centre.api.rows import listed, told
from xomyen.centre.dates import in_force, today

router = Router(auth=ANY, tags=["people"])


class MeOut(Schema):
    """Whom the token speaks for, and what it may be used for."""

    id: uuid.UUID
    username: str
    full_name: str
    language: str
    roles: list[AppointmentOut]  # in force; the first 50 of them
    next_roles: str | None  # the `cursor` with which `me/roles` goes on
    scopes: list[str]
    token_expires: datetime.datetime


@router.get("/me", response=MeOut)
def get_me(request: HttpRequest) -> Any:
    """Oneself, and what the token may be used for. Any scope."""
    roles = listed(_held(request.user), Paged(), appointment_shown)
    return told(
        request.user,
        *("username", "full_name", "language"),
        roles=roles["items"],
        next_roles=roles["next"],
        scopes=request.auth.scopes,
        token_expires=request.auth.expires,
    )


@router.get("/me/roles", response=AppointmentPage)
def list_my_roles(request: HttpRequest, wanted: Query[Paged]) -> Any:
    """One's own roles that are in force. Any scope."""
    return listed(_held(request.user), wanted, appointment_shown)


def _held(person: User) -> QuerySet[Appointment]:
    return person.appointments.filter(in_force(today()))

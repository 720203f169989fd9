"""What may be done to the accounts of others. What would let somebody act as them stays on the pages."""

import datetime
import uuid
from typing import Any

from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from xomyen.centre.accounts import people, services
from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.api.bearer import bearer
from xomyen.centre.api.endpoints.people import InvitedOut
from xomyen.centre.api.problems import Problem
from xomyen.centre.api.scopes import Scope
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.permissions.giving import may_manage
from xomyen.centre.watch.ending import still_open, subject_of

router = Router(auth=bearer(Scope.PEOPLE_MANAGE), tags=["people"])


class OpenOut(Schema):
    """A recorder that does not know yet that access has ended."""

    recorder: str  # empty: one that is not in one's units
    since: datetime.datetime
    until: datetime.datetime  # when the last ticket runs out by itself


class AccessOut(Schema):
    """By what a person is in, and where."""

    active: bool
    signed_in_before: bool
    second_factor: bool
    sessions: int
    tokens: int
    still_open: list[OpenOut]


@router.get("/people/{person}/access", response=AccessOut)
def get_access(request: HttpRequest, person: uuid.UUID) -> Any:
    """How somebody gets in, for those who may manage the account. Scope `people:manage`."""
    found = _managed(request, person)
    return {
        "active": found.is_active,
        "signed_in_before": found.last_login is not None,
        "second_factor": services.has_second_factor(found),
        "sessions": UserSession.objects.filter(user=found).count(),
        "tokens": found.access_tokens.usable().count(),
        "still_open": open_shown(request.user, found),
    }


@router.post("/people/{person}/lock", response={204: None})
def lock_person(request: HttpRequest, person: uuid.UUID) -> Any:
    """Locks an account: it is signed out everywhere and gets in no more. Scope `people:manage`."""
    services.lock(_managed(request, person))
    return Status(204, None)


@router.post("/people/{person}/unlock", response={204: None})
def unlock_person(request: HttpRequest, person: uuid.UUID) -> Any:
    """Lets somebody get in again; no session, link or token of before counts. Scope `people:manage`."""
    services.unlock(_managed(request, person))
    return Status(204, None)


@router.post("/people/{person}/sign-out", response={204: None})
def sign_out_person(request: HttpRequest, person: uuid.UUID) -> Any:
    """Ends every session, link and token of a person. Scope `people:manage`."""
    services.sign_out_everywhere(_managed(request, person))
    return Status(204, None)


@router.post("/people/{person}/invitation", response={201: InvitedOut}, auth=bearer(Scope.PEOPLE_WRITE))
def invite_again(request: HttpRequest, person: uuid.UUID) -> Any:
    """Another link for somebody who was invited and has never signed in; the one before ends. Scope `people:write`.

    For an account that is in use there is a link on the page of the person alone.
    """
    found = _managed(request, person)
    if found.last_login is not None or found.has_usable_password() or not found.is_active:
        raise Problem(409, "account_in_use", _("This account is in use. Make a new link on the person's page."))
    services.sign_out_everywhere(found)
    path = services.invitation_link(found, request.user)
    return Status(201, {"id": found.pk, "link": request.build_absolute_uri(path)})


def open_shown(person: Any, whose: User | PairedScreen) -> list[dict[str, Any]]:
    """Where the access of somebody, or of a screen, has ended and the recorder does not know it yet."""
    found = still_open(person, subject_of(whose))
    return [{"recorder": one.name, "since": one.since, "until": one.until} for one in found]


def _managed(request: HttpRequest, key: uuid.UUID) -> User:
    """The person, for those who could give all of their roles: 404 out of sight, 403 for others."""
    require(request.user, Action.USER_SEE)
    found: User = get_object_or_404(people.seen_people(request.user), pk=key)
    if not may_manage(request.user, found):
        raise PermissionDenied(str(Action.USER_EDIT))
    return found

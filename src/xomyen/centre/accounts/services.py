"""Ways in, and ways out: links that let in once, sessions, locking."""

import datetime
import hashlib
import secrets
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from xomyen.centre.accounts.models import EntryLink, LinkPurpose, User
from xomyen.centre.audit.services import record

SIGN_IN_LASTS = datetime.timedelta(minutes=15)
INVITATION_LASTS = datetime.timedelta(days=3)
SET_UP_LASTS = datetime.timedelta(hours=24)

STRONG = "second_factor"
"""The session's key that says by what it counts as more than a password."""
OWNER_LINK = "owner_link"
AFTERWARDS = "afterwards"
"""The session's key for where to go once nothing is missing any more."""

access_ended = Signal()
"""All that the person (`user`) is in by has ended; sent in the transaction of that."""


def digest(secret: str) -> str:
    """What is kept of a code or device secret; both are long and random, so that one round is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _link(purpose: Any, lasts: datetime.timedelta, user: User | None, made_by: User | None) -> str:
    code = secrets.token_urlsafe(32)
    now = timezone.now()
    with transaction.atomic():
        # Of each kind a person has one: a new one ends those before.
        EntryLink.objects.filter(user=user, purpose=purpose, used__isnull=True, expires__gt=now).update(expires=now)
        EntryLink.objects.create(
            purpose=purpose, user=user, digest=digest(code), created=now, expires=now + lasts, made_by=made_by
        )
        # Without a person: whoever owns the machine, at its command line.
        record(f"invitation.{purpose}", made_by, thing=user, details={"hours": round(lasts.total_seconds() / 3600, 2)})
    # Behind the #: browsers send it to nobody and servers log it nowhere.
    return f"{reverse('accounts:link')}#{code}"


def one_time_link(user: User, lasts: datetime.timedelta = SIGN_IN_LASTS) -> str:
    """The path of a link that signs the person in once; for the owner of the machine to give."""
    return _link(LinkPurpose.SIGN_IN, lasts, user, None)


def invitation_link(user: User, made_by: User) -> str:
    """The path of a link with which the person chooses a password; earlier ones stop working."""
    return _link(LinkPurpose.INVITATION, INVITATION_LASTS, user, made_by)


def set_up_link() -> str:
    """The path of the link that sets up a centre without people; earlier ones stop working."""
    return _link(LinkPurpose.SET_UP, SET_UP_LASTS, None, None)


def nobody_yet() -> bool:
    """Whether the centre has to be set up first."""
    return not User.objects.exists()


def valid_link(code: str) -> EntryLink | None:
    """The link of this code if it can still be used."""
    found = EntryLink.objects.select_related("user").filter(
        digest=digest(code), used__isnull=True, expires__gt=timezone.now()
    )
    link = found.first()
    return None if link is None or (link.user is not None and not link.user.is_active) else link


def use(link: EntryLink) -> bool:
    """Uses the link up; False if somebody was faster or it has run out."""
    now = timezone.now()
    return bool(EntryLink.objects.filter(pk=link.pk, used__isnull=True, expires__gt=now).update(used=now))


def enter(request: HttpRequest, user: User, how: str) -> None:
    """Begins the person's session: `how` is `link`, `password`; the owner's links count as a second factor."""
    request.entered_by = how  # read where it is recorded
    get_adapter().login(request, user)
    record_authentication(request, user, method=how)
    if how == OWNER_LINK:
        request.session[STRONG] = OWNER_LINK
        record("account.entered_by_link", user, thing=user, request=request)
    UserSession.objects.create_from_request(request)


def sign_out_everywhere(user: User) -> None:
    """Ends every session, link and access token of the person at once, wherever it is."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
        for session in UserSession.objects.filter(user=user):
            session.end()
        now = timezone.now()
        EntryLink.objects.filter(user=user, used__isnull=True, expires__gt=now).update(expires=now)
        access_ended.send(User, user=user)
        record("session.ended_everywhere", thing=user)
    user.refresh_from_db(fields=["session_round"])


def lock(user: User) -> None:
    """The person can sign in no more, and every session ends."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    sign_out_everywhere(user)


def unlock(user: User) -> None:
    """The person can sign in again; nothing from before counts."""
    with transaction.atomic():
        access_ended.send(User, user=user)
        user.is_active = True
        user.save(update_fields=["is_active"])


def forget_second_factor(user: User) -> None:
    """After a lost telephone: apps, passkeys and recovery codes count no more, and every session ends."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        record("account.second_factor_forgotten", thing=user)
        sign_out_everywhere(user)


def has_second_factor(user: Any) -> bool:
    """Whether the person set up an app or a passkey (recovery codes alone are none)."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return Authenticator.objects.filter(user_id=user.pk, type__in=kinds).exists()

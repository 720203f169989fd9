"""Making, finding and revoking access tokens."""

import datetime
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from xomyen.centre.accounts.models import User
from xomyen.centre.api.models import AccessToken
from xomyen.centre.api.scopes import Scope
from xomyen.centre.audit.services import record

_PREFIX = "xyc_"  # so that scanners of leaked secrets know one
_SHOWN = 8
LONGEST = datetime.timedelta(days=366)
MOST = 20  # usable ones of a person
_USED_EVERY = datetime.timedelta(minutes=5)


class TooManyTokens(Exception):
    """The person has as many usable tokens as one may have."""


def make_token(
    user: User, name: str, scopes: Iterable[Any], lasts: datetime.timedelta, *, strong: bool = False
) -> tuple[AccessToken, str]:
    """A token and its secret, which nobody can be told again. Raises TooManyTokens.

    `strong`: a second factor was shown for it; without, it counts for nobody whose role asks for one.
    """
    if AccessToken.objects.usable().filter(user=user).count() >= MOST:
        raise TooManyTokens
    secret = _PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        made = AccessToken.objects.create(
            user=user,
            name=name,
            digest=_digest(secret),
            beginning=secret[:_SHOWN],
            scopes=sorted(str(Scope(scope)) for scope in scopes),
            strong=strong,
            expires=timezone.now() + min(lasts, LONGEST),
        )
        record("token.made", user, thing=made, details={"scopes": made.scopes, "expires": made.expires})
    return made, secret


def find_token(secret: str) -> AccessToken | None:
    """The usable token with this secret."""
    if not secret.startswith(_PREFIX) or len(secret) > 100:
        return None
    found = AccessToken.objects.usable().select_related("user").filter(digest=_digest(secret)).first()
    if found is not None and (found.last_used is None or timezone.now() - found.last_used > _USED_EVERY):
        AccessToken.objects.filter(pk=found.pk).update(last_used=timezone.now())
    return found


def revoke_token(token: AccessToken) -> None:
    """Ends a token at once."""
    if token.revoked is None:
        with transaction.atomic():
            token.revoked = timezone.now()
            token.save(update_fields=["revoked"])
            record("token.revoked", thing=token)


def revoke_tokens_of(user: User) -> None:
    """Ends all tokens of the person, those of a locked one too."""
    for token in AccessToken.objects.filter(user=user, revoked__isnull=True, expires__gt=timezone.now()):
        revoke_token(token)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

"""What follows when somebody proves or changes their second factor."""

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_used
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from xomyen.centre.accounts import tries
from xomyen.centre.accounts.entry import BEGAN
from xomyen.centre.accounts.services import STRONG
from xomyen.centre.accounts.sessions import rename_session


@receiver(user_logged_in)
def session_began(request: HttpRequest, **_rest: Any) -> None:
    """A session lasts its time from here on, whatever the browser held before."""
    request.session[BEGAN] = int(time.time())
    request.session.pop("seen", None)


@receiver(authenticator_added)
def proved_by_setting_up(request: HttpRequest, authenticator: Authenticator, **_rest: Any) -> None:
    """Who set up an app or a passkey has shown it works: the session counts, others have to show it too."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        request.session[STRONG] = authenticator.type
        rename_session(request)


@receiver(authenticator_used)
def factor_was_shown(request: HttpRequest, reauthenticated: bool = False, **_rest: Any) -> None:
    """A right code is no wrong try (see `entry.py`); a session in which one was shown again has another name."""
    if reauthenticated:
        rename_session(request)
    begun = getattr(request, "code_tried", None)
    if begun is not None:
        tries.was_right(begun)

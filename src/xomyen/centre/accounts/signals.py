"""What follows when somebody proves or changes their second factor."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest

from xomyen.centre.accounts.services import STRONG


@receiver(authenticator_added)
def proved_by_setting_up(request: HttpRequest, authenticator: Authenticator, **_rest: Any) -> None:
    """Who set up an app or a passkey has shown it works: the session counts, others have to show it too."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        request.session[STRONG] = authenticator.type

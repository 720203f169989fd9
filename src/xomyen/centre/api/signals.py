"""What ends the tokens of somebody: whatever ends their sessions."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.dispatch import receiver

from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.services import access_ended
from xomyen.centre.api.tokens import revoke_tokens_of


@receiver((access_ended, password_changed, password_set, password_reset))
def end_tokens(user: User, **_rest: Any) -> None:
    """Whoever held a token may be the reason."""
    revoke_tokens_of(user)

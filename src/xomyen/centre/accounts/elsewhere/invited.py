"""An invitation taken up by signing in elsewhere, in place of choosing a password."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render

from xomyen.centre.accounts.models import EntryLink, User
from xomyen.centre.accounts.services import access_ended, use

INVITED = "invitation"
"""The key of the invitation, in the session while it is taken up and in the state of the sign-in elsewhere."""


def accept_invitation(request: HttpRequest, sociallogin: Any, key: str) -> None:
    """Connects the account of elsewhere with the invited person, who then has no password.

    Raises ImmediateHttpResponse when the invitation was used or has run out, or the account is somebody else's.
    """
    link = EntryLink.objects.select_related("user").filter(pk=key).first()
    if link is None or link.user is None or not link.user.is_active:
        raise ImmediateHttpResponse(render(request, "accounts/link.html", {"failed": True}, status=410))
    if sociallogin.is_existing and sociallogin.user.pk != link.user.pk:
        raise ImmediateHttpResponse(render(request, "socialaccount/of_another.html", status=409))
    with transaction.atomic():
        if not use(link):
            raise ImmediateHttpResponse(render(request, "accounts/link.html", {"failed": True}, status=410))
        # Who asked for a new way in may have lost the old one: a password from before counts no more.
        link.user.set_unusable_password()
        link.user.save(update_fields=["password"])
        access_ended.send(User, user=link.user)
        if not sociallogin.is_existing:
            sociallogin.connect(request, link.user)
        sociallogin.user = link.user  # as it is now: sessions rest on the password, also on having none
    request.session.pop(INVITED, None)

"""Sessions that go on under another name, and the pages that see to it."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.views import ReauthenticateView
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from xomyen.centre.audit.services import record
from xomyen.centre.watch.ending import end, subject_of


def rename_session(request: HttpRequest) -> None:
    """The session goes on under a new name; who had learnt the one before has nothing any more."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


class PasswordAgainView(ReauthenticateView):
    """Asks for the password within a session; allauth tells nobody that it was right, as it does of second factors."""

    def form_valid(self, form: Any) -> HttpResponse:
        rename_session(self.request)
        return super().form_valid(form)


@method_decorator(reauthentication_required(allow_get=True, app="allauth.usersessions"), name="dispatch")
class SessionsView(ListUserSessionsView):
    """Where one is signed in; ending the others wants the password or second factor, unless shown just now."""

    def form_valid(self, form: Any) -> HttpResponse:
        """What was got there to watch with ends too, such as on a phone that was lost; pages here get theirs anew."""
        user = self.request.user
        with transaction.atomic():
            answer = super().form_valid(form)
            end(subject_of(user))
            record("session.ended_everywhere", user, thing=user, request=self.request)
        return answer

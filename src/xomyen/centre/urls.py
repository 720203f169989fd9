"""Addresses of the centre."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from xomyen.centre.accounts.sessions import PasswordAgainView, SessionsView
from xomyen.centre.home import home, well

urlpatterns = [
    path("", home, name="home"),
    path("well/", well, name="well"),
    path("account/reauthenticate/", PasswordAgainView.as_view(), name="account_reauthenticate"),
    path("account/sessions/", SessionsView.as_view(), name="usersessions_list"),
    path("account/", include("allauth.urls")),
    # Who has yet to sign in chooses a language too.
    path("language/setlang/", login_not_required(set_language), name="set_language"),
    path("", include("xomyen.centre.organisation.urls")),
    path("", include("xomyen.centre.accounts.urls")),
    path("", include("xomyen.centre.cameras.urls")),
    path("", include("xomyen.centre.watch.urls")),
    path("", include("xomyen.centre.audit.urls")),
    path("", include("xomyen.centre.api.urls")),
]

handler400 = "xomyen.centre.operation.problems.bad_request"
handler403 = "xomyen.centre.operation.problems.forbidden"
handler404 = "xomyen.centre.operation.problems.not_found"
handler429 = "xomyen.centre.operation.problems.too_often"
handler500 = "xomyen.centre.operation.problems.failed"

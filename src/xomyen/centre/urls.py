"""Addresses of the centre."""

from django.urls import include, path

from xomyen.centre.home import home

urlpatterns = [
    path("", home, name="home"),
    path("account/", include("allauth.urls")),
    path("language/", include("django.conf.urls.i18n")),
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
handler500 = "xomyen.centre.operation.problems.failed"

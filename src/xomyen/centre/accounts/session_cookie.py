"""The session's cookie, where several requests of one browser are under way at once."""

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers


class SteadySessionMiddleware(SessionMiddleware):
    """Django's, but a request that names a session which is gone does not have the browser forget the name.

    A session goes on under another name once a factor was shown. What was asked under the one before and is answered
    afterwards would delete the cookie with the new name. One that names no session lets nobody in.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        session = request.session
        # Who ended it in this very request has modified it.
        was_gone = not session.modified and session.is_empty()
        if not was_gone or request.path == reverse("account_logout"):
            return super().process_response(request, response)
        if session.accessed:
            patch_vary_headers(response, ("Cookie",))
        return response

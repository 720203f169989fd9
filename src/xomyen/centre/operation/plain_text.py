"""What no text of people has in it is refused before any page looks at it."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class NoNull:
    """Addresses of pages with a NUL: no field takes one, and PostgreSQL has no text with it.

    Forms refuse it themselves, and so do the descriptions of the API's values.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("QUERY_STRING", "")
        if not request.path.startswith("/api/") and ("%00" in asked or "\0" in request.path_info):
            raise BadRequest("the address holds NUL")
        return self._get_response(request)

"""What stands between signing in and the first page: nobody goes on without what their role asks for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class EntryMiddleware:
    """Leads people to what is still missing before they may go on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

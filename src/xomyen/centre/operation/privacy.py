"""Pages are for the one who asked: no browser or proxy keeps them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class KeptByNobody:
    """Answers that do not say themselves how long they may be kept are not: duty rooms share their PCs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-cache" if response.has_header("ETag") else "no-store")
        return response

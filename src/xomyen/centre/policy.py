"""The content security policy of the centre's pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ContentPolicy:
    """Scripts and styles come from files alone; pictures and live connections from the nodes a page names.

    A view that shows pictures puts the nodes' origins into `response.node_origins`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        origins = getattr(response, "node_origins", ())
        sockets = ["ws" + origin.removeprefix("http") for origin in origins]
        nodes = " ".join(["", *origins])
        response.headers.setdefault(
            "Content-Security-Policy",
            "; ".join(
                (
                    "default-src 'self'",
                    "script-src 'self'",
                    "style-src 'self'",
                    f"img-src 'self' blob: data:{nodes}",
                    f"media-src 'self' blob:{nodes}",
                    f"connect-src 'self'{nodes}{''.join(' ' + one for one in sockets)}",
                    "font-src 'self'",
                    "worker-src 'self' blob:",
                    "object-src 'none'",
                    "base-uri 'none'",
                    f"form-action 'self'{nodes}",  # downloads, to which a form brings the ticket
                    "frame-ancestors 'none'",
                )
            ),
        )
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), interest-cohort=()")
        return response

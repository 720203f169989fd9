"""The content security policy of the centre's pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from xomyen.centre.cameras.values import names_origin


class ContentPolicy:
    """Scripts and styles come from files alone; pictures and live connections from the nodes a page names.

    A view that shows pictures puts the nodes' origins into `response.node_origins`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        # Whatever stands in the register, none of it becomes a word of the policy but an origin; all of TLS
        # stands there where a page shows pictures of more nodes than a header can name.
        named = getattr(response, "node_origins", ())
        origins = [origin for origin in named if origin == "https:" or names_origin(origin)]
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

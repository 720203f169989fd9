"""Pages for what went wrong: each says what happened and what to do, in the reader's language."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from xomyen.centre.audit.services import record

_LONGEST_NAME = 100
_LONGEST_PATH = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told."""

    status: int
    title: str
    text: str
    way_home: bool = True


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A page, or problem+json (RFC 9457) for programs. Asks neither session nor database: they may be what failed."""
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.text}
        return JsonResponse(body, status=problem.status, content_type="application/problem+json")
    return HttpResponse(render_to_string("operation/problem.html", {"problem": problem}), status=problem.status)


def bad_request(request: HttpRequest, exception: Exception, *_rest: Any) -> HttpResponse:
    """A request that cannot be right; most often the centre is asked under a name it was not told."""
    if isinstance(exception, RequestDataTooBig) and not request.path.startswith("/api/"):
        text = _("At most %(size)s MB can be sent at once. Go back, shorten the text or split the file, and try again.")
        size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20
        return _answer(request, Problem(413, _("Too much was sent at once"), text % {"size": size}))
    if not isinstance(exception, DisallowedHost):
        text = _("Go back, reload the page and try again.")
        return _answer(request, Problem(400, _("The request cannot be understood"), text))
    name = str(request.META.get("HTTP_HOST", ""))[:_LONGEST_NAME].partition(":")[0]
    text = _(
        "This centre is not set up for the address “%(name)s”. Its administrator adds the name to “hosts” in the file"
        " centre.toml of its folder and restarts it."
    ) % {"name": name}
    return _answer(request, Problem(400, _("The centre does not know this address"), text, way_home=False))


def forbidden(request: HttpRequest, *_rest: Any, **_why: Any) -> HttpResponse:
    """Something one may see but not do."""
    note_refusal(request)
    text = _("Your role does not allow this. If you need it for your work, ask the head of your unit.")
    return _answer(request, Problem(403, _("Not allowed"), text))


def note_refusal(request: HttpRequest) -> None:
    """Who asked for what they may not do is in the audit log; strangers are not."""
    person = getattr(request, "user", None)
    if person is not None and person.is_authenticated:
        details = {"detail": f"{request.method} {request.path}"[:_LONGEST_PATH]}
        record("page.refused", person, request=request, details=details)


def form_too_old(request: HttpRequest, *_rest: Any, **_why: Any) -> HttpResponse:
    """A form that was not sent from a page of this session."""
    text = _(
        "The page was open for too long, or was sent from elsewhere. Nothing was changed. Go back, reload the page"
        " there and try again."
    )
    return _answer(request, Problem(403, _("Reload the page"), text))


def not_found(request: HttpRequest, *_rest: Any, **_why: Any) -> HttpResponse:
    """Nothing there, or nothing for this person."""
    text = _("There is nothing at this address, or it is not open to you.")
    return _answer(request, Problem(404, _("Page not found"), text))


def too_many(request: HttpRequest, wait_s: int) -> HttpResponse:
    """Somebody asks faster than a person reads."""
    text = _("More pages were asked for within a minute than one person can read. Wait a moment, then reload the page.")
    answer = _answer(request, Problem(429, _("Too many requests"), text))
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def too_often(request: HttpRequest) -> HttpResponse:
    """Something secret was tried too often, as a password that is to be changed."""
    text = _("This was tried too often within a minute. Wait a minute, then try again.")
    answer = _answer(request, Problem(429, _("Too many tries"), text))
    answer.headers["Retry-After"] = "60"
    return answer


def failed(request: HttpRequest, *_rest: Any) -> HttpResponse:
    """A fault of ours; the log has it."""
    text = _(
        "The fault has been logged. Try again in a moment. If it happens again, ask the system administrator to run"
        " “xomyen doctor”."
    )
    return _answer(request, Problem(500, _("Something went wrong here"), text))

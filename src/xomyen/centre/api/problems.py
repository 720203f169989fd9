"""Refusals as RFC 9457 describes them, in the language of whoever asked."""

import functools
import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from xomyen.centre.cameras.services import Stale
from xomyen.centre.cameras.words import device_trouble
from xomyen.centre.operation.problems import note_refusal
from xomyen.terms.errors import XomyenError

MEDIA_TYPE = "application/problem+json"


class FieldProblem(Schema):
    """What is wrong with one value."""

    field: str  # such as query.limit or body.name
    code: str
    text: str  # in the caller's language


class ProblemSchema(Schema):
    """RFC 9457."""

    type: str  # urn:xomyen:CODE
    title: str  # in the caller's language
    status: int
    detail: str = ""
    errors: list[FieldProblem] = []


class Problem(Exception):
    """A refusal with a code of its own."""

    def __init__(self, status: int, code: str, detail: str = "", **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


def asked_too_often(wait_s: int) -> Problem:
    """Whoever asks has to wait so many seconds."""
    detail = _("Too many requests within a minute; wait %(seconds)s s.") % {"seconds": wait_s}
    return Problem(429, "too_many", detail, Retry_After=str(wait_s))


def titles() -> dict[int, str]:
    """What each status means, in the language in force."""
    return {
        400: _("The request cannot be read."),
        401: _("An access token is missing, or it does not count any more."),
        403: _("You may not do this."),
        404: _("There is no such thing."),
        405: _("This cannot be done here."),
        409: _("This contradicts what there is."),
        412: _("Somebody else has changed this meanwhile: read it again."),
        422: _("Something in the request is not right."),
        428: _("Say with If-Match which version you are changing."),
        429: _("This was asked too often."),
        503: _("The recorder does not answer."),
    }


def problem(
    request: HttpRequest | None, status: int, code: str, detail: str = "", errors: list[dict[str, str]] | None = None
) -> HttpResponse:
    """The answer."""
    content: dict[str, Any] = {
        "type": f"urn:xomyen:{code}",
        "title": titles().get(status, _("This did not work.")),
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }
    answer = HttpResponse(json.dumps(content, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    answer["Cache-Control"] = "no-store"
    if status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="xomyen"'
    return answer


def answer_to(request: HttpRequest, refusal: Problem) -> HttpResponse:
    """The answer that a refusal is."""
    answer = problem(request, refusal.status, refusal.code, refusal.detail)
    for name, value in refusal.headers.items():
        answer[name.replace("_", "-")] = value
    return answer


def _text(code: str) -> str:
    """What is wrong with a value, from the code that the schema's check gives it."""
    texts = {
        "missing": _("This value is missing."),
        "string_too_long": _("This text is too long."),
        "string_too_short": _("This text is too short."),
        "uuid_parsing": _("This is no id."),
        "date_from_datetime_parsing": _("Write the date as 2026-11-21."),
        "date_parsing": _("Write the date as 2026-11-21."),
        "enum": _("This is none of the possible values."),
        "literal_error": _("This is none of the possible values."),
        "int_parsing": _("This is no whole number."),
        "greater_than_equal": _("This number is too small."),
        "less_than_equal": _("This number is too large."),
        "extra_forbidden": _("There is no such value."),
    }
    return texts.get(code, _("This value is not right."))


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = []
    for one in error.errors:
        place = [str(part) for part in one.get("loc", ()) if part not in ("content", "wanted")]
        code = str(one.get("type", "invalid"))
        errors.append({"field": ".".join(place), "code": code, "text": _text(code)})
    return problem(request, 422, "invalid", errors=errors)


def _refused_by_rules(request: HttpRequest, error: DjangoValidationError) -> HttpResponse:
    """What forms and services refuse; their words are in the caller's language already."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    errors = [
        {"field": "" if name == NON_FIELD_ERRORS else f"body.{name}", "code": one.code or "invalid", "text": text}
        for name, found in by_field.items()
        for one in found
        for text in one.messages
    ]
    return problem(request, 422, "invalid", errors=errors)


def _forbidden(request: HttpRequest, _error: PermissionDenied) -> HttpResponse:
    note_refusal(request)
    return problem(request, 403, "forbidden")


def _of_the_product(request: HttpRequest, error: XomyenError) -> HttpResponse:
    # Words of nodes are English and may name what is on them: the code says enough where there are none of ours.
    status = error.http_status if error.http_status < 500 else 503
    return problem(request, status, error.code, device_trouble(error.code, ""))


def answering_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, whose refusal of a method is a problem too."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *arguments: Any, **keywords: Any) -> HttpResponse:
        answer = view(request, *arguments, **keywords)
        if answer.status_code != 405:
            return answer
        refused = problem(request, 405, "method_not_allowed")
        refused["Allow"] = answer["Allow"]
        return refused

    return answered


@csrf_exempt
@login_not_required
def not_there(request: HttpRequest) -> HttpResponse:
    """What no operation has as its address."""
    return problem(request, 404, "not_found")


def handle_problems(api: Any) -> None:
    """Teaches the API to answer every refusal as a problem."""

    api.add_exception_handler(Problem, answer_to)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(AuthenticationError, lambda request, _error: problem(request, 401, "unauthorized"))
    api.add_exception_handler(HttpError, lambda request, error: problem(request, error.status_code, "unreadable"))
    api.add_exception_handler(Http404, lambda request, _error: problem(request, 404, "not_found"))
    api.add_exception_handler(PermissionDenied, _forbidden)
    api.add_exception_handler(Stale, lambda request, _error: problem(request, 412, "stale"))
    api.add_exception_handler(DjangoValidationError, _refused_by_rules)
    api.add_exception_handler(XomyenError, _of_the_product)
    # Two asked for the same at once; the database let one of them.
    api.add_exception_handler(IntegrityError, lambda request, _error: problem(request, 409, "conflict"))

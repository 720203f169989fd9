"""Reads what the pages' scripts send, and answers them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as RefusedByRules
from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ValidationError

Asked = TypeVar("Asked", bound=BaseModel)
View = Callable[..., HttpResponse]


class Unreadable(Exception):
    """What came cannot be done; `detail` says why, in the reader's language where people read it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read(request: HttpRequest, kind: type[Asked]) -> Asked:
    """The body as this kind of question. Raises Unreadable."""
    try:
        return kind.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable("bad_request", f"{place}: {first['msg']}") from error


@contextmanager
def refusing() -> Iterator[None]:
    """What a service refuses with words for people is told as such."""
    try:
        yield
    except RefusedByRules as error:
        raise Unreadable(error.code or "refused", str(error.message)) from error


def told(document: Any, status: int = 200) -> HttpResponse:
    """An answer that nobody keeps."""
    return JsonResponse(document, status=status, headers={"Cache-Control": "no-store"})


def for_scripts(view: View) -> View:
    """Refusals of what was sent become problem documents (RFC 9457)."""

    @wraps(view)
    def answered(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        try:
            return view(request, *arguments, **named)
        except Unreadable as refusal:
            document = {
                "type": f"urn:xomyen:error:{refusal.code}",
                "title": "Unprocessable Content",
                "status": 422,
                "code": refusal.code,
                "detail": refusal.detail,
            }
            return JsonResponse(document, status=422, content_type="application/problem+json")

    return answered

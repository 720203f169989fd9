"""A request that is sent twice is done once: draft-ietf-httpapi-idempotency-key-header.

What was answered is kept for a day, sealed with the token's secret, of which the centre has a hash alone: links and
tickets stand in such answers.
"""

import base64
import datetime
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from xomyen.centre.api.models import AccessToken, KeptAnswer
from xomyen.centre.api.problems import Problem

HEADER = "Idempotency-Key"
LONGEST = 255
_KEPT = datetime.timedelta(days=1)
_CUT_OFF = datetime.timedelta(minutes=15)  # no request lasts so long: its process ended in the midst of it
_MOST_BYTES = 1 << 20
_HEADERS = ("Content-Type", "ETag", "Cache-Control")
_BEGUN = "_kept_answer"


class Repeated(Exception):
    """The same was asked before; the answer is that of then."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


def begin(request: HttpRequest, token: AccessToken, secret: str) -> None:
    """Notes that the request with this key has begun; nothing for one without a key.

    Raises Repeated, or a Problem: 409 while the first is being answered, 422 for another request of the same key.
    """
    key = request.headers.get(HEADER, "")
    if request.method != "POST" or not key:
        return
    if len(key) > LONGEST:
        raise Problem(422, "idempotency_key_too_long")
    now = timezone.now()
    KeptAnswer.objects.filter(begun__lt=now - _KEPT).delete()
    KeptAnswer.objects.filter(begun__lt=now - _CUT_OFF, sealed__isnull=True).delete()
    asked = _digest(f"{request.get_full_path()}\n".encode() + request.body)
    row, made = KeptAnswer.objects.get_or_create(
        token=token, key=_digest(key.encode("utf-8", "replace")), defaults={"asked": asked, "begun": now}
    )
    if made:
        setattr(request, _BEGUN, (row, _lock(secret)))
    elif row.asked != asked:
        raise Problem(422, "idempotency_key_reused", _("This key was used for another request."))
    elif row.sealed is None:
        raise Problem(409, "in_progress", _("The first request with this key is still being answered."))
    else:
        raise Repeated(_opened(bytes(row.sealed), _lock(secret)))


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, whose answer is kept where the request had a key; what was refused may be tried again."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *arguments: Any, **keywords: Any) -> HttpResponse:
        answer = None
        try:
            answer = view(request, *arguments, **keywords)
        finally:
            _end(request, answer)
        return answer

    return answered


def handle_repeats(api: Any) -> None:
    """Teaches the API to answer what was asked before as it did then."""
    api.add_exception_handler(Repeated, lambda _request, repeated: repeated.answer)


def _end(request: HttpRequest, answer: HttpResponse | None) -> None:
    row, lock = getattr(request, _BEGUN, (None, None))
    if row is None or lock is None:
        return
    done = answer is not None and 200 <= answer.status_code < 300 and not answer.streaming
    if answer is None or not done or len(answer.content) > _MOST_BYTES:
        row.delete()
        return
    headers = {name: answer[name] for name in _HEADERS if name in answer}
    told = {"status": answer.status_code, "headers": headers, "content": answer.content.decode()}
    KeptAnswer.objects.filter(pk=row.pk).update(sealed=lock.encrypt(json.dumps(told).encode()))


def _opened(sealed: bytes, lock: Fernet) -> HttpResponse:
    told = json.loads(lock.decrypt(sealed))
    return HttpResponse(told["content"], status=told["status"], headers=told["headers"])


def _lock(secret: str) -> Fernet:
    """One hash is enough: the secret has 256 bits of chance."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"xomyen.answers\n{secret}".encode()).digest()))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""How fast one person, screen or program may ask: whoever takes pages or lists away by the thousand is slowed down."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from xomyen.centre.api.problems import answer_to, asked_too_often
from xomyen.centre.audit.services import record
from xomyen.centre.operation.problems import too_many

_KEPT = 10_000
_LONGEST_PATH = 300
_FREE = frozenset({"watch:map_tiles"})  # one look at the map takes hundreds of pieces of one file
_APART = frozenset({"watch:tickets", "watch:grants"})  # pages renew them by themselves, with nobody there


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody has to wait."""

    seconds: int
    first: bool  # not since half of the bucket had filled again


class Pace:
    """A bucket of requests for each who asks, filled again within a minute; in the memory of one web process.

    Not in the database as attempts to guess are: reading must not write. What slows a thief of rows down needs no
    exact count; with N web processes somebody gets up to N times as much.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic, kept: int = _KEPT) -> None:
        self._full = float(per_minute)
        self._a_second = per_minute / 60
        self._clock = clock
        self._kept = kept
        self._buckets: OrderedDict[Any, tuple[float, float, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, whose: Any) -> Refusal | None:
        """One request; None: go on."""
        now = self._clock()
        with self._lock:
            left, at, told = self._buckets.pop(whose, (self._full, now, False))
            left = min(self._full, left + (now - at) * self._a_second)
            told = told and left < self._full / 2
            refused = left < 1.0
            self._buckets[whose] = (left if refused else left - 1.0, now, told or refused)
            while len(self._buckets) > self._kept:
                self._buckets.popitem(last=False)
        return Refusal(math.ceil((1.0 - left) / self._a_second), first=not told) if refused else None


PACE = Pace(settings.CENTRE.requests_per_minute)


def too_fast(request: HttpRequest) -> int | None:
    """The seconds whoever asks has to wait; None: go on. That somebody is slowed down is in the audit log once."""
    address = request.resolver_match.view_name if request.resolver_match else ""
    if address in _FREE:
        return None
    refusal = PACE.take((request.user.pk, address in _APART))
    if refusal is None:
        return None
    if refusal.first:
        details = {"detail": f"{request.method} {request.path}"[:_LONGEST_PATH]}
        record("page.slowed", request.user, request=request, details=details)
    return refusal.seconds


class Paced:
    """Counts the pages of whoever is signed in, and of screens; programs are counted by their tokens' owner.

    What pages fetch by themselves takes nothing from those that people open.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _arguments: Any, _keywords: Any) -> HttpResponse | None:
        """Runs once it is known who asks."""
        wait = too_fast(request) if request.user.is_authenticated else None
        if wait is None:
            return None
        # A session counts for nothing there, and is told what a token is told.
        of_api = request.path.startswith("/api/")
        return answer_to(request, asked_too_often(wait)) if of_api else too_many(request, wait)

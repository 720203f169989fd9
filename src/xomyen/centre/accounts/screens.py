"""Paired screens: a browser on a wall shows a code, somebody confirms it, and the screen has its own identity."""

import base64
import datetime
import secrets
from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from xomyen.centre.accounts.models import PairedScreen, User
from xomyen.centre.accounts.services import digest
from xomyen.centre.audit.services import record
from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.models import Jurisdiction, Post, Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units
from xomyen.centre.permissions.giving import may_pair

COOKIE: str = settings.SCREEN_COOKIE_NAME
# Browsers keep no cookie for longer than 400 days (RFC 6265bis, 5.5); it is set anew with every visit to /pair.
COOKIE_LASTS = datetime.timedelta(days=400)
LONGEST_OPEN = datetime.timedelta(days=8)
"""More than anything lasts that a screen was given for nodes."""
CODE_LASTS = datetime.timedelta(minutes=10)
# Without what is easily taken for something else when read from across a room.
_LETTERS = "ABCDEFGHJKMNPQRTUVWXYZ2346789"
_CODE_LENGTH = 6
_WAITING_AT_MOST = 100
_WAITING_IN_ONE_NETWORK = 10
_SEEN_EVERY = datetime.timedelta(minutes=1)
_AGAIN = ".again"  # ends the secret of a screen that was turned off, for as long as nobody pairs it anew


key_changed = Signal()
"""A screen (`screen`) has another key; sent in the transaction of that."""


class TooManyWaiting(Exception):  # says what is the matter
    """So many screens of one network show a code already that no other there may begin."""


def begin(network: str | None, again: bool = False) -> tuple[PairedScreen, str]:
    """A screen that waits to be confirmed, and its secret, which is given to its browser alone.

    `again`: it was paired before and turned off. `network` is what an address is counted by (`entry.network_of`).
    Where too many wait in all, one that has waited for long in the network with most of them makes room: its browser
    asks for another code. Raises TooManyWaiting.
    """
    now = timezone.now()
    PairedScreen.objects.filter(confirmed__isnull=True, code_expires__lte=now).delete()
    waiting = PairedScreen.objects.waiting()
    if waiting.filter(address=network).count() >= _WAITING_IN_ONE_NETWORK:
        raise TooManyWaiting
    if waiting.count() >= _WAITING_AT_MOST:
        crowds = waiting.values_list("address").annotate(waiting=Count("pk")).order_by("-waiting")
        most = crowds[0][1]
        crowded = [address for address, count in crowds if count == most]
        oldest = waiting.filter(address__in=crowded).order_by("created").first()
        if oldest is not None:
            oldest.delete()
    secret = secrets.token_urlsafe(32) + _AGAIN * again
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    made = PairedScreen.objects.create(
        code=code, code_expires=now + CODE_LASTS, digest=digest(secret), address=network, last_seen=now
    )
    return made, secret


def screen_of(request: HttpRequest) -> PairedScreen | None:
    """The screen whose secret the browser holds, waiting or paired; None if there is none or it was revoked."""
    secret = request.COOKIES.get(COOKIE)
    if not secret:
        return None
    found = PairedScreen.objects.select_related("unit", "post").filter(digest=digest(secret), revoked__isnull=True)
    return found.first()


def was_turned_off(request: HttpRequest) -> bool:
    """Whether the browser is of a screen that somebody turned off, and which nobody has paired anew."""
    secret = request.COOKIES.get(COOKIE, "")
    known = PairedScreen.objects.filter(digest=digest(secret), confirmed__isnull=False).first() if secret else None
    return secret.endswith(_AGAIN) if known is None else known.revoked is not None


def is_over(screen: PairedScreen | None) -> bool:
    """Whether it shows nothing since today lies outside its dates; with others it goes on as the same screen."""
    return screen is not None and screen.confirmed is not None and screen.revoked is None and not screen.is_active


def give_secret(response: HttpResponse, secret: str) -> None:
    """Lets the browser keep the secret where no script reads it."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=COOKIE_LASTS,
        httponly=True,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        samesite="Lax",
    )


def waiting_with(code: str) -> PairedScreen | None:
    """The screen that shows this code now; blanks and small letters do not matter."""
    plain = "".join(code.split()).upper()
    return PairedScreen.objects.waiting().filter(code=plain).first() if plain else None


def confirm(by: User, screen: PairedScreen, name: str, place: Unit | Post) -> None:
    """The screen belongs to the place from now on. Raises PermissionDenied."""
    if not may_pair(by, place):
        raise PermissionDenied(str(place))
    with transaction.atomic():
        screen.name = name
        if isinstance(place, Post):
            screen.post = place
        else:
            screen.unit = place
        screen.confirmed, screen.confirmed_by = timezone.now(), by
        screen.valid_from, screen.code = today(), None
        screen.save()
        record("screen.paired", by, screen, None if isinstance(place, Post) else place, details={"at": str(place)})


def seen_screens(person: Any) -> QuerySet[PairedScreen]:
    """The paired screens at places where the person may pair."""
    return _at_places_of(person, PairedScreen.objects.paired())


def lately_revoked(person: Any) -> QuerySet[PairedScreen]:
    """Those there that were turned off and may still hold something that counts at a node."""
    return _at_places_of(person, PairedScreen.objects.filter(revoked__gt=timezone.now() - LONGEST_OPEN))


def _at_places_of(person: Any, rows: QuerySet[PairedScreen]) -> QuerySet[PairedScreen]:
    units = allowed_units(person, Action.SCREEN_PAIR)
    posts = Jurisdiction.objects.filter(in_force(today()), unit__in=units).values("post")
    return rows.filter(Q(unit__in=units) | Q(post__in=posts)).select_related("unit", "post", "confirmed_by")


def places(person: Any, at_most: int = 50) -> tuple[list[Unit], list[Post]]:
    """Where the person may pair a screen: posts first, as that is where screens hang."""
    mine = allowed_units(person, Action.SCREEN_PAIR)
    answering = Jurisdiction.objects.filter(in_force(today()), post=OuterRef("pk"), unit__in=mine)
    posts = Post.objects.filter(in_force(today()), Exists(answering)).order_by("name")[:at_most]
    units = Unit.objects.on(today()).filter(id__in=mine).order_by("kind", "code")[:at_most]
    return list(units), list(posts)


def keep_key(screen: PairedScreen, key: str) -> bool:
    """The browser's key from now on; True: what was granted to one before has just ended.

    A browser that was cleared has another one. Whoever has its cookie could give theirs: that is in the audit log.
    """
    if screen.key == key:
        return False
    with transaction.atomic():
        before, screen.key = screen.key, key
        PairedScreen.objects.filter(pk=screen.pk).update(key=key)
        if before:
            key_changed.send(PairedScreen, screen=screen)
        action = "screen.key_changed" if before else "screen.key_given"
        record(action, screen, screen, screen.unit, details={"at": str(screen.place)})
    return bool(before)


def revoke(by: User, screen: PairedScreen) -> None:
    """The screen shows nothing from its next request on; its cookie is worth nothing any more."""
    with transaction.atomic():
        screen.revoked, screen.revoked_by = timezone.now(), by
        screen.save(update_fields=["revoked", "revoked_by"])
        record("screen.revoked", by, screen, screen.unit, details={"at": str(screen.place)})


def picture_of(address: str) -> str:
    """A QR code of the address as a `data:` URL."""
    # The same that draws the codes for authenticator apps.
    drawn: str = get_adapter().build_totp_svg(address)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()


class ScreenMiddleware:
    """On pages with pictures a paired screen is who looks, where nobody is signed in; nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if getattr(request, "screen_is_gone", False):
            # Its key, its grants and the page of its wall (W3C Clear Site Data; browsers heed it over TLS).
            response.headers["Clear-Site-Data"] = '"storage"'
        return response

    def process_view(self, request: HttpRequest, _view: Any, _arguments: Any, _keywords: Any) -> HttpResponse | None:
        """Runs before a sign-in is asked for: nobody at a television can sign in."""
        match = request.resolver_match
        if match is None or "watch" not in match.app_names or request.user.is_authenticated:
            return None
        screen = screen_of(request)
        if screen is None or not screen.is_active:
            request.screen_is_gone = screen is None and COOKIE in request.COOKIES
            return _to_be_paired(request) if is_over(screen) or was_turned_off(request) else None
        request.user = screen
        now = timezone.now()
        if screen.last_seen is None or now - screen.last_seen > _SEEN_EVERY:
            PairedScreen.objects.filter(pk=screen.pk).update(last_seen=now)
        return None


def _to_be_paired(request: HttpRequest) -> HttpResponse:
    """To the page with a code; a script that asks is told to load its own page anew, and comes there by that."""
    if request.method == "GET" and "text/html" in request.headers.get("Accept", "text/html"):
        return redirect("accounts:pair")
    return HttpResponse(status=401)

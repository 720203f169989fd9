"""What stands between signing in and the first page: nobody goes on without what their role asks for."""

import time
from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login, get_pending_stage
from allauth.core.internal.httpkit import get_client_ip
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from xomyen.centre.accounts import tries
from xomyen.centre.accounts.models import User
from xomyen.centre.accounts.regulations import outstanding
from xomyen.centre.accounts.services import STRONG, has_second_factor
from xomyen.centre.audit.services import record
from xomyen.centre.permissions.decide import needs_second_factor
from xomyen.terms import addresses

_SEEN_EVERY_S = 300
BEGAN = "began"
"""The session's key for when the person signed in, in seconds since 1970."""
IDLE_S = 3600
"""A session that asks for nothing for so long is over; a wall asks every few minutes."""
LASTS_S = 12 * 3600
"""Every session is over then, however it is used."""
# allauth's pages that this product does without: nobody signs up, and no mail goes out.
_CLOSED = frozenset(
    {
        "account_signup",
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "socialaccount_signup",
    }
)
# Where one may go without a second factor: to set one up, or out.
_WAYS = frozenset({"set_language", "account_logout", "account_reauthenticate", "accounts:second_factor"})
# Where one may go who has one and has not shown it: else whoever knows the password adds another beside the owner's.
_SHOWING = frozenset(
    {
        "set_language",
        "account_logout",
        "accounts:second_factor",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)

# Where a code of the second factor is typed.
_CODES = frozenset({"mfa_authenticate", "mfa_reauthenticate"})


def address_of(request: HttpRequest) -> str | None:
    """The address the request came from, that which a proxy of ours names where there is one."""
    return get_client_ip(request)


def network_of(request: HttpRequest) -> str | None:
    """What attempts from its address are counted by, see `addresses.network_of`."""
    address = address_of(request)
    return addresses.network_of(address) if address else address


def name_tried(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str | None:
    """The user name that somebody tries to sign in with, in the form in which attempts are counted."""
    tried = (credentials or {}).get("username") or (request.POST.get("login") if request is not None else None)
    return tried.strip().casefold() if tried else None


def shows_pictures(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Marks a view that is opened only with the regulations on use accepted; those of `watch` all are."""
    view.shows_pictures = True  # type: ignore[attr-defined]
    return view


def is_strong(request: HttpRequest) -> bool:
    """Whether the session rests on more than a password."""
    if request.session.get(STRONG):
        return True
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def has_to_show(request: HttpRequest) -> bool:
    """Whether the person set up a second factor, by duty or of their own, and the session rests on a password."""
    return not is_strong(request) and has_second_factor(request.user)


def missing(request: HttpRequest, view: Any = None) -> str | None:
    """Where to go first, as the name of a page; None: nothing is missing. A second factor one has was shown before."""
    if needs_second_factor(request.user) and not is_strong(request):
        return "accounts:second_factor"
    match = request.resolver_match
    pictures = getattr(view, "shows_pictures", False) or (match is not None and "watch" in match.app_names)
    if pictures and outstanding(request.user).exists():
        return "accounts:regulations"
    return None


class EntryMiddleware:
    """Leads people to what is still missing before they may go on, and speaks their language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User) and _is_over(request):
            logout(request)
        if isinstance(request.user, User):
            # A script that calls the API from a page says itself which language it wants.
            if not (request.path.startswith("/api/") and request.headers.get("Accept-Language")):
                language = request.user.language
                translation.activate(language)
                request.LANGUAGE_CODE = language
            self._note_seen(request)
        response = self._get_response(request)
        if request.path == reverse("account_logout") and request.method == "POST":
            response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def process_view(self, request: HttpRequest, view: Any, _arguments: Any, _keywords: Any) -> HttpResponse | None:
        """Sends elsewhere before the page is made."""
        match = request.resolver_match
        name = match.view_name if match else ""
        if name in _CLOSED:
            raise Http404
        if name in _CODES and request.method == "POST" and "code" in request.POST:
            refused = _count_code(request)
            if refused is not None:
                return refused
        if not isinstance(request.user, User):
            return None
        if name == "set_language":
            self._keep_language(request)
        if has_to_show(request):
            return None if name in _SHOWING else _send(request, "mfa_reauthenticate")
        if name in _WAYS or name.startswith("mfa_"):
            if name == "mfa_remove_webauthn" and request.method == "POST" and _is_last_factor(request):
                messages.error(request, _("Your role asks for a second factor: add another one first."))
                return HttpResponseRedirect(reverse("mfa_index"))
            return None
        where = missing(request, view)
        return None if where is None else _send(request, where)

    def _note_seen(self, request: HttpRequest) -> None:
        """When the session was used last, to five minutes: a row is not written for every request."""
        now = int(time.time())
        if now - request.session.get("seen", 0) >= _SEEN_EVERY_S:
            request.session["seen"] = now
            UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())

    def _keep_language(self, request: HttpRequest) -> None:
        chosen = request.POST.get("language")
        if chosen in dict(settings.LANGUAGES) and chosen != request.user.language:
            request.user.language = chosen
            request.user.save(update_fields=["language"])


def _is_over(request: HttpRequest) -> bool:
    """Whether the session was unused for too long, or has lasted its time."""
    now = time.time()
    began = request.session.setdefault(BEGAN, int(now))
    return bool(now - began >= LASTS_S or now - request.session.get("seen", now) >= IDLE_S + _SEEN_EVERY_S)


def _count_code(request: HttpRequest) -> HttpResponse | None:
    """Refuses a code after too many wrong ones, and ends what the password had begun; None: it may be looked at."""
    stage = get_pending_stage(request)
    user = stage.login.user if stage is not None else request.user
    if not isinstance(user, User):
        return None
    begun = tries.begin(tries.SECOND_FACTOR, str(user.pk))
    if begun is not None:
        request.code_tried = begun  # read when it proves right
        return None
    record("account.second_factor_locked", user, thing=user, request=request)
    clear_login(request)
    logout(request)
    return render(request, "accounts/second_factor_locked.html", status=429)


def _is_last_factor(request: HttpRequest) -> bool:
    """Whether only one is left and the person's role asks for it; allauth itself guards the app alone."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return (
        needs_second_factor(request.user)
        and Authenticator.objects.filter(user_id=request.user.pk, type__in=kinds).count() < 2
    )


def _send(request: HttpRequest, name: str) -> HttpResponse:
    """To the page, in the way that whoever asked understands."""
    back = request.get_full_path() if request.method == "GET" else reverse("home")
    where = reverse(name)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    if request.path.startswith("/api/") or "text/html" not in request.headers.get("Accept", "text/html"):
        kind = "regulation" if name == "accounts:regulations" else "second_factor"
        return JsonResponse({"type": f"urn:xomyen:{kind}", "status": 403, "see": where}, status=403,
                            content_type="application/problem+json")  # fmt: skip
    return HttpResponseRedirect(f"{where}?{urlencode({'next': back})}")


def frame(request: HttpRequest) -> dict[str, Any]:
    """For templates: the frame of allauth's pages, without the way round while nobody may go it."""
    user = getattr(request, "user", None)
    inside = showing = False
    if isinstance(user, User):
        strong = is_strong(request)
        showing = not strong and has_second_factor(user)
        inside = strong or not (showing or needs_second_factor(user))
    return {"frame": "base.html" if inside else "entry.html", "inside": inside, "showing": showing}

"""Pages about paired screens: the one on the television, and the one for whoever confirms and keeps them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xomyen.centre.accounts import screens
from xomyen.centre.accounts.entry import network_of
from xomyen.centre.accounts.forms import PairForm
from xomyen.centre.accounts.models import PairedScreen
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require
from xomyen.centre.watch.ending import StillOpen, open_tickets, still_open, subject_of

_PER_PAGE = 50
_PLACE = "accounts:screens"


@login_not_required
@never_cache
@require_GET
def pair(request: HttpRequest) -> HttpResponse:
    """For the television: the code to confirm, or on to the pictures."""
    screen, secret = screens.screen_of(request), request.COOKIES.get(screens.COOKIE, "")
    off = screens.was_turned_off(request)
    late = screen is not None and screen.confirmed is None and screen.code_expires <= timezone.now()
    if screen is None or late:
        try:
            screen, secret = screens.begin(network_of(request), again=off)
        except screens.TooManyWaiting:
            return render(request, "accounts/pair.html", {"full": True, "off": off}, status=429)
    if screens.is_over(screen):
        response: HttpResponse = render(request, "accounts/pair.html", {"over": True})
    elif screen.confirmed is not None:
        # The token of forms lives in the session, which lasts as long as the screen itself.
        request.session.set_expiry(screens.COOKIE_LASTS)
        response = redirect("watch:wall")
    else:
        where = request.build_absolute_uri(f"{reverse(_PLACE)}?code={screen.code}")
        context = {
            "screen": screen,
            "off": off,
            "qr": screens.picture_of(where),
            "where": request.build_absolute_uri(reverse(_PLACE)),
        }
        response = render(request, "accounts/pair.html", context)
    screens.give_secret(response, secret)
    return response


@login_not_required
@never_cache
@require_GET
def pair_state(request: HttpRequest) -> HttpResponse:
    """Part of the television's page: reloads it once something has changed."""
    screen = screens.screen_of(request)
    waits = screen is not None and screen.confirmed is None and screen.code_expires > timezone.now()
    waits = waits or screens.is_over(screen)
    return HttpResponse(status=204, headers={} if waits else {"HX-Refresh": "true"})


@never_cache
@require_http_methods(["GET", "POST"])
def screen_list(request: HttpRequest) -> HttpResponse:
    """The screens of one's places, and confirming another."""
    require(request.user, Action.SCREEN_PAIR)
    form = PairForm(request.user, request.POST if request.method == "POST" else None, code=request.GET.get("code", ""))
    if request.method == "POST" and form.is_valid():
        screens.confirm(request.user, form.screen, form.cleaned_data["name"], form.chosen())
        messages.success(
            request, _("The screen “%(name)s” is paired and will now show pictures.") % {"name": form.screen}
        )
        return redirect(_PLACE)
    units, posts = screens.places(request.user)
    context: dict[str, Any] = {
        "screens": Paginator(screens.seen_screens(request.user), _PER_PAGE).get_page(request.GET.get("page")),
        "lingering": _lingering(request.user),
        "form": form,
        "units": units,
        "posts": posts,
        "chosen": form.data.get("place", ""),
        "pair_url": request.build_absolute_uri(reverse("accounts:pair")),
        "active_place": _PLACE,
    }
    return render(request, "accounts/screens.html", context)


def _lingering(person: Any) -> list[tuple[PairedScreen, list[StillOpen]]]:
    """Screens that were turned off, where a node does not know it yet."""
    held = set(open_tickets().filter(subject__startswith="screen:").values_list("subject", flat=True)[:200])
    off = screens.lately_revoked(person).filter(pk__in=[subject.partition(":")[2] for subject in held]) if held else ()
    return [(screen, still_open(person, subject_of(screen))) for screen in off]


@require_POST
def revoke(request: HttpRequest, key: Any) -> HttpResponse:
    """Ends a screen."""
    screen = get_object_or_404(screens.seen_screens(request.user), pk=key)
    screens.revoke(request.user, screen)
    messages.success(request, _("The screen “%(name)s” is no longer paired.") % {"name": screen})
    return redirect(_PLACE)

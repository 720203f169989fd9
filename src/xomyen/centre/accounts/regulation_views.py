"""Pages for those who enact the regulations on use, and the text for all whom it binds."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xomyen.centre.accounts.forms import RegulationForm
from xomyen.centre.accounts.regulations import enact, kept_by, readable
from xomyen.centre.dates import today
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import require

_PER_PAGE = 50
_PLACE = "accounts:regulation_list"


@require_GET
def regulation_list(request: HttpRequest) -> HttpResponse:
    """Each version with who enacted it and how many accepted it."""
    require(request.user, Action.REGULATION_EDIT)
    page = Paginator(kept_by(request.user).order_by("unit__code", "-version"), _PER_PAGE)
    context = {"regulations": page.get_page(request.GET.get("page")), "day": today(), "active_place": _PLACE}
    return render(request, "accounts/regulation_list.html", context)


@require_GET
def regulation_text(request: HttpRequest, key: Any) -> HttpResponse:
    """One version, for those who enact it and those who accepted it."""
    found = get_object_or_404(readable(request.user), pk=key)
    kept = kept_by(request.user).filter(pk=found.pk).exists()
    context = {"regulation": found, "kept": kept, "active_place": _PLACE if kept else ""}
    return render(request, "accounts/regulation_text.html", context)


@require_http_methods(["GET", "POST"])
def enact_regulation(request: HttpRequest) -> HttpResponse:
    """A new version; `?from=` names one whose text it starts with."""
    require(request.user, Action.REGULATION_EDIT)
    wanted = request.GET.get("from", "")
    before = next((one for one in kept_by(request.user) if str(one.pk) == wanted), None) if wanted else None
    form = RegulationForm(request.user, request.POST if request.method == "POST" else None, before)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        made = enact(told["unit"], request.user, told["valid_from"], told["title"], told["text"], told["number"])
        messages.success(
            request,
            _("Version %(version)d is enacted. From its first day people must accept it before they see pictures.")
            % {"version": made.version},
        )
        return redirect(_PLACE)
    return render(request, "accounts/enact.html", {"form": form, "before": before, "active_place": _PLACE})

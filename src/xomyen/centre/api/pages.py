"""The page of one's access tokens."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from xomyen.centre.accounts.entry import is_strong
from xomyen.centre.api.forms import TokenForm
from xomyen.centre.api.models import AccessToken
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import MOST, TooManyTokens, make_token, revoke_token
from xomyen.centre.permissions.decide import needs_second_factor


@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens; a new one's secret is shown in the answer to its making and never again."""
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            _made, secret = make_token(
                request.user, values["name"], values["scopes"], form.lasts, strong=is_strong(request)
            )
            form = TokenForm()
        except TooManyTokens:
            form.add_error(None, _("You have %(count)s tokens; revoke one first.") % {"count": MOST})
    labels = dict(Scope.choices)
    own = AccessToken.objects.usable().filter(user=request.user).order_by("-created")
    shown = [(one, [labels[scope] for scope in one.scopes if scope in labels]) for one in own]
    context = {"form": form, "secret": secret, "tokens": shown, "asked": needs_second_factor(request.user)}
    return render(request, "api/tokens.html", context)


@require_POST
def revoke(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Ends one of one's tokens."""
    revoke_token(get_object_or_404(AccessToken, pk=token, user=request.user))
    messages.success(request, _("The token has been revoked."))
    return redirect("tokens:list")

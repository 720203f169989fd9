"""Going to the provider, and coming back."""

from typing import Any

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from requests import RequestException

from xomyen.centre.accounts.elsewhere.provider import OpenIdAdapter


class _Callback(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce")
        return state, answer


@never_cache
@login_not_required
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider by a page that leads on: a form may post to this site alone, redirects included."""
    adapter = _adapter(request, provider_id)
    try:
        answer = OAuth2LoginView.adapter_view(adapter)(request)
    except (OAuth2Error, RequestException) as error:
        away = {"away": isinstance(error, RequestException)}
        return render_authentication_error(request, adapter.get_provider(), exception=error, extra_context=away)
    if answer.status_code != 302:
        return answer
    return render(
        request, "socialaccount/onward.html", {"where": answer["Location"], "provider": adapter.get_provider()}
    )


@never_cache
@login_not_required
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from the provider."""
    return _Callback.adapter_view(_adapter(request, provider_id))(request)


def _adapter(request: HttpRequest, provider_id: str) -> OpenIdAdapter:
    adapter = OpenIdAdapter(request, provider_id)
    try:
        adapter.get_provider()
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return adapter

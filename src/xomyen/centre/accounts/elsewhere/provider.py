"""The provider as django-allauth sees it: PKCE and a nonce with every sign-in, who somebody is from the ID token."""

import secrets
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse

from xomyen.centre.accounts.elsewhere.claims import WrongIdentity, claims_of
from xomyen.centre.accounts.elsewhere.invited import INVITED
from xomyen.centre.accounts.services import digest

_KEPT = ("iss", "sub", "name", "preferred_username")
"""What is stored of a person elsewhere: who it is, and by what they recognise it on their page."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OpenIdAdapter(OpenIDConnectOAuth2Adapter):
    """Takes the answer of the provider."""

    nonce: str | None = None

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself, if it is the one that the settings name. Raises OAuth2Error."""
        found: Any = super().openid_config
        named = str(self.get_provider().app.settings["server_url"]).rstrip("/")
        if not isinstance(found, dict) or str(found.get("issuer")).rstrip("/") != named:
            raise OAuth2Error(f"{named} calls itself by another name.")
        if not all(str(found.get(one)).startswith("https://") for one in _ENDPOINTS):
            raise OAuth2Error(f"{named} has addresses without TLS, or lacks some.")
        return found

    def complete_login(self, request: HttpRequest, app: Any, _token: SocialToken, **answer: Any) -> Any:
        """The sign-in of the person whom the ID token names. Raises OAuth2Error."""
        configuration = self.openid_config
        with get_adapter().get_requests_session() as session:
            found = session.get(configuration["jwks_uri"])
            found.raise_for_status()
        try:
            claims = claims_of(
                answer["response"].get("id_token"),
                found.json(),
                configuration["issuer"],
                app.client_id,
                self.nonce,
            )
        except WrongIdentity as error:
            raise OAuth2Error(str(error)) from error
        return self.get_provider().sociallogin_from_response(request, claims)


class OpenIdProvider(OpenIDConnectProvider):
    """The one provider that the settings name."""

    package = "xomyen.centre.accounts.elsewhere"
    pkce_enabled_default = True
    oauth2_adapter_class = OpenIdAdapter

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **_asked: Any
    ) -> HttpResponse:
        """To the provider; what a page may ask to be sent along besides is not."""
        nonce = secrets.token_urlsafe(24)
        kept = {"nonce": nonce, "auth_params": {"nonce": nonce}, "scope": ["openid", "profile"]}
        if request.POST.get(INVITED) and INVITED in request.session:
            data = {INVITED: request.session[INVITED]}
        return super().redirect(request, "connect" if process == "connect" else "login", next_url, data, **kept)

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Who it is, at which provider: another one's person of the same number is somebody else."""
        return digest(f"{data['iss']}\n{data['sub']}")

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {name: data[name] for name in _KEPT if name in data}

    def extract_email_addresses(self, _data: dict[str, Any]) -> list[Any]:
        """None: nobody is recognised by an e-mail address."""
        return []


provider_classes = [OpenIdProvider]

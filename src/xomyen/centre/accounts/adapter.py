"""How allauth treats our people."""

import base64
import functools
import time
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from axes.handlers.proxy import AxesProxyHandler
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xomyen.centre.accounts import tries
from xomyen.centre.accounts.elsewhere.invited import INVITED, accept_invitation
from xomyen.centre.accounts.entry import has_to_show, name_tried
from xomyen.centre.accounts.models import User
from xomyen.centre.audit.services import record
from xomyen.centre.permissions.decide import needs_second_factor

_JUST_NOW_S = 300
# What allauth's ways of showing again who one is are called on every other page.
_AGAIN = {
    "reauthenticate": _("Use the password"),
    "mfa_reauthenticate": _("Use a code from the phone or a recovery code"),
    "mfa_reauthenticate:webauthn": _("Use a passkey"),
}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up: people are invited."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("Wrong user name or password."),
        "too_many_login_attempts": _(
            "Too many attempts to sign in from this network failed. Wait a minute, then try again."
        ),
        "too_many_for_name": _(
            "Too many wrong passwords were tried for this user name. Try again in an hour, or use a passkey. If it was"
            " not you, tell the system administrator at once."
        ),
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def clean_username(self, username: str, shallow: bool = False) -> Any:
        return super().clean_username(username.strip().casefold(), shallow=shallow)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Asks the password, but not after too many wrong ones for the name from all addresses together."""
        name = name_tried(request, credentials)
        # What axes refuses for the address is not looked at, and counts at the name no more.
        if not name or not AxesProxyHandler.is_allowed(request, credentials):
            return super().authenticate(request, **credentials)
        begun = tries.begin(tries.NAME, name)
        if begun is None:
            raise self.validation_error("too_many_for_name")
        user = super().authenticate(request, **credentials)
        if user is not None:
            tries.was_right(begun)
        return user

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Who signed in just now is not asked again."""
        records = get_authentication_records(context.request, context.request.user)
        return not any(time.time() - record["at"] < _JUST_NOW_S for record in records)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Where a second factor is still to be shown, the password known already is no way."""
        methods = [
            {**one, "description": _AGAIN.get(one["id"], one["description"])}
            for one in super().get_reauthentication_methods(user)
        ]
        if user.is_authenticated and has_to_show(context.request):
            return [one for one in methods if one["id"] != "reauthenticate"]
        return methods

    def get_password_change_redirect_url(self, _request: HttpRequest) -> str:
        return reverse("accounts:me")


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """An account of elsewhere opens one of ours only where its owner connected the two."""

    error_messages: ClassVar = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": _("Set a password first: with this account disconnected you could not sign in any more."),
    }

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Takes up the invitation with which the sign-in began; notes who proved to be nobody known here."""
        key = (sociallogin.state.get("data") or {}).get(INVITED)
        if key is not None:
            accept_invitation(request, sociallogin, key)
        elif not sociallogin.is_existing and sociallogin.state.get("process") != "connect":
            record("account.sign_in_failed", None, request=request, details={"known": False, "how": "oidc"})

    def on_authentication_error(
        self, request: HttpRequest, _provider: Any, error: Any = None, exception: Any = None, **_more: Any
    ) -> None:
        """Notes answers that prove nobody; what came without a sign-in that was begun here is noise."""
        if exception is not None:
            why = {"how": "oidc", "why": str(exception)[:200]}
            record("account.sign_in_failed", None, request=request, details=why)

    def get_requests_session(self) -> Any:
        """Asks the provider: it leads nowhere else, and may have an authority of its own."""
        session = super().get_requests_session()
        session.max_redirects = 0
        oidc = settings.CENTRE.oidc
        if oidc is not None and oidc.ca_file is not None:
            # With each request: what the environment names (REQUESTS_CA_BUNDLE) counts more than a session's own.
            session.request = functools.partial(session.request, verify=str(oidc.ca_file))
        return session


class SecondFactorAdapter(DefaultMFAAdapter):
    """Whose role asks for a second factor keeps at least one."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "passkey_refused": _(
            "This passkey does not count here: it was removed, belongs to another account, or the page was open for too"
            " long. Try again, or use another way."
        ),
    }

    def validation_error(self, code: str, *arguments: Any) -> Any:
        """What is wrong, in words; allauth calls a passkey a code too."""
        if code == "incorrect_code" and "credential" in context.request.POST:
            code = "passkey_refused"
        return super().validation_error(code, *arguments)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user: User = authenticator.user
        if authenticator.type == Authenticator.Type.RECOVERY_CODES or not needs_second_factor(user):
            return True
        others = Authenticator.objects.filter(user=user).exclude(pk=authenticator.pk)
        return others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()

    def encrypt(self, text: str) -> str:
        """Keys of authenticator apps and recovery codes are no use to who has the database alone."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def _get_site_name(self) -> str:
        return "Xóm Yên"


@functools.cache
def _cipher() -> Fernet:
    """Encrypts with a key that follows from the centre's secret, a file of its own beside the database."""
    key = HKDF(SHA256(), 32, salt=None, info=b"xomyen second factor").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))

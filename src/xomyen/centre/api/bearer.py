"""Who asks: the owner of the access token, within its scopes."""

from typing import Any

from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from xomyen.centre.api.problems import Problem, asked_too_often
from xomyen.centre.api.repeats import begin
from xomyen.centre.api.scopes import Scope
from xomyen.centre.api.tokens import find_token
from xomyen.centre.operation.pace import too_fast
from xomyen.centre.permissions.decide import needs_second_factor


class Bearer(HttpBearer):
    """Takes `Authorization: Bearer TOKEN`; sessions of pages do not count here, so that no page can be misused."""

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        found = find_token(token)
        if found is None:
            return None
        request.user = found.user  # whom the audit log names
        if not request.headers.get("Accept-Language"):
            translation.activate(found.user.language)
        if not found.strong and needs_second_factor(found.user):
            detail = _("Your role asks for a second factor: make a new token after signing in with it.")
            raise Problem(403, "second_factor", detail)
        wait = too_fast(request)
        if wait is not None:
            raise asked_too_often(wait)
        if self.scope is not None and self.scope.value not in found.scopes:
            detail = _("The token may not be used for this: %(scope)s.") % {"scope": self.scope.value}
            raise Problem(403, "scope_missing", detail)
        begin(request, found, token)
        return found


def bearer(scope: Any) -> Bearer:
    """What an operation wants."""
    return _BEARERS[scope]


# One of a name each: they share one entry of the description.
_BEARERS = {scope: Bearer(Scope(scope)) for scope in Scope.values}
ANY = Bearer()

"""What is recorded without anybody calling `record`: signing in and out, and every change that has a history."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from allauth.socialaccount.signals import social_account_added, social_account_removed
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.http import HttpRequest
from simple_history.signals import post_create_historical_record

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.audit.services import record, unit_of_person
from xomyen.centre.cameras.values import without_secrets, without_user
from xomyen.centre.organisation.models import Jurisdiction, Post, UnitLink

_VERBS = {"+": "added", "~": "changed", "-": "removed"}
_LONGEST_VALUE = 200
_WAYS = {"socialaccount": "oidc"}
_UNSAID = (User,)
"""Of these only the names of changed fields are kept: the log outlives a person's telephone number."""


def connect() -> None:
    """Listens from now on; called once, when the app is ready."""
    for signal, receiver in (
        (user_logged_in, _signed_in),
        (user_logged_out, _signed_out),
        (user_login_failed, _failed),
        (user_locked_out, _locked),
        (authentication_failed, _second_factor("account.second_factor_failed")),
        (authenticator_added, _second_factor("account.second_factor_added")),
        (authenticator_removed, _second_factor("account.second_factor_removed")),
        (authenticator_reset, _second_factor("account.second_factor_reset")),
        (password_changed, _password_changed),
        (password_set, _password_changed),
        (password_reset, _password_changed),
        (social_account_added, _connected),
        (social_account_removed, _disconnected),
        (post_create_historical_record, _changed),
    ):
        signal.connect(receiver, weak=False, dispatch_uid="audit")


def _signed_in(request: HttpRequest | None = None, user: Any = None, **_more: Any) -> None:
    record("account.signed_in", user, thing=user, request=request, details=_how(request, user))


def _how(request: HttpRequest | None, user: Any) -> dict[str, Any]:
    """By what the person proved who they are, in the order shown: password, totp, webauthn, oidc, link."""
    if request is None or not hasattr(request, "session"):
        return {}
    records = get_authentication_records(request, user)
    shown = [one.get("type") or _WAYS.get(one["method"], one["method"]) for one in records]
    shown = shown or [one for one in [getattr(request, "entered_by", None)] if one]
    return {"how": shown} if shown else {}


def _connected(request: HttpRequest, sociallogin: Any, **_more: Any) -> None:
    user = sociallogin.user
    record("account.connected", user, thing=user, request=request, details={"at": sociallogin.account.provider})


def _disconnected(request: HttpRequest, socialaccount: Any, **_more: Any) -> None:
    user = socialaccount.user
    record("account.disconnected", user, thing=user, request=request, details={"at": socialaccount.provider})


def _signed_out(request: HttpRequest | None = None, user: Any = None, **_more: Any) -> None:
    if user is not None:
        record("account.signed_out", user, thing=user, request=request)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any) -> None:
    _attempt("account.sign_in_failed", str(credentials.get("username") or credentials.get("login") or ""), request)


def _locked(request: HttpRequest | None = None, username: str | None = None, **_more: Any) -> None:
    typed = username or (request.POST.get("login", "") if request is not None else "")
    _attempt("account.locked", typed, request)


def _attempt(action: str, name: str, request: HttpRequest | None) -> None:
    """A wrong attempt counts for the person it was made at. An unknown name may be a password typed into the wrong
    field: it is not kept."""
    person = User.objects.filter(username=name.strip().casefold()).first()
    record(action, None, thing=person, request=request, details={} if person else {"known": False})


def _second_factor(action: str) -> Any:
    def received(request: HttpRequest, user: Any, authenticator: Any = None, **_more: Any) -> None:
        kind = getattr(authenticator, "type", "")
        record(action, user, thing=user, request=request, details={"type": str(kind)} if kind else {})

    return received


def _password_changed(request: HttpRequest, user: Any, **_more: Any) -> None:
    record("account.password_changed", user, thing=user, request=request)


def _changed(instance: Model, history_instance: Any, history_user: Any = None, **_more: Any) -> None:
    """One place for all models that keep a history: cameras, units, people, roles and what they belong to."""
    verb = _VERBS[history_instance.history_type]
    details: dict[str, Any] = {}
    if verb == "changed":
        changes = _changes(instance, history_instance)
        if not changes:  # what the node answered, or a save that changed nothing
            return
        details["changes"] = changes
    action = f"{instance._meta.model_name}.{verb}"
    record(action, history_user, instance, _unit(instance), details=details, label=_label(instance))


def _changes(instance: Model, history_instance: Any) -> dict[str, Any]:
    """Field to its text before and after."""
    before = history_instance.prev_record
    if before is None:
        return {}
    found: dict[str, Any] = {}
    for change in history_instance.diff_against(before).changes:
        field, before_and_after = str(change.field), [_short(change.old), _short(change.new)]
        # `folded` follows from the name; a key given as text equals itself as UUID.
        if field != "folded" and str(change.old) != str(change.new):
            found[field] = [] if isinstance(instance, _UNSAID) else before_and_after
    # No form has this field, and fields without one are not compared: that a password was set, not which.
    if getattr(history_instance, "password_set", None) != getattr(before, "password_set", None):
        found["password_set"] = []
    return found


def _label(thing: Model) -> str:
    """What links between two things are called; empty for what has a name of its own."""
    if isinstance(thing, UnitLink):
        return f"{thing.unit} → {thing.parent}"
    if isinstance(thing, Jurisdiction):
        return f"{thing.post} – {thing.unit}"
    return ""


def _short(value: Any) -> str:
    return "" if value is None else without_secrets(without_user(str(value)))[:_LONGEST_VALUE]


def _unit(thing: Model) -> Any:
    """The unit of things that do not name it by `unit_of`; None leaves it to `record`."""
    if isinstance(thing, UnitLink):
        return thing.unit_id
    if isinstance(thing, (Appointment, Jurisdiction)) and thing.unit_id is not None:
        return thing.unit_id
    post = thing.post if isinstance(thing, Appointment) else thing
    if isinstance(post, Post) and post.pk is not None:
        return post.jurisdictions.order_by("id").values_list("unit_id", flat=True).first()
    if isinstance(thing, User):
        return unit_of_person(thing)
    return getattr(thing, "unit_id", None)
